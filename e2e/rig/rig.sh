#!/usr/bin/env bash
# A real one-node Kubernetes in a network namespace of its own: what the end-to-end tests and the demo run on.
#   rig.sh up DIR BIN     start; BIN (see build.sh) holds etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy, kubelet, kubectl
#   rig.sh down DIR       end and clean up, also after a crash
#   rig.sh restart-apiserver DIR BIN FLAG…   start the API server anew with further flags
#   rig.sh restart-kubelet DIR BIN FLAG…     the same of the kubelet; pods stay
#   rig.sh image DIR NAME ROOT [CMD…]   make an image of the folder ROOT and import it into the rig's containerd
# The host reaches the node at 198.18.0.2 (API server on 6443) over a veth pair; pods get 198.18.1.0/24, services 198.18.2.0/24.
set -euo pipefail
verb=$1 dir=$(realpath -m "$2")
ns=seawall-rig node=198.18.0.2 group=seawall-rig   # pods live below a cgroup of the rig's own, never in the host's kubepods
in_ns() { nsenter --net=/run/netns/$ns "$@"; }   # not `ip netns exec`: it remounts /sys and hides the cgroups
start() { local name=$1; shift; setsid nsenter --net=/run/netns/$ns "$@" >"$dir/$name.log" 2>&1 & echo $! >"$dir/$name.pid"; }
wait_for() { for _ in $(seq 150); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done; echo "not ready: $*" >&2; return 1; }

down() {
  [ -e "$dir/.rig" ] || return 0
  local cgroup task address
  # The state is worthless, so nothing is asked to stop politely. Everything of ours, shims included, is in our namespace or cgroup.
  for cgroup in /sys/fs/cgroup/$group /sys/fs/cgroup/unified/$group; do
    [ -e $cgroup/cgroup.kill ] && echo 1 >$cgroup/cgroup.kill || true
  done
  ip netns pids $ns 2>/dev/null | xargs -r kill -9 || true
  sleep 0.5
  for cgroup in /sys/fs/cgroup/*/$group /sys/fs/cgroup/$group; do
    [ -d "$cgroup" ] && find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  for task in "$dir"/cri/state/io.containerd.runtime.v2.task/k8s.io/*; do
    [ -d "$task" ] || continue
    rm -f /var/lib/cni/results/*-"${task##*/}"-*
    [ ! -s "$task/address" ] || { address=$(cat "$task/address"); rm -f "${address#unix://}"; }
  done
  [ ! -d /var/log/containers ] || find /var/log/containers -lname "$dir/*" -delete
  awk -v d="$dir/" 'index($2, d) == 1 {print $2}' /proc/mounts | sort -r | xargs -r umount -l || true
  ip link del seawall0 2>/dev/null || true
  ip netns del $ns 2>/dev/null || true
  rm -rf "$dir"
}

# start_apiserver BIN FLAG…
start_apiserver() {
  local bin=$1; shift
  start kube-apiserver "$bin/kube-apiserver" --etcd-servers http://127.0.0.1:2379 --bind-address $node --advertise-address $node \
    --secure-port 6443 --cert-dir certs --token-auth-file tokens.csv --authorization-mode Node,RBAC --allow-privileged \
    --service-cluster-ip-range 198.18.2.0/24 --service-account-key-file sa.pub --service-account-signing-key-file sa.key \
    --service-account-issuer https://kubernetes.default.svc --kubelet-preferred-address-types InternalIP \
    --enable-aggregator-routing --audit-policy-file audit.yaml --audit-log-path audit.jsonl ${RIG_APISERVER_FLAGS:-} "$@"
  wait_for "$bin/kubectl" --kubeconfig kubeconfig get --raw /readyz
}
restart_apiserver() {
  local bin; bin=$(realpath "$1"); shift; cd "$dir"
  kill -9 "$(cat kube-apiserver.pid)"   # politely it would wait a minute for its watches
  while kill -0 "$(cat kube-apiserver.pid)" 2>/dev/null; do sleep 0.1; done
  start_apiserver "$bin" $*
}

# start_kubelet BIN FLAG…
start_kubelet() {
  local bin=$1; shift
  start kubelet "$bin/kubelet" --config kubelet.yaml --kubeconfig kubeconfig --root-dir "$dir/kubelet" --cert-dir "$dir/kubelet/pki" \
    --hostname-override node-1 --node-ip $node "$@"
}
restart_kubelet() {
  local bin; bin=$(realpath "$1"); shift; cd "$dir"
  kill "$(cat kubelet.pid)"
  while kill -0 "$(cat kubelet.pid)" 2>/dev/null; do sleep 0.1; done
  start_kubelet "$bin" $*
}

