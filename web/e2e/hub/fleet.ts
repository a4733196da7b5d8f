// What the hub says of its clusters as a whole: status, and which feature works where.
import type { Agent, Cluster, ClusterCapability, ClusterFreshness, ClusterStatus, Feature, Features, SupportState, Working } from "../../src/api/types";
import { EDGE, PROD, STAGING } from "./estate";
import type { World } from "./world";

const DAY = 86_400_000;

export function freshness(cluster: Cluster): ClusterFreshness {
  if (cluster.uid === STAGING.uid) return "stale";
  return cluster.uid === EDGE.uid ? "silent" : "fresh";
}

function capabilities(agents: readonly Agent[]): ClusterCapability[] {
  const names = [...new Set(agents.flatMap((agent) => agent.capabilities.map((each) => each.name)))];
  return names.map((name) => {
    const all = agents.flatMap((agent) => agent.capabilities.filter((each) => each.name === name));
    const of = (state: string) => all.filter((each) => each.state === state).length;
    const reasons = [...new Set(all.flatMap((each) => (each.reason === null ? [] : [each.reason])))];
    return { name, full: of("full"), partial: of("partial"), absent: of("absent"), unknown: 0, reasons };
  });
}

function dropped(agents: readonly Agent[]): ClusterStatus["dropped"] {
  return agents.flatMap((agent) => agent.dropped);
}

export function statuses(world: World, now: number): ClusterStatus[] {
  return world.clusters.map((cluster): ClusterStatus => {
    const agents = world.agents.filter((agent) => agent.cluster === cluster.uid && !agent.revoked);
    const prod = cluster.uid === PROD.uid;
    const ends = agents.map((agent) => agent.certificate_expires);
    return {
      cluster, freshness: freshness(cluster), last_seen: cluster.last_seen, tier: cluster.uid === EDGE.uid ? null : prod ? "A" : "B",
      agents: {
        cluster_agents: agents.filter((agent) => agent.role === "cluster_agent").length,
        sensors: agents.filter((agent) => agent.role === "sensor").length,
        connected: agents.filter((agent) => agent.connected).length,
        outdated: agents.filter((agent) => agent.version !== "0.1.0").length,
      },
      versions: [...new Set(agents.map((agent) => agent.version))], capabilities: capabilities(agents), dropped: dropped(agents),
      last_audit_event: prod ? now - 4_000 : null, audit_events: prod ? 1_204_117 : 0,
      certificate_expires: ends.length === 0 ? null : Math.min(...ends),
      admission: {
        policies: prod ? 4 : cluster.uid === STAGING.uid ? 1 : 0, deny: prod ? 1 : 0, warn: prod ? 1 : 0, audit: prod ? 2 : cluster.uid === STAGING.uid ? 1 : 0,
        decisions_24h: world.decisions.filter((decision) => decision.cluster === cluster.name).length,
        open_gap: cluster.uid === STAGING.uid ? { from: now - 26 * 60_000, to: now, requests: null, reason: "unreachable" } : null,
        gaps_24h: world.gaps.filter((gap) => gap.cluster === cluster.name && gap.from > now - DAY).length,
      },
    };
  });
}

type Row = [id: string, title: string, pillar: string, description: string, states: SupportState[], needs: string[]];

const ROWS: readonly Row[] = [
  ["workload-controls", "Hardening of workloads", "hardening", "Controls on pods and their owners, with evidence and a fix.", ["ga", "ga", "ga", "ga"], []],
  ["admission", "Admission control", "hardening", "Requests that fail a control are recorded, warned about or refused.", ["ga", "ga", "preview", "ga"], []],
  ["node-benchmarks", "Benchmarks of nodes", "hardening", "CIS checks of kubelet and control plane files.", ["planned", "planned", "planned", "planned"], ["open"]],
  ["node-images", "Images on nodes", "vulnerability", "Packages of the images that containerd or CRI-O holds.", ["ga", "ga", "ga", "ga"], []],
  ["registries", "Images in registries", "vulnerability", "Scans what is pushed, before it runs.", ["planned", "planned", "planned", "planned"], []],
  ["process-detections", "Detections on processes", "runtime", "Shells, tools and drift, with the whole process tree.", ["ga", "ga", "ga", "ga"], ["exec", "fork", "exit"]],
  ["network-detections", "Detections on connections", "runtime", "Reverse shells and outbound connections by process.", ["ga", "ga", "preview", "ga"], ["connect"]],
  ["file-detections", "Detections on files", "runtime", "Credential files and tokens read by tools.", ["ga", "ga", "preview", "ga"], ["open"]],
  ["audit-detections", "Detections on the API's use", "runtime", "Exec into pods, privileged bindings and sensitive mounts, from the API server's audit events.", ["unsupported", "unsupported", "unsupported", "ga"], []],
];

function feature([id, title, pillar, description, states, needs]: Row): Feature {
  const state = (index: number) => ({ state: states[index] ?? ("planned" as const), since: states[index] === "planned" || states[index] === "unsupported" ? null : "0.1.0" });
  return { id, title, pillar, description, support: { aks: state(0), eks: state(1), gke: state(2), "on-prem": state(3) }, os: ["linux"], needs };
}

export function features(world: World): Features {
  const all = ROWS.map(feature);
  const clusters = world.clusters.map((cluster) => {
    const agents = world.agents.filter((agent) => agent.cluster === cluster.uid && !agent.revoked);
    const found = new Map(capabilities(agents).map((each) => [each.name, each]));
    const working: Record<string, Working> = {};
    const reasons: Record<string, string[]> = {};
    for (const { id, needs, support } of all) {
      const needed = needs.map((name) => found.get(name));
      if (support.aks?.state === "planned") working[id] = "not working";
      else if (freshness(cluster) === "silent") [working[id], reasons[id]] = ["unknown", ["nothing heard for 5 h"]];
      else if (cluster.kind === "machine" && needs.length === 0 && id !== "node-images") working[id] = "unknown";
      else if (id === "audit-detections" && cluster.uid !== PROD.uid) [working[id], reasons[id]] = ["not working", ["no audit events received"]];
      else {
        working[id] = needed.some((each) => each === undefined || each.absent > 0) ? "not working" : needed.some((each) => (each?.partial ?? 0) > 0) ? "partial" : "working";
        reasons[id] = needed.flatMap((each) => (each ? each.reasons.map((reason) => `${each.name}: ${reason}`) : []));
      }
    }
    return { cluster: cluster.name, id: cluster.id, working, reasons };
  });
  const counted = capabilities(world.agents.filter((agent) => !agent.revoked)).map(({ name, full, partial, absent, unknown }) => ({ name, full, partial, absent, unknown }));
  return { version: "0.1.0", environments: ["aks", "eks", "gke", "on-prem"], features: all, capabilities: counted, clusters };
}
