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

# Sets `allowed` to the folders that a file may include from, its own first.
may_see() {
  case "$1" in
    sdk/include/*) allowed=(sdk/include) ;;
    sdk/*) allowed=(sdk/src sdk/include) ;;
    core/*) allowed=(core sdk/include) ;;
    tools/*) allowed=(tools core sdk/include) ;;
    plugins/*/*/* | samples/*/*)
      [[ "$1" =~ ^(plugins/[^/]*/[^/]*|samples/[^/]*)/ ]]
      allowed=("${BASH_REMATCH[1]}" sdk/include)
      ;;
    *) allowed=(sdk/include) ;;
  esac
}

# Sets `found` to where the file $1 finds "$2": beside itself, in what it may see, elsewhere.
find_included() {
  local folder
  found=""
  for folder in "${1%/*}" "${allowed[@]}" sdk/include core sdk/src tools plugins samples tests .; do
    if [ -f "$folder/$2" ]; then
      found="$folder/$2"
      case "$found" in *..*) found="$(realpath --relative-to=. "$found")" ;; esac
      return
    fi
  done
}

pattern='^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]([^">]*)[">]'
while IFS=: read -r file line text; do
  [[ "$text" =~ $pattern ]] || continue
  name="${BASH_REMATCH[1]}"
  includes=$((includes + 1))
  may_see "$file"
  find_included "$file" "$name"
  [ -n "$found" ] || continue  # a system header, or it does not compile anyway
  right=no
  for folder in "${allowed[@]}"; do
    case "$found" in "$folder"/*) right=yes ;; esac
  done
  [ "$right" = yes ] || breach "$file:$line: includes $found: may include from ${allowed[*]} only"
done < <(grep -rnE --include='*.h' --include='*.cpp' --include='*.c' '^[[:space:]]*#[[:space:]]*include' \
  sdk core plugins samples tools || true)

# The same by link line: a plugin or sample that asks Meson for the core would see its headers.
while IFS=: read -r file line text; do
  breach "$file:$line: names core_dep or core_inc: plugins and samples are built with sdk_dep alone"
done < <(grep -rnE --include=meson.build 'core_(dep|inc|lib)' plugins samples || true)

[ "$includes" -gt 0 ] || breach "no include found under $PWD: not a source tree of Freshet"
[ "$breaches" = 0 ]
