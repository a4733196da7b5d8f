#!/usr/bin/env bash
# Builds what the end-to-end tests run on, once, and prints the folder that holds its programs.
#   build.sh [kubernetes] [helm] [coredns] [gator]     default: kubernetes
# Each is a Go module of its own, since their dependencies conflict, in a cache folder keyed by what it is built from;
# `make clean` leaves it. The folder is that of Kubernetes, built or not, and has links to the others.
# Cold it takes 6 minutes on two cores for Kubernetes and 1.5 for each other, later nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${SEAWALL_RIG_CACHE:-/var/cache/seawall-rig}
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=${XDG_CACHE_HOME:-$HOME/.cache}/seawall-rig
mkdir -p "$cache"
command -v go >/dev/null || { echo "the rig needs Go 1.26 or later: https://go.dev/doc/install" >&2; exit 3; }
# One lock, so that two runs at once build once.
exec 9>"$cache/.lock"; flock 9

key() { sha256sum | cut -c1-16; }
# build FOLDER MODULE LDFLAGS PACKAGE…: the programs of the packages into FOLDER, whole or not at all
build() {
  local folder=$1 module=$2 flags=$3; shift 3
  [ ! -e "$folder/.complete" ] || return 0
  mkdir -p "$folder"
  (cd "$here/$module" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $flags" -o "$folder/" "$@") >&2
  touch "$folder/.complete"
}

bin=$cache/$(cat "$here"/kubernetes/go.sum "$here"/kubernetes/*/main.go | key)
mkdir -p "$bin"
[ $# -gt 0 ] || set -- kubernetes
for part; do
  case $part in
    kubernetes)
      version=k8s.io/component-base/version
      build "$bin" kubernetes "-X $version.gitVersion=v1.36.3 -X $version.gitMajor=1 -X $version.gitMinor=36" ./... ;;
    helm)
      folder=$cache/helm-$(cat "$here"/helm/go.{mod,sum} | key)
      build "$folder" helm "" helm.sh/helm/v4/cmd/helm
      ln -sfn "$folder/helm" "$bin/helm" ;;
    gator)
      version=v3.23.1
      folder=$cache/gator-$version
      if [ ! -e "$folder/.complete" ]; then
        CGO_ENABLED=0 GOBIN=$folder go install -trimpath "github.com/open-policy-agent/gatekeeper/v3/cmd/gator@$version" >&2
        touch "$folder/.complete"
      fi
      ln -sfn "$folder/gator" "$bin/gator" ;;
    coredns)
      folder=$cache/coredns-$(cat "$here"/coredns/go.sum "$here"/coredns/main.go | key)
      build "$folder" coredns "" .
      ln -sfn "$folder/coredns" "$bin/coredns" ;;
    *) echo "build.sh: no part is called $part: kubernetes, helm or coredns" >&2; exit 2 ;;
  esac
done
ln -sfn "$bin" "$cache/bin"
echo "$bin"
