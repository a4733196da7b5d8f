import type { Agent, Asset, Capability, Cluster, Scope } from "../../src/api/types";
import { uuid } from "./random";

const DAY = 86_400_000;

export const PROD = { name: "prod-1", uid: "7c0d6a52-4ba1-4d0c-9a65-2f35f1b6c001", scope: "/org/shop/prod-1/" };
export const STAGING = { name: "staging", uid: "d1f4a7be-0c1f-4f6b-8f0a-51cf4a3ad002", scope: "/org/shop/staging/" };
export const EDGE = { name: "edge-fra-02", uid: "9be2c7d0-5f8a-47f2-8f43-6a1e90b5d004", scope: "/org/edge-fra-02/" };
export const BUILDER = { name: "builder-07", uid: "4f1d0ce3a0f64b6d8f1e6d0f2a7b9003", scope: "/org/builder-07/" };

export function scopes(now: number): Scope[] {
  const all: [path: string, kind: Scope["kind"], name: string][] = [
    ["/org/", "organisation", "Organisation"],
    ["/org/shop/", "account", "Shop"],
    [PROD.scope, "cluster", PROD.name],
    [STAGING.scope, "cluster", STAGING.name],
    [EDGE.scope, "cluster", EDGE.name],
    [BUILDER.scope, "node", BUILDER.name],
  ];
  return all.map(([path, kind, name]) => ({ id: uuid(), path, kind, name, created: now - 90 * DAY }));
}

export function clusters(now: number): Cluster[] {
  return [
    { ...PROD, id: uuid(), kind: "kubernetes", version: "v1.36.3", first_seen: now - 88 * DAY, last_seen: now - 12_000 },
    { ...STAGING, id: uuid(), kind: "kubernetes", version: "v1.35.1", first_seen: now - 40 * DAY, last_seen: now - 26 * 60_000 },
    { ...EDGE, id: uuid(), kind: "kubernetes", version: "v1.34.9+k3s1", first_seen: now - 21 * DAY, last_seen: now - 5 * 3_600_000 },
    { ...BUILDER, id: uuid(), kind: "machine", version: null, first_seen: now - 12 * DAY, last_seen: now - 4_000 },
  ];
}

const FULL: Capability[] = ["exec", "fork", "exit", "existing_processes", "connect", "open", "io_uring"].map((name) => ({
  name, state: "full", tier: "B", reason: null,
}));
/** Of the kernel that most distributions' long-term releases have. */
const OLDER: Capability[] = FULL.map((each) =>
  each.name === "io_uring" ? { ...each, state: "absent", tier: null, reason: "this kernel (5.4) has no tracepoint for it" } : each,
);
const WEAK: Capability[] = OLDER.map((each) =>
  each.name === "open"
    ? { ...each, state: "partial", reason: "paths longer than 256 bytes are cut: the kernel has no bpf_d_path for this hook" }
    : each.name === "connect"
      ? { ...each, state: "absent", tier: null, reason: "the program was refused by the verifier of this kernel (5.4)" }
      : each,
);

