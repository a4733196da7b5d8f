// What the hub says of its clusters as a whole: status, and which feature works where.
import type {
  Agent, CapabilityHealth, Cluster, ClusterFeatures, ClusterHealth, Feature, Features, Freshness, Statuses, SupportState, Working,
} from "../../src/api/types";
import { EDGE, STAGING } from "./estate";
import type { World } from "./world";

const DAY = 86_400_000;

export function freshness(cluster: Cluster): Freshness {
  if (cluster.uid === STAGING.uid) return "stale";
  return cluster.uid === EDGE.uid ? "silent" : "fresh";
}

/** Two clusters may share a name, so the scope tells whose an agent is. */
export function agentsOf(world: World, cluster: Cluster): Agent[] {
  return world.agents.filter((agent) => agent.scope === cluster.scope && !agent.revoked);
}

/** What an agent told before it went away is unknown now. */
function capabilities(agents: readonly Agent[]): CapabilityHealth[] {
  const names = [...new Set(agents.flatMap((agent) => agent.capabilities.map((each) => each.name)))].sort();
  return names.map((name) => {
    const told = agents.flatMap((agent) => agent.capabilities.filter((each) => each.name === name).map((each) => ({ ...each, agent })));
    const of = (state: string) => told.filter((each) => each.agent.connected && each.state === state).length;
    const reasons = told.flatMap((each) => (each.agent.connected ? (each.reason ?? []) : [`${each.agent.name} is not connected`]));
    return { name, full: of("full"), partial: of("partial"), absent: of("absent"), unknown: told.filter((each) => !each.agent.connected).length, reasons: [...new Set(reasons)] };
  });
}

function admission(world: World, cluster: Cluster, now: number): ClusterHealth["admission"] {
  const policies = world.assignments.filter((each) => cluster.scope.startsWith(each.scope));
  const acting = (action: string) => policies.filter((each) => each.action === action).length;
  const gaps = world.gaps.filter((gap) => gap.scope === cluster.scope).toSorted((a, b) => b.to - a.to);
  return {
    policies: policies.length, deny: acting("deny"), warn: acting("warn"), audit: acting("audit"),
    decisions_24h: world.decisions.filter((each) => each.scope === cluster.scope && each.time > now - DAY).length,
    gaps_24h: gaps.filter((gap) => gap.to > now - DAY).length, last_gap: gaps[0] ?? null,
    policy_sets: policySets(world, cluster),
  };
}

function policySets(world: World, cluster: Cluster): ClusterHealth["admission"]["policy_sets"] {
  const sets = world.policySets.filter((set) => cluster.scope.startsWith(set.scope) && set.action !== "off");
  const acting = (action: string) => sets.filter((set) => set.action === action).length;
  const tried = (id: string, version: number) => world.trials.some((trial) => trial.scope === cluster.scope && trial.set === id && trial.version === version);
  return { sets: sets.length, deny: acting("deny"), warn: acting("warn"), audit: acting("audit"), untried: sets.filter((set) => !tried(set.id, set.version)).length };
}

export function statuses(world: World, now: number): Statuses {
  return { items: world.clusters.map((cluster) => status(world, cluster, now)) };
}

function status(world: World, cluster: Cluster, now: number): ClusterHealth {
  const agents = agentsOf(world, cluster);
  const connected = agents.filter((agent) => agent.connected);
  const ends = agents.map((agent) => agent.certificate_expires);
  const heard = agents.flatMap((agent) => agent.last_audit_event ?? []);
  return {
    cluster, freshness: freshness(cluster), last_seen: cluster.last_seen,
    tier: connected.flatMap((agent) => agent.capabilities.flatMap((each) => each.tier ?? [])).sort()[0] ?? null,
    agents: {
      cluster_agents: agents.filter((agent) => agent.role === "cluster_agent").length,
      sensors: agents.filter((agent) => agent.role === "sensor").length,
      connected: connected.length,
      outdated: connected.filter((agent) => agent.version !== "0.1.0").length,
    },
    versions: [...new Set(agents.map((agent) => agent.version))], capabilities: capabilities(agents), dropped: agents.flatMap((agent) => agent.dropped),
    last_audit_event: heard.length === 0 ? null : Math.max(...heard), audit_events: agents.reduce((sum, agent) => sum + agent.audit_events, 0),
    certificate_expires: ends.length === 0 ? null : Math.min(...ends), admission: admission(world, cluster, now),
  };
}

type Row = [id: string, title: string, pillar: string, description: string, states: SupportState[], needs: string[]];

