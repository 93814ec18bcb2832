#!/usr/bin/env bash
# cross_compiler_test.sh ROOT BUILD COMPILER: a plugin and an application by COMPILER load and run in
# the Freshet of BUILD, which another compiler made with the same standard library, and so does each
# with one that was built there. Skipped where COMPILER is not installed, unless
# FRESHET_TEST_NEEDS_COMPILERS is set, as CI does.
set -euo pipefail
root="$1"
build="$2"
compiler="$3"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
fail() { echo "cross_compiler_test: $*"; exit 1; }

if ! command -v "$compiler" >/dev/null; then
  [ -z "${FRESHET_TEST_NEEDS_COMPILERS:-}" ] || fail "$compiler is not here: ./dev setup --clang"
  echo "$compiler is not here"
  exit 77
fi

# build_module OUTPUT SOURCE...
build_module() {
  local output="$1"
  shift
  "$compiler" -std=c++20 -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden \
    -I"$root/sdk/include" -I"$build/sdk/include" "$@" -o "$output" \
    -L"$build/sdk" -lfreshet-sdk -Wl,--version-script="$root/sdk/freshet-plugin.map" ||
    fail "$compiler does not build $*"
}

# expect_counts APPLICATION PLUGINS: the words are counted by this application on these plugins.
expect_counts() {
  "$build/tools/fr-run/fr-run" "$1" --target=local --plugin-dir="$2" --parallelism 1 \
    --input "$scratch/text" >"$scratch/out" 2>"$scratch/err" ||
    { cat "$scratch/out" "$scratch/err"; fail "fr-run $1 with the plugins of $2 failed"; }
  grep -qxF $'the\t3' "$scratch/out" || { cat "$scratch/out"; fail "$1 counts otherwise"; }
}

printf 'the cat and the dog\nThe end\n' >"$scratch/text"
mkdir "$scratch/plugins"
plugin="$scratch/plugins/local_executor.so"
build_module "$plugin" "$root"/plugins/executors/local/*.cpp
build_module "$scratch/libword_count.so" "$root"/samples/word_count/*.cpp

"$build/tools/fr/fr" plugin inspect "$plugin" >"$scratch/identity" ||
  { cat "$scratch/identity"; fail "fr plugin inspect refuses $plugin"; }
case "$compiler" in
  clang*) grep -qF 'clang 14' "$scratch/identity" ;;
  *) grep -qF 'gcc ' "$scratch/identity" ;;
esac || { cat "$scratch/identity"; fail "its compiler is not shown"; }

expect_counts "$scratch/libword_count.so" "$scratch/plugins"
expect_counts "$build/samples/word_count/libword_count.so" "$scratch/plugins"
expect_counts "$scratch/libword_count.so" "$build/plugins/executors/local"
"$build/tools/fr/fr" plugin check "$plugin" >"$scratch/out" 2>&1 ||
  { cat "$scratch/out"; fail "fr plugin check finds fault with the plugin by $compiler"; }
