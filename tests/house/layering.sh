#!/usr/bin/env bash
# layering.sh ROOT: who includes whom. plugin.h <- sdk <- core <- tools; a plugin and a sample see
# the SDK and their own folder; a folder of core sees what its row in core/README.md names. Prints
# each breach; exit code 1 if there is one.
set -euo pipefail
shopt -s inherit_errexit
cd "$1"

breaches=0
includes=0
breach() {
  printf '%s\n' "$*"
  breaches=$((breaches + 1))
}

# The floors of core. A row may name folders above it alone, so no circle can be written down.
declare -A floor_includes=() floor_uses=()
read_floors() {
  local row folder includes each
  while IFS= read -r row; do
    [[ "$row" =~ ^\|\ \`([a-z_]+)\`\ \|[^|]*\|([^|]*)\|$ ]] || continue
    folder="${BASH_REMATCH[1]}"
    includes="${BASH_REMATCH[2]//\`/}"
    [ -d "core/$folder" ] || breach "core/README.md: there is no folder core/$folder"
    [ -f "core/$folder/$folder.h" ] || breach "core/$folder: has no door, $folder.h"
    for each in $includes; do
      [ -n "${floor_includes[$each]+known}" ] ||
        breach "core/README.md: \`$folder\` may not include \`$each\`, which does not stand above it"
    done
    floor_includes[$folder]=" $folder $includes "
  done <core/README.md
  [ "${#floor_includes[@]}" -gt 0 ] || breach "core/README.md: has no table of floors"
  for folder in core/*/*.h; do
    folder="${folder#core/}"
    folder="${folder%%/*}"
    [ -n "${floor_includes[$folder]+known}" ] || breach "core/$folder: has no row in core/README.md"
  done
}

# check_floor FILE LINE FOUND: an include from one folder of core into another.
check_floor() {
  local from="${1#core/}" to="${3#core/}"
  from="${from%%/*}" to="${to%%/*}"
  [ "$from" != "$to" ] || return 0
  floor_uses["$from $to"]=1
  case "${floor_includes[$from]:-}" in
    *" $to "*) ;;
    *) breach "$1:$2: includes $3: core/README.md does not let \`$from\` include \`$to\`" ;;
  esac
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

read_floors
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
  case "$file $found" in core/*/*\ core/*/*) check_floor "$file" "$line" "$found" ;; esac
done < <(grep -rnE --include='*.h' --include='*.cpp' --include='*.c' '^[[:space:]]*#[[:space:]]*include' \
  sdk core plugins samples tools || true)

# A row says what is, not what might be.
for folder in "${!floor_includes[@]}"; do
  for each in ${floor_includes[$folder]}; do
    [ "$each" = "$folder" ] || [ -n "${floor_uses["$folder $each"]+used}" ] ||
      breach "core/README.md: \`$folder\` includes nothing of \`$each\`: take it out of the row"
  done
done

# The same by link line: a plugin or sample that asks Meson for the core would see its headers.
while IFS=: read -r file line text; do
  breach "$file:$line: names core_dep or core_inc: plugins and samples are built with sdk_dep alone"
done < <(grep -rnE --include=meson.build 'core_(dep|inc|lib)' plugins samples || true)

[ "$includes" -gt 0 ] || breach "no include found under $PWD: not a source tree of Freshet"
[ "$breaches" = 0 ]
