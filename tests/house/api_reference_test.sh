#!/usr/bin/env bash
# api_reference_test.sh ROOT: doxygen reads every comment of the public headers without a warning, and
# what they say arrives in the reference.
set -euo pipefail
root="$1"
command -v doxygen >/dev/null || { echo "no doxygen: ./dev setup --docs"; exit 77; }
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
fail() { echo "api_reference_test: $*"; exit 1; }

cd "$root"
make_reference() { { cat docs/api/Doxyfile; echo "OUTPUT_DIRECTORY = $scratch"; echo "$@"; } | doxygen -; }
make_reference || fail "doxygen warns, see above"

page="$scratch/html/classfreshet_1_1JobClient.html"
grep -q 'Completes when the job has ended' "$page" || fail "a comment above a declaration is lost"
grep -q 'After FLIP-74' "$scratch/html/job__client_8h.html" || fail "the comment of a file is lost"
grep -q 'is not run again' "$scratch/html/namespacefreshet.html" || fail "a comment after an enumerator is lost"
if grep -rq 'namespace.*freshet::detail' "$scratch/html/namespaces.html"; then fail "freshet::detail is shown"; fi

# A comment that names a header which does not exist fails it.
printf '// See no_such_header.h.\n#pragma once\n' >"$scratch/broken.h"
if make_reference "INPUT = $scratch/broken.h" >/dev/null 2>&1; then fail "a broken reference passes"; fi
