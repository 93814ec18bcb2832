#!/usr/bin/env bash
# layering.sh ROOT: who includes whom. plugin.h <- sdk <- core <- tools; a plugin and a sample see
# the SDK and their own folder. Prints each breach; exit code 1 if there is one.
set -euo pipefail
shopt -s inherit_errexit
cd "$1"

breaches=0
includes=0
breach() {
  printf '%s\n' "$*"
  breaches=$((breaches + 1))
}

# The folders that a file may include from, its own first.
may_see() {
  case "$1" in
    sdk/include/*) echo sdk/include ;;
    sdk/*) echo sdk/src sdk/include ;;
    core/*) echo core sdk/include ;;
    tools/*) echo tools core sdk/include ;;
    plugins/*/*/* | samples/*/*) echo "$(dirname "$1")" sdk/include ;;
    *) echo sdk/include ;;
  esac
}

# Where the file $1 finds "$2": beside itself, in what it may see, anywhere else in the tree.
find_included() {
  local file="$1" name="$2" folder
  for folder in "$(dirname "$file")" $(may_see "$file") sdk/include core sdk/src tools plugins samples tests .; do
    if [ -e "$folder/$name" ]; then
      realpath --relative-to=. "$folder/$name"
      return
    fi
  done
}

while IFS=: read -r file line text; do
  name="$(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]\([^">]*\)[">].*/\1/p' <<<"$text")"
  [ -n "$name" ] || continue
  includes=$((includes + 1))
  found="$(find_included "$file" "$name")"
  [ -n "$found" ] || continue  # a system header, or it does not compile anyway
  allowed=no
  for folder in $(may_see "$file"); do
    case "$found" in "$folder"/*) allowed=yes ;; esac
  done
  [ "$allowed" = yes ] ||
    breach "$file:$line: includes $found: may include from $(may_see "$file" | sed 's/ / and /g') only"
done < <(grep -rnE --include='*.h' --include='*.cpp' --include='*.c' '^[[:space:]]*#[[:space:]]*include' \
  sdk core plugins samples tools || true)

# The same by link line: a plugin or sample that asks Meson for the core would see its headers.
while IFS=: read -r file line text; do
  breach "$file:$line: names core_dep or core_inc: plugins and samples are built with sdk_dep alone"
done < <(grep -rnE --include=meson.build 'core_(dep|inc|lib)' plugins samples || true)

[ "$includes" -gt 0 ] || breach "no include found under $PWD: not a source tree of Freshet"
[ "$breaches" = 0 ]
