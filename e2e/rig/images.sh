#!/usr/bin/env bash
# Makes the images the scenarios run and imports them into the rig in DIR; roots are made once and kept in the cache.
#   images.sh DIR
# seawall.test/pause:1    a static program that waits, for pod sandboxes
# seawall.test/busybox:1  busybox with its applets
# seawall.test/debian:1   Debian 12 with bash, python3, perl, netcat and curl, as workloads have them
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(realpath "$1")
cache=${SEAWALL_RIG_CACHE:-/var/cache/seawall-rig}/roots
key=$(sha256sum "$0" | cut -c1-12)
roots=$cache/$key
exec 9>"$(mkdir -p "$cache" && echo "$cache/.lock")"; flock 9

if [ ! -e "$roots/.complete" ]; then
  rm -rf "$roots"; mkdir -p "$roots"/{pause,busybox/bin,busybox/tmp,busybox/etc}
  printf '#include <signal.h>\n#include <unistd.h>\nstatic void end(int s){(void)s;_exit(0);}\nint main(void){signal(SIGTERM,end);signal(SIGINT,end);for(;;)pause();}\n' |
    cc -x c -static -Os -o "$roots/pause/pause" -
  cp "$(command -v busybox)" "$roots/busybox/bin/busybox"
  for applet in $(busybox --list | grep -vx busybox); do ln -sf busybox "$roots/busybox/bin/$applet"; done
  chmod 1777 "$roots/busybox/tmp"; echo 'root:x:0:0:root:/root:/bin/sh' >"$roots/busybox/etc/passwd"
  mmdebstrap --quiet --variant=minbase --include=python3,perl-base,netcat-openbsd,curl,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*; cp "$(command -v busybox)" "$1"/usr/bin/busybox-static' bookworm "$roots/debian"
  touch "$roots/.complete"
fi
flock -u 9
"$here/rig.sh" image "$dir" seawall.test/pause:1 "$roots/pause" /pause
"$here/rig.sh" image "$dir" seawall.test/busybox:1 "$roots/busybox" sh
"$here/rig.sh" image "$dir" seawall.test/debian:1 "$roots/debian" bash
