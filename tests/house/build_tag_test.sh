#!/usr/bin/env bash
# build_tag_test.sh ROOT BUILD NAMES COMPILER...: the build tag says what the flags of a compiler
# change. NAMES is the program that shows the `isa` of a tag in names.
set -euo pipefail
root="$1"
build="$2"
names="$3"
shift 3
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
failed=0

cat >"$scratch/tag.cpp" <<'CPP'
#include "freshet/plugin/build_tag.h"
extern const char tag[];
const char tag[] = FRESHET_BUILD_TAG;
CPP

# tag_of COMPILER [FLAG...]: the tag of such a build, its `isa` in names.
tag_of() {
  local compiler="$1" tag
  shift
  "$compiler" -std=c++20 "$@" -I"$root/sdk/include" -I"$build/sdk/include" -c "$scratch/tag.cpp" \
    -o "$scratch/tag.o" || return 1
  tag="$(strings -n 20 "$scratch/tag.o" | grep '^stdlib=')"
  "$names" "$tag"
}

# expect FIELD COMPILER [FLAG...]: the tag of such a build holds "FIELD".
expect() {
  local field="$1" compiler="$2" tag
  shift 2
  tag="$(tag_of "$compiler" "$@")" || { echo "$compiler $* does not compile"; failed=1; return; }
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
  expect 'isa=x86-64-v2+avx+xsave' "$compiler" -march=x86-64-v2 -mavx
  expect 'isa=x86-64+sse3+ssse3+sse4.1+sse4.2+avx+avx2+xsave' "$compiler" -march=x86-64 -mavx2 \
    -mno-popcnt -mxsave
  expect 'isa=x86-64-v4+amx-tile+amx-int8+amx-bf16' "$compiler" -march=x86-64-v4 -mamx-tile \
    -mamx-int8 -mamx-bf16
  expect 'isa=x86-64-v3+sse4a+fma4+xop+tbm+lwp' "$compiler" -march=x86-64-v3 -mxop -mtbm -mlwp
  for set in aes pclmul sha gfni sse4a adx rdrnd rdseed rdpid fsgsbase clflushopt clwb clzero \
    cldemote mwaitx prfchw xsaveopt xsavec rtm pku tsxldtrk serialize waitpkg movdiri movdir64b \
    avxvnni avx512ifma avx512vbmi avx512vbmi2 avx512vnni avx512bitalg avx512vpopcntdq avx512bf16 \
    avx512fp16 avx512vp2intersect avx512er avx512pf amx-tile; do
    expect "isa=x86-64-v4+$set" "$compiler" -march=x86-64-v4 "-m$set"
  done
  # Of real processors, and of the longest list that the compiler takes; the field still holds it.
  for march in skylake znver3 icelake-server sapphirerapids bdver4 native; do
    tag_of "$compiler" "-march=$march" >"$scratch/tag" || { echo "$compiler $march"; failed=1; }
    ! grep -q ':\|set ' "$scratch/tag" || { echo "$compiler $march: $(cat "$scratch/tag")"; failed=1; }
  done
done
exit "$failed"
