#!/usr/bin/env bash
# words_test.sh ROOT: words.py finds no word of the sources beyond the counts that are listed, and finds
# what is wrong on purpose.
set -euo pipefail
words="$1/tests/house/words.py"

"$words" "$1"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{core,docs,tests/house}
list="$scratch/tests/house/words.counts"
: >"$list"

wrong() { echo "words.py: $*"; cat "$scratch/out"; exit 1; }
passes() { "$words" "$scratch" "$@" >"$scratch/out" 2>&1 || wrong "must pass"; }
fails() { ! "$words" "$scratch" "$@" >"$scratch/out" 2>&1 || wrong "must fail"; }
says() { grep -qxF -- "$1" "$scratch/out" || wrong "must say '$1'"; }

# finds FILE LINE WORD TEXT: the text as this file is found at this line, once.
finds() {
  printf '%s\n' "$4" >"$scratch/$1"
  fails
  grep -q "^$1:$2: '$3': write: " "$scratch/out" || wrong "$1: must find '$3' in line $2"
  says "$1: 1 of '$3', 0 listed in tests/house/words.counts"
  rm "$scratch/$1"
}
# takes FILE TEXT: nothing is found in it.
takes() {
  printf '%s\n' "$2" >"$scratch/$1"
  passes
  rm "$scratch/$1"
}

finds core/a.h 1 anew '// Begins anew.'
finds core/a.h 4 anew $'int i = 5\'000;\n\n/* Begins\n * anew. */'
finds core/a.h 2 'is no' $'// What\n// is\n// no application.'
finds core/a.h 1 tell 'refuse("nobody has told it");'
finds core/a.h 1 tell 'refuse(R"(nobody has "told" it)");'
finds core/a.h 1 'is no' $'refuse("that is "\n       "no application");'
finds core/a.h 1 'no more' '// It leads no more.'
finds core/a.h 2 'Of ...' $'int calls();\n// Of the calling fiber.'
finds core/meson.build 2 behind $'sources += files(\'behind.cpp\')\n# behind it'
finds docs/a.md 3 mend $'# Errors\n\nFile, values, mend.'
finds docs/a.md 2 tell $'```cpp\ntell(true);  // told\n```'
takes core/a.h $'#include "told/behind.h"\nbool told(int behind);  // told() is told_, attempt_told'
takes core/a.h $'// What that is\n\n// no application has.'
takes core/a.h 'refuse("what it is", "no application");'
takes core/a.h '// There is no more than one; it is no longer there, and there is none.'
takes docs/a.md $'```cpp\ntell(behind);\n```\nCall `tell`.'

# Counts may fall, which the list can follow, also after a move, but never rise.
printf '// anew\n// anew\n' >"$scratch/core/a.h"
printf '   1  anew  core/a.h\n' >"$list"
fails
says "core/a.h:1: 'anew': write: again"
says "core/a.h:2: 'anew': write: again"
says "core/a.h: 2 of 'anew', 1 listed in tests/house/words.counts"
fails --update
says "'anew': 2 in all, 1 listed: counts may only fall"
printf '   3  anew  core/a.h\n' >"$list"
passes
says "3 listed, 2 left: tests/house/words.py . --update"
passes --update
grep -qx '   2  anew  core/a.h' "$list" || wrong "--update must lower the count"
passes
[ ! -s "$scratch/out" ] || wrong "must say nothing"
mv "$scratch/core/a.h" "$scratch/core/b.h"
fails
passes --update
passes
echo "<<<<<<< HEAD" >>"$list"
fails
grep -q "words.counts:3: .*take either side" "$scratch/out" || wrong "must name the line of a conflict"
rm "$scratch"/core/b.h
fails  # a tree without sources
