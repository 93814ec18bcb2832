#!/usr/bin/env bash
# clocks_test.sh ROOT: clocks.sh finds nothing in the sources, and finds what is wrong on purpose.
set -euo pipefail
root="$1"
clocks="$root/tests/house/clocks.sh"

"$clocks" "$root"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{core/{backend,clock,worker},sdk/src,tools/{fr/{cluster,templates/app},fr-run}}
systems='const Clock& clock = SystemClock::instance();'
own='const auto begin = std::chrono::steady_clock::now();'
for right in core/clock/clock.cpp core/backend/this_process.cpp tools/fr-run/main.cpp \
  tools/fr/cluster/worker_command.cpp; do
  echo "$systems" >"$scratch/$right"
done
echo "$own" >"$scratch/tools/fr/templates/app/main.cpp"
echo 'std::int64_t begin = clock.now_ns();' >"$scratch/core/worker/right.cpp"
"$clocks" "$scratch"

# expect_breach FILE LINE: the line in that file alone is one breach.
expect_breach() {
  echo "$2" >"$scratch/$1"
  if "$clocks" "$scratch" >"$scratch/out" || ! grep -q "^$1:1: " "$scratch/out" ||
    [ "$(wc -l <"$scratch/out")" != 1 ]; then
    echo "not found: $1: $2"
    cat "$scratch/out"
    exit 1
  fi
  rm "$scratch/$1"
}
expect_breach core/worker/wrong.h "  explicit Log(const Clock& clock = SystemClock::instance());"
expect_breach core/backend/wrong.cpp "$systems"
expect_breach tools/fr-run/progress.cpp "$systems"
expect_breach core/worker/wrong.cpp "$own"
expect_breach core/worker/wrong.cpp 'using Time = std::chrono::steady_clock;'
expect_breach sdk/src/wrong.cpp 'const auto now = std::chrono::system_clock::now();'
expect_breach tools/fr-run/main.cpp "$own"
