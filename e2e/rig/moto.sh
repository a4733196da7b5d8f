#!/usr/bin/env bash
# Prints the program of moto, which plays AWS in tests; installed once, into the rig's cache, if it is not on the PATH.
set -euo pipefail
version=5.2.1
if command -v moto_server; then exit 0; fi
cache=${SEAWALL_RIG_CACHE:-/var/cache/seawall-rig}
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=${XDG_CACHE_HOME:-$HOME/.cache}/seawall-rig
folder=$cache/moto-$version
if [ ! -e "$folder/.complete" ]; then
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile \
    --target "$folder" "moto[server]==$version" >&2
  printf '#!/bin/sh\nPYTHONPATH=%s exec python3 -m moto.server "$@"\n' "$folder" >"$folder/moto_server"
  chmod +x "$folder/moto_server"
  touch "$folder/.complete"
fi
echo "$folder/moto_server"
