#!/usr/bin/env bash
# new_projects_test.sh ROOT BUILD: installs into a scratch folder, and has what `fr new` writes build,
# test and check itself against that, with nothing of this tree in sight.
set -euo pipefail
build="$2"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
fail() { echo "new_projects_test: $*"; exit 1; }

meson install -C "$build" --no-rebuild --quiet --destdir "$scratch/stage" >"$scratch/log" 2>&1 ||
  { cat "$scratch/log"; fail "meson install failed"; }
prefix="$(dirname "$(find "$scratch/stage" -type d -name include | head -1)")"
pc="$(find "$prefix" -name freshet-sdk.pc)"
sed -i "s|^prefix=.*|prefix=$prefix|" "$pc"  # it was staged, not installed where it says
PKG_CONFIG_PATH="$(dirname "$pc")"
# What stands here counts, and nothing of this machine's own.
export PKG_CONFIG_PATH XDG_CONFIG_HOME="$scratch/home" XDG_DATA_HOME="$scratch/home" \
  XDG_CACHE_HOME="$scratch/home" CXXFLAGS="-O0 -Wall -Wextra -Werror"
unset FRESHET_PLUGIN_PATH FRESHET_CONF_DIR

mkdir "$scratch/work"
cd "$scratch/work"
for kind in executor deployer connector front-end operators application; do
  name="snow-$kind"
  "$prefix/bin/fr" new "$kind" "$name" >out || { cat out; fail "fr new $kind $name failed"; }
  if grep -rniE 'template.?name' "$name"; then fail "$name has names that were not filled in"; fi
  (cd "$name" && meson setup build --buildtype=plain && meson test -C build --print-errorlogs) \
    >log 2>&1 || { cat log; fail "the $kind does not build and test"; }
  grep -q 'Ok: *[123] *$' log || { cat log; fail "the $kind has run no test"; }
done

if command -v cmake >/dev/null; then
  for kind in executor deployer connector front-end operators application; do
    (cd "snow-$kind" && cmake -B by-cmake -DCMAKE_BUILD_TYPE= && cmake --build by-cmake &&
      ctest --test-dir by-cmake --output-on-failure) >log 2>&1 ||
      { cat log; fail "the $kind does not build and test by CMake"; }
    grep -q '100% tests passed' log || { cat log; fail "the $kind has run no test by CMake"; }
  done
fi

# All of a plugin is found and passes, from where a user would put it.
"$prefix/bin/fr" plugin list --plugin-dir snow-executor/build >out
grep -qE '^snow-executor +executor +0\.1\.0 +usable' out || { cat out; fail "it is not listed"; }
