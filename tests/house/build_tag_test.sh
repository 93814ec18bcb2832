#!/usr/bin/env bash
# build_tag_test.sh ROOT BUILD COMPILER...: the build tag says what the flags of a compiler change.
set -euo pipefail
root="$1"
build="$2"
shift 2
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
failed=0

cat >"$scratch/tag.cpp" <<'CPP'
#include "freshet/build_tag.h"
extern const char tag[];
const char tag[] = FRESHET_BUILD_TAG;
CPP

# expect FIELD COMPILER [FLAG...]: the tag of such a build holds "FIELD".
expect() {
  local field="$1" compiler="$2" tag
  shift 2
  "$compiler" -std=c++20 "$@" -I"$root/sdk/include" -I"$build/sdk/include" -c "$scratch/tag.cpp" \
    -o "$scratch/tag.o" || { echo "$compiler $* does not compile"; failed=1; return; }
  tag="$(strings -n 20 "$scratch/tag.o" | grep '^stdlib=')"
  case ";$tag;" in
    *";$field;"*) ;;
    *) echo "$compiler $*: no '$field' in $tag"; failed=1 ;;
  esac
}

machine="$(uname -m)"
for compiler in "$@"; do
  command -v "$compiler" >/dev/null || { echo "$compiler is not here: left out"; continue; }
  expect 'stdlib=libstdc++' "$compiler"
  expect 'stdlib-abi=cxx11' "$compiler"
  expect 'stdlib-abi=before-cxx11' "$compiler" -D_GLIBCXX_USE_CXX11_ABI=0
  expect 'stdlib-debug=no' "$compiler" -D_GLIBCXX_ASSERTIONS
  expect 'stdlib-debug=yes' "$compiler" -D_GLIBCXX_DEBUG
  expect 'sanitizer=none' "$compiler" -fsanitize=undefined
  expect 'sanitizer=address' "$compiler" -fsanitize=address
  expect 'sanitizer=thread' "$compiler" -fsanitize=thread
  expect 'cxx=201703L' "$compiler" -std=c++17
  case "$compiler" in
    g++) expect "compiler=gcc $(g++ -dumpfullversion)" "$compiler" ;;
    clang*) expect "sanitizer=memory" "$compiler" -fsanitize=memory ;;
  esac
  [ "$machine" = x86_64 ] || continue
  expect 'isa=x86-64' "$compiler" -march=x86-64
  for level in v2 v3 v4; do expect "isa=x86-64-$level" "$compiler" "-march=x86-64-$level"; done
  expect 'isa=x86-64-v2+avx' "$compiler" -march=x86-64-v2 -mavx
  expect 'isa=x86-64+sse4.2+avx2' "$compiler" -march=x86-64 -mavx2 -mno-popcnt
done
exit "$failed"
