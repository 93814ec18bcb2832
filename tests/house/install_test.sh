#!/usr/bin/env bash
# install_test.sh ROOT BUILD: installs into a scratch folder, builds samples outside the tree with
# nothing but pkg-config, and runs them with what was installed.
set -euo pipefail
root="$1"
build="$2"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
fail() { echo "install_test: $*"; exit 1; }

meson install -C "$build" --quiet --destdir "$scratch/stage" >"$scratch/log" 2>&1 ||
  { cat "$scratch/log"; fail "meson install failed"; }
prefix="$(dirname "$(find "$scratch/stage" -type d -name include | head -1)")"
pc="$(find "$prefix" -name freshet-sdk.pc)"
[ -n "$pc" ] || fail "no freshet-sdk.pc was installed"
sdk() { PKG_CONFIG_PATH="$(dirname "$pc")" pkg-config --define-variable=prefix="$prefix" "$@" freshet-sdk; }
libraries="$(sdk --variable=libdir)"

# Nothing that was installed may refer to the build or source folder.
find "$prefix" -type f \( -perm -u+x -o -name '*.so*' \) -print0 |
  while IFS= read -r -d '' file; do
    if readelf -d "$file" 2>/dev/null | grep -E 'RUNPATH|RPATH' | grep -F "$root"; then
      fail "$file looks for libraries in the build folder"
    fi
  done

# The pages and samples are where the SDK says.
docs="$(sdk --variable=docdir)"
[ -f "$docs/docs/plugin-authors/connectors.md" ] || fail "no pages for plugin authors in $docs"
[ ! -e "$docs/docs/maintainers" ] || fail "the pages for maintainers are installed"
cmp -s "$root/samples/word_count/word_count.cpp" "$docs/samples/word_count/word_count.cpp" ||
  fail "no samples in $docs"
if find "$docs" -name meson.build | grep .; then fail "what builds the samples in the tree is installed"; fi

mkdir "$scratch/work"
cd "$scratch/work"
cat >version.cpp <<'CPP'
#include <freshet/api.h>

#include <cstring>
int main() { return std::strcmp(freshet::sdk_version(), FRESHET_VERSION_STRING); }
CPP
# shellcheck disable=SC2046
g++ version.cpp -o version $(sdk --cflags --libs) -Wl,-rpath,"$libraries"
./version || fail "the installed library is of another version than the headers"

# build_application SOURCE... -> ./lib<first source>.so
build_application() {
  # shellcheck disable=SC2046
  g++ -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden "$@" \
    -o "lib$(basename "$1" .cpp).so" $(sdk --cflags --libs) \
    -Wl,--version-script="$(sdk --variable=pluginmap)"
}

# run_application EXPECTED ARGUMENT...: fr-run prints the line EXPECTED, and finds the plugins that
# were installed with it by itself.
run_application() {
  local expected="$1"
  shift
  "$prefix/bin/fr-run" "$@" >out 2>err || { cat out err; fail "fr-run $* failed"; }
  grep -qxF "$expected" out || { cat out err; fail "fr-run $*: no line '$expected'"; }
}

cp -r "$root/samples/word_count" .
build_application word_count/*.cpp
printf 'the cat and the dog\nThe end\n' >text
run_application $'the\t3' ./libword_count.so --target=local --parallelism 1 --input text
"$prefix/bin/fr" plugin check ./libword_count.so --case exports -- --input text >out 2>err ||
  { cat out err; fail "fr plugin check finds fault with an application that was built as the pages say"; }

# A source and a sink of one's own, and a program that embeds Freshet: as samples/README.md says.
cp -r "$root/samples/sensor_readings" "$root/samples/embedded" .
build_application sensor_readings/sensor_readings.cpp sensor_readings/re*.cpp
mkdir readings
printf 'rain,1000,1.5\nrain,1001,0.5\n' >readings/1.csv
"$prefix/bin/fr-run" ./libsensor_readings.so --target=local readings reports >out 2>err ||
  { cat out err; fail "fr-run failed on sensor_readings"; }
grep -qxF '2 rows, the last of 1001' reports/report-0.txt || fail "sensor_readings reported otherwise"

# shellcheck disable=SC2046
g++ -O1 -Wall -Wextra -Werror embedded/embedded.cpp -o embedded_program $(sdk --cflags --libs) \
  -Wl,-rpath,"$libraries"
./embedded_program >out 2>err || { cat out err; fail "the embedded program failed"; }
grep -qxF 'sum of the odd squares up to 100: 166650' out || { cat out; fail "embedded said otherwise"; }

# Plugins of a third party: a front end with its operators, an executor that runs the plan in a
# process of its own, a deployer, and a high-availability service.
cp -r "$root"/samples/{yaml_front_end,child_executor,command_deployer,shared_folder} .
mkdir plugins
# build_plugin NAME LIBRARY SOURCE...: nothing but what pkg-config says, and the plugin's own library.
build_plugin() {
  local name="$1" library="$2"
  shift 2
  # shellcheck disable=SC2046
  g++ -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden "$@" -o "plugins/$name.so" \
    $(sdk --cflags --libs) $library \
    -Wl,--version-script="$(sdk --variable=pluginmap)"
}
build_plugin yaml_front_end -lyaml-cpp yaml_front_end/front_end.cpp yaml_front_end/yaml_*.cpp
build_plugin text_operators -lyaml-cpp yaml_front_end/text_operators.cpp
build_plugin child_executor "" child_executor/child_*.cpp child_executor/plan_file.cpp
build_plugin plan_front_end "" child_executor/plan_*.cpp
build_plugin command_deployer "" command_deployer/*.cpp
build_plugin shared_folder "" shared_folder/*.cpp
for target in local child; do
  "$prefix/bin/fr-run" yaml_front_end/word_count.yaml --target="$target" --plugin-dir "$PWD/plugins" \
    -Dchild.fr-run="$prefix/bin/fr-run" input=text output="counts-$target" >out 2>err ||
    { cat out err; fail "fr-run of the YAML file failed on target $target"; }
  sort "counts-$target" >sorted
  printf 'The\t1\nand\t1\ncat\t1\ndog\t1\nend\t1\nthe\t2\n' | sort | cmp -s - sorted ||
    { cat sorted; fail "the YAML file gave other rows on target $target"; }
done
"$prefix/bin/fr-run" ./libword_count.so --target=child --plugin-dir "$PWD/plugins" --parallelism 1 \
  -Dchild.fr-run="$prefix/bin/fr-run" --input text --output words >out 2>err ||
  { cat out err; fail "fr-run of word_count failed on target child"; }
grep -qxF $'the\t3' words/part-0 || fail "word_count gave other rows on target child"
XDG_STATE_HOME="$PWD/state" "$prefix/bin/fr-run" ./libword_count.so --target=command \
  --plugin-dir "$PWD/plugins" --parallelism 1 --input text --output cluster-words >out 2>err ||
  { cat out err; fail "fr-run of word_count failed on target command"; }
grep -qxF $'the\t3' cluster-words/part-0 || fail "word_count gave other rows on target command"
"$prefix/bin/fr" plugin check plugins/shared_folder.so -D shared-folder.path="$PWD/ha" >out 2>err ||
  { cat out err; fail "fr plugin check of shared_folder failed"; }

# The program in README.md.
sed -n '/^```cpp$/,/^```$/p' "$root/README.md" | sed '/^```/d' >readme.cpp
build_application readme.cpp
run_application $'t\t1' ./libreadme.so --target=local --parallelism 1 text
