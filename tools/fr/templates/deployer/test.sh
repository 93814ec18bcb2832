#!/bin/sh
# test.sh FR BUILD: starts a session, asks for it, and stops it.
set -e
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
export XDG_STATE_HOME="$folder" XDG_RUNTIME_DIR=
id="$("$1" cluster start --plugin-dir "$2" --target=template-name-session)"
"$1" cluster status --plugin-dir "$2" --wait-for-cluster '20 s' | grep -q "cluster $id"
"$1" cluster stop --plugin-dir "$2" | grep -q "has ended"
[ -z "$("$1" cluster list --plugin-dir "$2" 2>/dev/null)" ] || { echo "the cluster is left"; exit 1; }
