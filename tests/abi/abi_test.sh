#!/usr/bin/env bash
# abi_test.sh ROOT BUILD_INCLUDES: abi.py passes this tree, and says what is wrong with one that would
# break plugins.
set -euo pipefail
root="$1"
built="$2"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
fail() { printf 'abi_test: %s\n' "$*"; exit 1; }
code=0
python3 "$root/tests/abi/abi.py" check "$root" "$built" || code=$?
[ "$code" = 0 ] || exit "$code"  # also 77: there is no clang

# expect WHAT COMMAND SAID...: abi.py COMMAND of the changed copy says each, and fails.
expect() {
  local what="$1" command="$2" said
  shift 2
  if python3 "$scratch/tests/abi/abi.py" "$command" "$scratch" "$built" >"$scratch/out" 2>&1; then
    fail "passes $what"
  fi
  for said in "$@"; do
    grep -qF -- "$said" "$scratch/out" || { cat "$scratch/out"; fail "of $what it does not say: $said"; }
  done
}
fresh() {
  rm -rf "${scratch:?}"/{sdk,core,tests}
  mkdir -p "$scratch"/{sdk,core/shared_objects,tests}
  cp -r "$root/sdk/include" "$scratch/sdk/"
  cp "$root/core/shared_objects/abi_versions.h" "$scratch/core/shared_objects/"
  cp -r "$root/tests/abi" "$scratch/tests/"
}
header="$scratch/sdk/include/freshet/plugin/file_system.h"

fresh
sed -i 's|^  virtual const char\* name() const = 0;|&\n  virtual int early() const;|' "$header"
expect 'a virtual function in the middle' check 'virtual functions of freshet::FileSystem' \
  'is laid out in another way' '+     5  int freshet::FileSystem::early() const' \
  'Else raise FRESHET_ABI_VERSION' docs/maintainers/abi.md
expect 'a record of that' record 'That is another ABI version'

fresh
sed -i 's|bool hash_is_known = false;|&\n  std::int64_t more = 0;|' "$header"
expect 'a longer struct' check 'freshet::FetchRules: is laid out in another way' 'std::int64_t more' \
  'bytes, aligned to 8'

fresh
sed -i 's|^class FRESHET_API FileSystem {|struct Unrecorded {\n  int field;\n};\n&|' "$header"
expect 'a new struct' check 'freshet::Unrecorded: is not recorded' 'That breaks no plugin. Record it'
python3 "$scratch/tests/abi/abi.py" record "$scratch" "$built" || fail "does not record a new struct"
python3 "$scratch/tests/abi/abi.py" check "$scratch" "$built" || fail "does not find what it has recorded"

fresh
sed -i 's|define FRESHET_ABI_VERSION .*|define FRESHET_ABI_VERSION 1000|' "$scratch/sdk/include/freshet/plugin.h"
expect 'an ABI version that nothing is kept of' check 'freshet/plugin.h has 1000'
