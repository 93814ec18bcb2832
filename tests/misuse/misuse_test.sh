#!/usr/bin/env bash
# misuse_test.sh ROOT BUILD COMPILER...: what compilers say about the wrong programs beside this
# file. Each fails with exactly one error, which contains what its first line expects, in a text
# that a person can read (the limits below); correct.cpp compiles without a word.
set -euo pipefail
export root="$1" build="$2"
shift 2
# Lines of everything that is said, notes and source excerpts included.
export most_lines_gcc=40 most_lines_clang=50
export CCACHE_DISABLE=1

compile() {
  "$1" -std=c++20 -fsyntax-only -Wall -Wextra -Wconversion -fno-diagnostics-show-option \
    -I"$root/sdk/include" -I"$build/sdk/include" "$2" 2>&1
}

check_one() {
  local compiler="$1" program="$2" said expected errors limit complaint=""
  if [ "$(basename "$program")" = correct.cpp ]; then
    said="$(compile "$compiler" "$program")" && [ -z "$said" ] && return 0
    printf '%s: %s should compile without a word:\n%s\n' "$compiler" "$program" "$said"
    return 1
  fi
  expected="$(sed -n '1s|^// expect: ||p' "$program")"
  [ -n "$expected" ] || { echo "$program: its first line must be '// expect: TEXT'"; return 1; }
  if said="$(compile "$compiler" "$program")"; then complaint+="it compiles; "; fi
  errors="$(grep -cE '(^|[: ])(fatal )?error: ' <<<"$said" || true)"
  [ "$errors" = 1 ] || complaint+="$errors errors instead of 1; "
  grep -E 'error: ' <<<"$said" | grep -qF "$expected" || complaint+="no error says '$expected'; "
  limit="$most_lines_gcc"
  case "$compiler" in *clang*) limit="$most_lines_clang" ;; esac
  [ "$(wc -l <<<"$said")" -le "$limit" ] ||
    complaint+="$(wc -l <<<"$said") lines, the most is $limit; "
  [ -z "$complaint" ] && return 0
  printf '%s: %s: %s\n%s\n\n' "$compiler" "$program" "$complaint" "$said"
  return 1
}
export -f compile check_one

programs=("$(dirname "$0")"/*.cpp)
for compiler in "$@"; do
  command -v "$compiler" >/dev/null || { echo "$compiler is not here: left out" >&2; continue; }
  printf "$compiler %s\n" "${programs[@]}"
done | xargs -P 2 -L 1 bash -c 'check_one "$0" "$1"'

# The check itself: a correct program that claims to be wrong is found, so is a wrong expectation.
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
printf '// expect: anything\nint f();\n' >"$scratch/compiles.cpp"
printf '// expect: one thing\nstatic_assert(false, "another");\n' >"$scratch/other.cpp"
printf '// expect: it\n%s\n%s\n' 'static_assert(false, "it");' 'static_assert(false, "it");' \
  >"$scratch/two.cpp"
for program in "$scratch"/*.cpp; do
  if check_one g++ "$program" >/dev/null; then echo "$program was not found"; exit 1; fi
done
echo "${#programs[@]} programs"
