#!/bin/sh
# test.sh FR_RUN JOB BUILD: runs the job with the operators and compares.
set -e
sum="$("$1" "$2" --target=local --parallelism 1 --plugin-dir "$3")"
[ "$sum" = 5050 ] || { echo "expected 5050, got $sum"; exit 1; }
