#!/usr/bin/env bash
# dev_load_test.sh ROOT: the busy loops of './dev test --loaded' end with it, however it ends.
set -euo pipefail
root="$1"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# A script that makes a load as ./dev does, names its loops, and goes on when it is sent a line.
cat >"$scratch/loaded" <<'SCRIPT'
source "$1/dev"
begin_load
printf '%s\n' "${busy_loops[@]}" >"$2/loops.part"
mv "$2/loops.part" "$2/loops"
read -r line
[ "$line" = end ] && end_load
exit 3
SCRIPT

# eventually COMMAND...: succeeds once that does.
eventually() {
  local tenths
  for ((tenths = 0; tenths < 600; ++tenths)); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  echo "never within 60 s: $*"
  return 1
}
none_runs() {
  local loop
  for loop in "${loops[@]}"; do
    if kill -0 "$loop" 2>/dev/null; then return 1; fi
  done
}

for way in end exit TERM INT KILL; do
  rm -f "$scratch"/loops "$scratch"/word
  mkfifo "$scratch/word"
  set -m  # with a process group of its own, so that SIGINT is not ignored
  bash "$scratch/loaded" "$root" "$scratch" <>"$scratch/word" &
  script=$!
  set +m
  eventually test -e "$scratch/loops"
  mapfile -t loops <"$scratch/loops"
  [ "${#loops[@]}" = "$(nproc)" ] || { echo "$way: ${#loops[@]} loops on $(nproc) processors"; exit 1; }
  kill -0 "${loops[@]}" || { echo "$way: a loop has ended before its script"; exit 1; }
  case "$way" in
    end | exit) echo "$way" >"$scratch/word" ;;
    *) kill -s "$way" "$script" ;;
  esac
  wait "$script" 2>/dev/null && { echo "$way: the script says 0"; exit 1; }
  eventually none_runs || { echo "$way: a loop goes on without its script"; kill "${loops[@]}"; exit 1; }
done