const ROWS: readonly Row[] = [
  ["assessment", "Cluster security assessment", "hardening", "Controls on pods and their owners, with evidence and a fix.", ["ga", "ga", "ga", "ga"], ["agent"]],
  ["admission", "Admission control", "hardening", "Requests that fail a control are recorded, warned about or refused.", ["ga", "ga", "preview", "ga"], ["agent"]],
  ["manifest-scan", "Manifest and chart scanning", "hardening", "The same controls over files in a pipeline, before anything runs.", ["ga", "ga", "ga", "ga"], []],
  ["node-benchmarks", "Benchmarks of nodes", "hardening", "CIS checks of kubelet and control plane files.", ["planned", "planned", "planned", "planned"], ["sensor"]],
  ["running-images", "Images on nodes", "vulnerability", "Packages of the images that containerd or CRI-O holds.", ["ga", "ga", "ga", "ga"], ["sensor"]],
  ["registries", "Images in registries", "vulnerability", "Scans what is pushed, before it runs.", ["planned", "planned", "planned", "planned"], []],
  ["processes", "Detections on processes", "runtime", "Shells, tools and drift, with the whole process tree.", ["ga", "ga", "ga", "ga"], ["exec", "fork", "exit", "existing_processes"]],
  ["connections", "Detections on connections", "runtime", "Reverse shells and outbound connections by process.", ["ga", "ga", "preview", "ga"], ["connect"]],
  ["files", "Detections on files", "runtime", "Credential files and tokens read by tools.", ["ga", "ga", "preview", "ga"], ["open"]],
  ["io-uring", "Requests through io_uring", "runtime", "Files and connections opened past the usual system calls.", ["preview", "preview", "preview", "preview"], ["io_uring"]],
  ["audit-events", "Detections on the API's use", "runtime", "Exec into pods, privileged bindings and sensitive mounts, from the API server's audit events.", ["unsupported", "unsupported", "unsupported", "ga"], ["agent", "audit"]],
];

function feature([id, title, pillar, description, states, needs]: Row): Feature {
  const state = (index: number) => ({ state: states[index] ?? ("planned" as const), since: states[index] === "planned" || states[index] === "unsupported" ? null : "0.1.0" });
  return { id, title, pillar, description, support: { aks: state(0), eks: state(1), gke: state(2), "on-prem": state(3) }, os: ["linux"], needs };
}

const WORST_FIRST: readonly Working[] = ["not working", "unknown", "partial", "working"];

/** How a need is met, by the hub's rules; the reason is empty where it is. */
function met(need: string, agents: readonly Agent[]): [working: Working, reason: string] {
  const connected = agents.filter((agent) => agent.connected);
  const there = (known: boolean, lacking: string): [Working, string] => (known ? ["working", ""] : ["unknown", lacking]);
  if (need === "agent") return there(connected.some((agent) => agent.role === "cluster_agent"), "no cluster agent is connected");
  if (need === "sensor") return there(connected.some((agent) => agent.role === "sensor"), "no sensor is connected");
  if (need === "audit") return there(connected.some((agent) => agent.last_audit_event !== null), "no audit events received");
  const found = capabilities(agents).find((each) => each.name === need);
  if (!found) return ["unknown", "no sensor has reported"];
  const { full, partial, absent, unknown, reasons: [reason = ""] } = found;
  if (full + partial + absent === 0) return ["unknown", reason];
  if (full + partial === 0) return ["not working", reason];
  return [partial + absent + unknown === 0 ? "working" : "partial", reason];
}

function featuresIn(cluster: Cluster, all: readonly Feature[], agents: readonly Agent[]): ClusterFeatures {
  const working: Record<string, Working> = {};
  const reasons: Record<string, string[]> = {};
  for (const { id, needs } of all) {
    const found = needs.map((need) => [need, ...met(need, agents)] as const);
    working[id] = WORST_FIRST.find((word) => found.some((each) => each[1] === word)) ?? "working";
    const why = found.flatMap(([need, , reason]) => (reason === "" ? [] : [`${need}: ${reason}`]));
    if (why.length > 0) reasons[id] = why;
  }
  return { cluster: cluster.name, id: cluster.id, working, reasons };
}

export function features(world: World): Features {
  const all = ROWS.map(feature);
  const counted = capabilities(world.agents.filter((agent) => !agent.revoked));
  return {
    version: "0.1.0", environments: ["aks", "eks", "gke", "on-prem"], features: all,
    capabilities: counted.map(({ name, full, partial, absent, unknown }) => ({ name, full, partial, absent, unknown })),
    clusters: world.clusters.map((cluster) => featuresIn(cluster, all, agentsOf(world, cluster))),
  };
}
