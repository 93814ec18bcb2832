#!/usr/bin/env bash
# headers_test.sh ROOT BUILD COMPILER...: every public header compiles alone, with each compiler, without a
# warning, and brings in neither spdlog, msgpack, Boost nor ZeroMQ; plugin.h is plain C. Every header of
# core compiles alone, with the compiler and the options of the build.
set -euo pipefail
root="$1" build="$2"
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

# core_headers ROOT BUILD: how a header of core is compiled, then those that the build does not compile
# alone, one a line. It does so with a header that a source file includes before anything else, also
# before what the command line includes.
core_headers() {
  python3 - "$@" <<'PYTHON'
import json, pathlib, re, shlex, sys
root, build = (pathlib.Path(each).resolve() for each in sys.argv[1:])
core = root / "core"
compiled, how = set(), None
for entry in json.load(open(build / "compile_commands.json")):
    source = (build / entry["file"]).resolve()
    if core not in source.parents or source.suffix != ".cpp":
        continue
    command = shlex.split(entry["command"])
    if how is None and "libfreshet-core" in entry["output"]:
        start = next(i for i, each in enumerate(command) if "++" in each.rsplit("/")[-1])
        how = [command[start]] + [each for each in command if re.match("-(I|D|std=|W(?!p,))", each)]
    first = re.search(r'^[ \t]*#(.*)$', source.read_text(), re.M)
    first = first and re.fullmatch(r'\s*include\s*"(.*)"', first[1])
    if first and "-include" not in command:
        compiled.add(first[1])
print(shlex.join(how + ["-Werror", "-fsyntax-only", "-x", "c++"]))
for header in sorted(core.rglob("*.h")):
    if str(header.relative_to(core)) not in compiled:
        print(header.relative_to(core))
PYTHON
}

check_core() {
  local how
  eval "how=($how_core)"
  printf '#include "%s"\n#include "%s"\n' "$1" "$1" | "${how[@]}" ${2:+-I"$2"} - || {
    echo "core/$1 does not compile alone"
    return 1
  }
}
export -f check_core
cd "$build"
mapfile -t lines < <(core_headers "$root" "$build")
export how_core="${lines[0]}"
headers=("${lines[@]:1}")
[ ${#headers[@]} = 0 ] || printf '%s\n' "${headers[@]}" | xargs -P "$(nproc)" -n 1 bash -c 'check_core "$0"'

# The check itself: a header that needs what it does not include is found, and so is one that only a
# file that includes something else before it knows.
echo 'inline std::string lost();' >"$scratch/lost.h"
if check_core lost.h "$scratch" >/dev/null 2>&1; then
  echo "a header that does not include what it needs was not found"
  exit 1
fi
mkdir -p "$scratch"/tree/core/a "$scratch"/tree/build
touch "$scratch"/tree/core/a/{first,second,third}.h
printf '// A.\n#include "a/first.h"\n\n#include "a/second.h"\n' >"$scratch/tree/core/a/first.cpp"
printf '#define X\n#include "a/third.h"\n' >"$scratch/tree/core/a/third.cpp"
cat >"$scratch/tree/build/compile_commands.json" <<'JSON'
[{"file": "../core/a/first.cpp", "output": "core/libfreshet-core.so.p/a.o", "command": "g++ -I.. -c x"},
 {"file": "../core/a/third.cpp", "output": "core/libfreshet-core.so.p/b.o", "command": "g++ -I.. -c x"}]
JSON
left="$(core_headers "$scratch/tree" "$scratch/tree/build" | tail -n +2 | tr '\n' ' ')"
[ "$left" = 'a/second.h a/third.h ' ] || { echo "left to compile: $left"; exit 1; }
sed -i 's/-I\.\./& -include pch.h/' "$scratch/tree/build/compile_commands.json"
left="$(core_headers "$scratch/tree" "$scratch/tree/build" | tail -n +2 | tr '\n' ' ')"
[ "$left" = 'a/first.h a/second.h a/third.h ' ] || { echo "left to compile: $left"; exit 1; }
echo "${#headers[@]} headers of core, beside those that the build compiles alone"
