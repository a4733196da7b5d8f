#!/usr/bin/env bash
# Seawall on a Kubernetes of its own on this machine: flawed workloads, an image with old packages, a harmless attack.
#   demo.sh DIR BIN SEAWALL [FEEDS]   DIR: where everything lies; BIN: the rig's programs; SEAWALL: the binary
# Ctrl-C ends and removes all of it. What was left by a demo that was killed is removed at the next start.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
dir=$(realpath -m "$1") bin=$2 seawall=$(realpath "$3") feeds=${4:-}
node=$dir/node rig=$repository/e2e/rig
url=https://198.18.0.2:30443   # the node's address on this machine, and the hub's NodePort
began=$(date +%s.%N)
[ "$(id -u)" = 0 ] || { echo "the demo needs root: it runs a Kubernetes node" >&2; exit 3; }
[ -z "$feeds" ] || feeds=$(realpath "$feeds")

say() { printf '%6.1f s  %s\n' "$(echo "$(date +%s.%N) - $began" | bc)" "$*"; }
kubectl() { "$bin/kubectl" --kubeconfig "$node/kubeconfig" "$@"; }
helm() { HELM_CACHE_HOME=$dir/helm HELM_CONFIG_HOME=$dir/helm HELM_DATA_HOME=$dir/helm KUBECONFIG=$node/kubeconfig "$bin/helm" "$@"; }
cleanup() {
  trap '' INT TERM
  echo "ending the demo"
  [ -z "${waiting:-}" ] || kill "$waiting" 2>/dev/null || true
  "$rig/rig.sh" down "$node"
  rm -rf "$dir"
}
# call METHOD PATH [JSON]: the API with the Owner's session; by a pipe, so that no process list shows a password
call() {
  printf %s "${3:-}" | curl --silent --show-error --fail-with-body --insecure --cookie "$dir/cookie" --cookie-jar "$dir/cookie" \
    --request "$1" --header "origin: $url" --header 'content-type: application/json' ${3:+--data @-} "$url/api/v1$2"
}
# secret NAME KEY VALUE
secret() { printf %s "$3" | kubectl -n seawall create secret generic "$1" --from-file="$2=/dev/stdin" >/dev/null; }
# first WHAT LIST FILTER: waits until the list has an item
first() {
  for _ in $(seq 600); do
    if [ "$(call GET "/$2?limit=1&filter=$3" | jq '.items | length')" != 0 ]; then say "$1"; return; fi
    sleep 0.2
  done
  echo "nothing within two minutes: $1" >&2
}

[ ! -e "$dir" ] || [ -e "$dir/.demo" ] || { echo "$dir is not a demo's folder" >&2; exit 2; }
trap cleanup EXIT
trap 'exit 130' INT TERM
"$rig/rig.sh" down "$node"
rm -rf "$dir"; mkdir -p "$dir"; touch "$dir/.demo"
"$rig/rig.sh" up "$node" "$bin" </dev/null
say "a Kubernetes node is ready"
"$rig/images.sh" "$node"
# Python packages as they were in 2021, from the package index; without one the image is only busybox.
root=$dir/storefront
mkdir -p "$root/bin" "$root/usr/lib/python3/dist-packages"
cp "$(command -v busybox)" "$root/bin/busybox"; ln -sf busybox "$root/bin/sleep"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --no-compile --target "$root/usr/lib/python3/dist-packages" \
  django==3.2 jinja2==2.10 urllib3==1.24.1 requests==2.19.1 || echo "no old packages: the package index did not answer" >&2
"$rig/rig.sh" image "$node" seawall.test/storefront:1 "$root" sleep 2147483647
"$rig/dns.sh" "$node" "$bin" >/dev/null
(cd "$repository" && cargo xtask image --binary "$seawall" --name seawall.test/seawall:0.1.0 --out "$dir/seawall.tar" >/dev/null)
ctr -a "$node/cri/containerd.sock" -n k8s.io images import "$dir/seawall.tar" >/dev/null
kubectl apply -f "$here/workloads.yaml" >/dev/null
say "images are there, the shop is deployed"