up() {
  local bin; bin=$(realpath "$1")
  [ ! -e "$dir" ] || [ -e "$dir/.rig" ] || { echo "$dir is not a rig's folder" >&2; exit 2; }
  [ ! -e /run/netns/$ns ] || [ -e "$dir/.rig" ] || { echo "another rig is running; end it with its own DIR" >&2; exit 2; }
  down; mkdir -p "$dir"/{cri,cni,certs}; touch "$dir/.rig"; cd "$dir"
  ip netns add $ns; in_ns ip link set lo up
  ip link add seawall0 type veth peer name eth0 netns $ns
  ip addr add 198.18.0.1/30 dev seawall0; ip link set seawall0 up
  in_ns ip addr add $node/30 dev eth0; in_ns ip link set eth0 up; in_ns ip route add default via 198.18.0.1
  in_ns sysctl -qw net.ipv4.ip_forward=1
  ip route add 198.18.1.0/24 via $node   # pods reach test servers on the host at 198.18.0.1, and the host reaches pods
  awk '$3 == "cgroup" || $3 == "cgroup2" {print $2}' /proc/mounts | while read -r root; do
    mkdir -p "$root/$group"
    [ ! -e "$root/cpuset.cpus" ] || { cat "$root/cpuset.cpus" >"$root/$group/cpuset.cpus"; cat "$root/cpuset.mems" >"$root/$group/cpuset.mems"; }
  done

  openssl genrsa -out sa.key 2048 2>/dev/null; openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  # Controllers ask in their own names, as everywhere: who acts is what the audit log is about.
  printf '%s\n' rig,admin,1,system:masters kcm,system:kube-controller-manager,2 >tokens.csv
  cat >audit.yaml <<Y
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: RequestResponse}]
Y
  cat >kubeconfig <<Y
apiVersion: v1
kind: Config
current-context: rig
clusters: [{name: rig, cluster: {server: "https://$node:6443", certificate-authority: $dir/certs/apiserver.crt}}]
users: [{name: admin, user: {token: rig}}]
contexts: [{name: rig, context: {cluster: rig, user: admin}}]
Y
  sed 's/token: rig/token: kcm/' kubeconfig >controllers.kubeconfig
  cat >cri/config.toml <<Y
version = 2
root = "$dir/cri/root"
state = "$dir/cri/state"
[grpc]
  address = "$dir/cri/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$dir/cri/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "seawall.test/pause:1"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "$dir/runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$dir/cni"
Y
  cat >cni/10-rig.conflist <<Y
{"cniVersion": "0.4.0", "name": "rig", "plugins": [
 {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "$dir/ipam", "ranges": [[{"subnet": "198.18.1.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
 {"type": "portmap", "capabilities": {"portMappings": true}}, {"type": "loopback"}]}
Y
  cat >kubelet.yaml <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /$group
enforceNodeAllocatable: []
failSwapOn: false
localStorageCapacityIsolation: false
makeIPTablesUtilChains: false
volumePluginDir: $dir/kubelet/volumeplugins
imageGCHighThresholdPercent: 100
evictionHard: {nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
containerRuntimeEndpoint: unix://$dir/cri/containerd.sock
address: $node
clusterDNS: [198.18.2.10]
clusterDomain: cluster.local
podLogsDir: $dir/podlogs
readOnlyPort: 0
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
Y
  cat >proxy.yaml <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: 198.18.1.0/24
clientConnection: {kubeconfig: $dir/kubeconfig}
conntrack: {maxPerCore: 0, min: 0}
hostnameOverride: node-1
Y
  start containerd containerd -c cri/config.toml
  start etcd "$bin/etcd" --data-dir etcd --unsafe-no-fsync
  wait_for in_ns bash -c 'exec 3<>/dev/tcp/127.0.0.1/2379'
  start_apiserver "$bin"
  local c=(--kubeconfig kubeconfig --authentication-kubeconfig kubeconfig --authorization-kubeconfig kubeconfig --leader-elect=false)
  start kube-controller-manager "$bin/kube-controller-manager" "${c[@]}" --kubeconfig controllers.kubeconfig \
    --use-service-account-credentials --service-account-private-key-file sa.key --root-ca-file certs/apiserver.crt
  start kube-scheduler "$bin/kube-scheduler" "${c[@]}"
  start_kubelet "$bin"
  wait_for test -S cri/containerd.sock
  wait_for "$bin/kubectl" --kubeconfig kubeconfig wait --for=condition=Ready node/node-1 --timeout=1s
  start kube-proxy "$bin/kube-proxy" --config proxy.yaml
  wait_for "$bin/kubectl" --kubeconfig kubeconfig get serviceaccount default
}
# A docker-save archive of one layer: config, manifest and layer, named by their digests.
image() {
  local name=$1 root=$2; shift 2
  local work; work=$(mktemp -d "$dir/image.XXXX")
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$root" -cf "$work/layer.tar" .
  local diff_id; diff_id=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
  local cmd; cmd=$(printf '%s\n' "$@" | jq -R . | jq -sc .)
  printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"rig image"}]}' \
    "$cmd" "$diff_id" >"$work/config.json"
  printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$name" >"$work/manifest.json"
  tar -C "$work" -cf "$work/image.tar" manifest.json config.json layer.tar
  ctr -a "$dir/cri/containerd.sock" -n k8s.io images import "$work/image.tar" >/dev/null
  rm -rf "$work"
}

case $verb in
  up) up "$3" ;;
  down) down ;;
  image) image "${@:3}" ;;
  restart-apiserver) restart_apiserver "${@:3}" ;;
  restart-kubelet) restart_kubelet "${@:3}" ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
