#!/usr/bin/env bash
# headers_test.sh ROOT BUILD COMPILER...: every public header compiles alone, with each compiler, without a
# warning, and brings in neither spdlog, msgpack, Boost nor ZeroMQ; plugin.h is plain C.
set -euo pipefail
root="$1"
export generated="$2/sdk/include"  # build_config.h
shift 2
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cd "$root/sdk/include"

check_one() {
  local compiler="$1" header="$2" dependencies
  dependencies="$(mktemp -p "$scratch")"
  printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
    "$compiler" -std=c++20 -fsyntax-only -Wall -Wextra -Wconversion -Wnon-virtual-dtor \
      -Wextra-semi -Werror -I. -I"$generated" -MD -MF "$dependencies" -x c++ - || {
    echo "$header does not compile alone with $compiler"
    return 1
  }
  # serde/msgpack.h is the one way to records that are packed by MSGPACK_DEFINE; nobody else includes it.
  [ "$header" != freshet/serde/msgpack.h ] || return 0
  local heavy
  heavy="$(grep -oE '/(spdlog|msgpack|boost|zmq|zmq_addon|fmt)(/[^ ]*|\.hp?p?)( |$)' "$dependencies" | head -3)"
  [ -z "$heavy" ] || {
    echo "$header brings in $heavy: public headers are kept free of spdlog, msgpack, Boost, ZeroMQ"
    return 1
  }
}
export -f check_one
export scratch

headers="$(find freshet -name '*.h' | sort)"
[ -n "$headers" ] || { echo "no header in $PWD/freshet"; exit 1; }
for compiler in "$@"; do
  command -v "$compiler" >/dev/null || { echo "$compiler is not here: left out"; continue; }
  sed "s|^|$compiler |" <<<"$headers"
done | sort -k2 | grep -v 'left out' | xargs -P "$(nproc)" -L 1 bash -c 'check_one "$0" "$1"'

if [ -e freshet/plugin.h ]; then
  printf '#include "freshet/plugin.h"\n' | cc -std=c11 -fsyntax-only -Wall -Wextra -Werror -I. -x c - || {
    echo "freshet/plugin.h is not plain C"
    exit 1
  }
fi

# The check itself: a header that brings in Boost is found.
mkdir -p "$scratch/freshet"
echo '#include <boost/version.hpp>' >"$scratch/freshet/heavy.h"
if (cd "$scratch" && check_one g++ freshet/heavy.h >/dev/null); then
  echo "a header that includes Boost was not found"
  exit 1
fi
echo "$(wc -l <<<"$headers") public headers"