given=$(openssl rand -hex 8) password=$(openssl rand -hex 8)
kubectl create namespace seawall >/dev/null
secret first-password password "$given"
values=(--namespace seawall --values "$rig/values.yaml" --set hub.firstPassword.existingSecret=first-password
  --set hub.service.type=NodePort --set hub.service.nodePort=30443 --set "sensor.containerd=$node/cri/containerd.sock"
  --set "sensor.stateDir=$dir/sensor" --set clusterName=demo)
[ -z "$feeds" ] || values+=(--set "hub.feeds.volume.hostPath.path=$feeds")
helm install seawall "$repository/deploy/helm/seawall" "${values[@]}" --set profile=hub >/dev/null
kubectl -n seawall rollout status statefulset/seawall-hub --timeout=300s >/dev/null
for _ in $(seq 100); do curl --silent --insecure --output /dev/null "$url/healthz" && break; sleep 0.2; done
say "the hub is ready"
call POST /session "{\"user\": \"admin\", \"password\": \"$given\"}" >/dev/null
call PUT /session/password "{\"current\": \"$given\", \"new\": \"$password\"}" >/dev/null
call POST /session "{\"user\": \"admin\", \"password\": \"$password\"}" >/dev/null
token=$(call POST /enrolments '{"scope": "/org/"}' | jq -r .token)
secret enrolment token "$token"
helm upgrade seawall "$repository/deploy/helm/seawall" "${values[@]}" --set profile=both --set "hub.ca=sha256:${token##*.}" \
  --set agent.token.existingSecret=enrolment >/dev/null
kubectl -n seawall rollout status deployment/seawall-agent --timeout=120s >/dev/null
kubectl -n seawall rollout status daemonset/seawall-sensor --timeout=120s >/dev/null
say "agent and sensor are ready"
call POST /assignments '{"target": "control:SW-C-0001", "scope": "/org/demo/", "action": "warn"}' >/dev/null

first "hardening: the first recommendation" recommendations ''
if [ -n "$feeds" ]; then
  first "vulnerabilities: the first flaw of an image" findings 'kind:vulnerability%20state:unhealthy'
else
  first "vulnerabilities: the first image is read; without FEEDS nothing is matched, which the page says" images ''
fi
# In one pod: a password database read, a program that the image does not contain, a shell whose streams are a connection
# to the pod's own loopback.
kubectl -n shop rollout status deployment/payments --timeout=60s >/dev/null
kubectl -n shop exec deploy/payments -- sh -c 'cat /etc/shadow >/dev/null; cp /bin/true /tmp/updater; /tmp/updater;
  (sleep 3 | nc -l -p 4444 127.0.0.1 >/dev/null 2>&1 &) ; sleep 0.5; timeout 2 bash -c "bash -i >& /dev/tcp/127.0.0.1/4444 0>&1" || true' >/dev/null 2>&1 || true
first "runtime: the first alert" alerts 'workload:Deployment/payments'
kubectl apply --dry-run=none -f - >/dev/null 2>"$dir/admission" <<Y || true
{apiVersion: v1, kind: Pod, metadata: {name: debug, namespace: shop}, spec: {containers: [{name: debug, image: 'seawall.test/busybox:1', imagePullPolicy: Never, command: [sleep, '600'], securityContext: {privileged: true}}]}}
Y
say "admission: $(head -n 1 "$dir/admission")"
cat <<T

  open      $url   (from elsewhere: ssh -L 8443:198.18.0.2:30443 THIS-MACHINE, then https://localhost:8443)
  sign in   admin / $password
  kubectl   $bin/kubectl --kubeconfig $node/kubeconfig

Ctrl-C ends the demo and removes all of it.
T
while :; do sleep 3600 & waiting=$!; wait "$waiting"; done
