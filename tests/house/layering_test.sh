#!/usr/bin/env bash
# layering_test.sh ROOT: layering.sh finds nothing in the sources, and finds what is wrong on purpose.
set -euo pipefail
root="$1"
layering="$root/tests/house/layering.sh"

"$layering" "$root"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{sdk/include/freshet,sdk/src,core/graph,tools,plugins/executors/local,samples/one}
touch "$scratch"/core/graph/graph.h "$scratch"/sdk/src/inner.h "$scratch"/sdk/include/freshet/api.h \
  "$scratch"/plugins/executors/local/local.h "$scratch"/tools/tool.h

# expect_breach FILE LINE: the line in that file alone is one breach; the tree is right without it.
expect_breach() {
  echo "$2" >"$scratch/$1"
  if "$layering" "$scratch" >"$scratch/out"; then
    echo "not found: $1: $2"
    exit 1
  fi
  grep -q "^$1:1: " "$scratch/out" || { cat "$scratch/out"; exit 1; }
  rm "$scratch/$1"
}
echo '#include "freshet/api.h"' >"$scratch/core/right.cpp"
printf '#include <string>\n#include "local.h"\n#include "freshet/api.h"\n' \
  >"$scratch/plugins/executors/local/right.cpp"
"$layering" "$scratch"
expect_breach sdk/src/wrong.cpp '#include "graph/graph.h"'
expect_breach sdk/include/freshet/wrong.h '#include "inner.h"'
expect_breach core/wrong.cpp '#include "executors/local/local.h"'
expect_breach core/wrong.cpp '#include "tool.h"'
expect_breach plugins/executors/local/wrong.cpp '#include "../../../core/graph/graph.h"'
expect_breach plugins/executors/local/wrong.cpp '#include <graph/graph.h>'
expect_breach plugins/executors/local/meson.build "dependencies: core_dep"
expect_breach samples/one/wrong.cpp '#include "inner.h"'
