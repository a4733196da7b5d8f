#!/usr/bin/env bash
# Builds the Kubernetes that the end-to-end tests run on, once, and prints the folder that holds its programs.
#   build.sh            a cache folder keyed by the module's sums; `make clean` leaves it
# Cold it takes minutes on two cores, later nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${SEAWALL_RIG_CACHE:-/var/cache/seawall-rig}
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=${XDG_CACHE_HOME:-$HOME/.cache}/seawall-rig
key=$(cat "$here"/kubernetes/go.sum "$here"/kubernetes/*/main.go | sha256sum | cut -c1-16)
bin=$cache/$key
command -v go >/dev/null || { echo "the rig needs Go 1.26 or later: https://go.dev/doc/install" >&2; exit 3; }
if [ ! -e "$bin/.complete" ]; then
  mkdir -p "$bin"
  cd "$here/kubernetes"
  # One lock, so that two runs at once build once.
  exec 9>"$cache/.lock"; flock 9
  [ -e "$bin/.complete" ] || {
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36" -o "$bin/" ./... >&2
    touch "$bin/.complete"
  }
fi
ln -sfn "$bin" "$cache/bin"
echo "$bin"