export function agents(now: number): Agent[] {
  const base = { version: "0.1.0", revoked: false, last_audit_event: null, audit_events: 0, first_seen: now - 12 * DAY, certificate_expires: now + 5 * DAY };
  const on = (cluster: { name: string; scope: string }) => ({ cluster: cluster.name, scope: cluster.scope });
  return [
    { ...base, ...on(PROD), id: uuid(), role: "cluster_agent", name: "seawall-agent-6d5f", capabilities: [], dropped: [], last_sequence: 18_240, connected: true, last_seen: now - 9_000, last_audit_event: now - 4_000, audit_events: 1_204_117 },
    { ...base, ...on(PROD), id: uuid(), role: "sensor", name: "prod-1-node-a", capabilities: FULL, dropped: [], last_sequence: 90_114, connected: true, last_seen: now - 3_000 },
    { ...base, ...on(PROD), id: uuid(), role: "sensor", name: "prod-1-node-b", capabilities: FULL, dropped: [{ class: "ring:data", count: 1_204 }, { class: "queue:identity", count: 38 }], last_sequence: 88_021, connected: true, last_seen: now - 5_000 },
    { ...base, ...on(PROD), id: uuid(), role: "sensor", name: "prod-1-node-c", capabilities: WEAK, dropped: [], last_sequence: 71_603, connected: true, last_seen: now - 2_000 },
    { ...base, ...on(STAGING), id: uuid(), role: "sensor", name: "staging-node-a", capabilities: WEAK, dropped: [], last_sequence: 2_200, connected: false, last_seen: now - 26 * 60_000 },
    { ...base, ...on(EDGE), id: uuid(), role: "cluster_agent", name: "seawall-agent-77c9", capabilities: [], dropped: [], last_sequence: 901, connected: false, last_seen: now - 5 * 3_600_000, version: "0.0.9", certificate_expires: now + 7 * 3_600_000 },
    { ...base, ...on(EDGE), id: uuid(), role: "sensor", name: "edge-fra-02-node-0", capabilities: FULL, dropped: [{ class: "spool:full", count: 12 }], last_sequence: 4_411, connected: false, last_seen: now - 5 * 3_600_000, version: "0.0.9", certificate_expires: now + 9 * 3_600_000 },
    { ...base, ...on(BUILDER), id: uuid(), role: "sensor", name: "builder-07", capabilities: OLDER, dropped: [], last_sequence: 411, connected: true, last_seen: now - 4_000 },
    { ...base, ...on(STAGING), id: uuid(), role: "cluster_agent", name: "seawall-agent-old", capabilities: [], dropped: [], last_sequence: 17, connected: false, revoked: true, last_seen: now - 11 * DAY },
  ];
}

export const WORKLOADS: readonly [namespace: string, kind: string, name: string][] = [
  ["shop", "Deployment", "web"], ["shop", "Deployment", "cart"], ["shop", "Deployment", "payments"],
  ["shop", "CronJob", "report"], ["shop", "StatefulSet", "orders-db"], ["monitoring", "DaemonSet", "node-exporter"],
  ["monitoring", "StatefulSet", "prometheus"], ["ingress", "Deployment", "gateway"], ["tools", "Deployment", "debug-shell"],
  ["kube-system", "DaemonSet", "kube-proxy"], ["kube-system", "Deployment", "coredns"], ["data", "StatefulSet", "queue"],
];

const GROUPS: Record<string, string> = { CronJob: "batch/v1" };

export function assets(now: number): Asset[] {
  const node: Asset = {
    id: uuid(), scope: BUILDER.scope, cluster: BUILDER.uid, uid: "builder-07", api_version: "v1", kind: "Node", namespace: null, name: "builder-07",
    owner: null, images: [], labels: [["os", "debian 12"]], first_seen: now - 12 * DAY, last_seen: now - 4_000,
    coverage_problems: [{
      kind: "gap", code: "not-covered", message: "Debian:12 is not in the index, which holds Debian:10, Debian:11: 761 packages not judged",
      help: "load a feed that covers it with `seawall db update`", file: null, line: null, column: null, item: "Debian:12",
    }],
  };
  const workloads = WORKLOADS.map(([namespace, kind, name]) => ({
    id: uuid(), scope: PROD.scope, cluster: PROD.uid, uid: uuid(), api_version: GROUPS[kind] ?? "apps/v1", kind, namespace, name,
    owner: null,
    images: [{ name: `registry.example/${namespace}/${name}:1.8.2`, digest: null, index_digest: null, config_digest: null }],
    labels: [["app.kubernetes.io/name", name], ["team", namespace === "shop" ? "storefront" : "platform"]] as [string, string][],
    coverage_problems: null, first_seen: now - 60 * DAY, last_seen: now - 12_000,
  }));
  return [...workloads, node];
}
