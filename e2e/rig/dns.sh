#!/usr/bin/env bash
# Gives the rig in DIR a cluster DNS: the CoreDNS that build.sh made, as an image and its objects.
#   dns.sh DIR BIN
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(realpath "$1") bin=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cp -L "$bin/coredns" "$root/coredns"
"$here/rig.sh" image "$dir" seawall.test/coredns:1 "$root" /coredns
kubectl=("$bin/kubectl" --kubeconfig "$dir/kubeconfig")
"${kubectl[@]}" apply -f "$here/dns.yaml"
"${kubectl[@]}" -n kube-system rollout status deployment/coredns --timeout=60s
