#!/bin/sh
# test.sh FR_RUN JOB BUILD: copies lines through the connector and compares.
set -e
printf 'one\ntwo\nthree\n' >"$3/from"
rm -f "$3"/to-*
"$1" "$2" --target=local --parallelism 1 --plugin-dir "$3" "$3/from" "$3/to"
cmp "$3/from" "$3/to-0"
# A folder is no input, and no empty one.
if "$1" "$2" --target=local --parallelism 1 --plugin-dir "$3" "$3" "$3/to" 2>"$3/said"; then exit 1; fi
grep -q "can't read '$3' to its end" "$3/said"
