#!/bin/sh
# test.sh FR_RUN SAMPLE BUILD: runs the sample and compares.
set -e
printf 'one\ntwo\nthree\n' >"$3/from"
"$1" "$2" --target=local --plugin-dir "$3" "$3/from" "$3/to"
printf 'ONE\nTWO\nTHREE\n' | cmp - "$3/to"
# A folder is no input, and no empty one.
if "$1" "$2" --target=local --plugin-dir "$3" "$3" "$3/to" 2>"$3/said"; then exit 1; fi
grep -q "can't read '$3' to its end" "$3/said"
