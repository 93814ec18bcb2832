#!/usr/bin/env bash
# lint_base_test.sh ROOT: ./dev lint --ci refuses a lint-base that it can't compare with, and says why,
# before it installs or checks anything.
set -euo pipefail
command -v git >/dev/null || { echo "git is not here"; exit 77; }
# A hook may have named a repository: it is not the one of this test.
unset $(git rev-parse --local-env-vars)
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a \
  GIT_COMMITTER_EMAIL=a

mkdir -p "$scratch/full/.ci"
cp "$1/dev" "$scratch/full/dev"
cd "$scratch/full"
git init -q .
git add dev
git commit -q -m first
first="$(git rev-parse HEAD)"
echo "$first" >.ci/lint-base
git add .ci
git commit -q -m second
git clone -q --depth 1 "file://$scratch/full" "$scratch/shallow"

# refuses CLONE BASE MESSAGE: with this text in lint-base.
refuses() {
  echo "$2" >"$scratch/$1/.ci/lint-base"
  if "$scratch/$1/dev" lint --ci >"$scratch/out" 2>&1; then
    echo "lint --ci took '$2' in the $1 clone"
    exit 1
  fi
  grep -qF -- "$3" "$scratch/out" || { echo "wanted '$3', got:"; cat "$scratch/out"; exit 1; }
}
refuses shallow "$first" "commit $first of .ci/lint-base is missing because this clone is shallow: git fetch --unshallow"
unknown=0123456789012345678901234567890123456789
refuses full "$unknown" "commit $unknown of .ci/lint-base is not in this clone"
refuses full main "lint-base holds 'main': must be the 40 digits of a commit"
rm -rf "$scratch/full/.git"
refuses full "$first" "lint --ci: needs a clone with its history"
rm "$scratch/full/.ci/lint-base"
if "$scratch/full/dev" lint --ci >"$scratch/out" 2>&1; then
  echo "lint --ci took no lint-base"
  exit 1
fi
grep -qF "must hold a commit: git rev-parse HEAD >" "$scratch/out" || { cat "$scratch/out"; exit 1; }
