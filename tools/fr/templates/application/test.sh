#!/bin/sh
# test.sh FR_RUN APPLICATION: counts words and compares.
set -e
text="$(mktemp)"
trap 'rm -f "$text"' EXIT
printf 'the cat and the dog\nthe end\n' >"$text"
counts="$("$1" "$2" --target=local --parallelism 1 "$text" | sort | tr '\t\n' '= ')"
[ "$counts" = "and=1 cat=1 dog=1 end=1 the=3 " ] || { echo "got $counts"; exit 1; }
