#!/usr/bin/env bash
# layering_test.sh ROOT: layering.sh finds nothing in the sources, and finds what is wrong on purpose.
set -euo pipefail
root="$1"
layering="$root/tests/house/layering.sh"

"$layering" "$root"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{sdk/include/freshet,sdk/src,core/graph,core/worker,tools,plugins/executors/local,samples/one}
floors="$scratch/core/README.md"
printf '| folder | what | includes |\n|---|---|---|\n| `graph` | | |\n| `worker` | | `graph` |\n' >"$floors"
echo '#include "graph/graph.h"' >"$scratch/core/worker/worker.h"
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
expect_breach core/graph/wrong.cpp '#include "worker/worker.h"'

# expect_refused_floors ROWS WORDS: with this table in core/README.md.
expect_refused_floors() {
  printf '%s\n' "$1" >"$floors"
  if "$layering" "$scratch" >"$scratch/out" 2>&1 || ! grep -qF "$2" "$scratch/out"; then
    echo "not found: $2"
    cat "$scratch/out"
    exit 1
  fi
}
graph='| `graph` | | |'
expect_refused_floors '' 'has no table of floors'
expect_refused_floors "$graph" 'core/worker: has no row'
expect_refused_floors '| `worker` | | `graph` |'$'\n'"$graph" '`worker` may not include `graph`'
expect_refused_floors "$graph"$'\n| `worker` | | `graph` |\n| `rpc` | | |' 'no folder core/rpc'
echo >"$scratch/core/worker/worker.h"
expect_refused_floors "$graph"$'\n| `worker` | | `graph` |' '`worker` includes nothing of `graph`'
expect_refused_floors "$graph"$'\n| `worker` | | |\n| `graph` | | `worker` |' '`graph` includes nothing of `worker`'
mv "$scratch/core/worker/worker.h" "$scratch/core/worker/other.h"
expect_refused_floors "$graph"$'\n| `worker` | | |' 'core/worker: has no door, worker.h'
