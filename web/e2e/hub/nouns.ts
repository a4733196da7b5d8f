// Each noun of the mock: its rows, the fields of its filter, its default order.
import type { FilterField, Page } from "../../src/api/types";
import { listing } from "./listing";
import { entryOf } from "./policy-sets";
import type { Fields } from "./select";
import type { World } from "./world";

interface Noun<T> {
  rows: (world: World) => readonly T[];
  fields: Fields<T>;
  list: (world: World, query: URLSearchParams) => Page<T>;
  completions: FilterField[];
}

const TYPES: Record<string, string> = { severity: "severity", count: "number", last: "time", first: "time", kev: "bool", fixable: "number", time: "time", from: "time", to: "time" };
const WORDS: Record<string, string[]> = {
  severity: ["critical", "high", "medium", "low", "info", "unknown"],
  state: ["active", "in_progress", "resolved", "dismissed"],
  kev: ["true", "false"],
  kind: ["control", "vulnerability"],
  verdict: ["denied", "warned", "audited"],
  reason: ["restart", "unreachable", "expired", "timeout"],
};

function noun<T>(rows: (world: World) => readonly T[], sort: string, fields: Fields<T>): Noun<T> {
  const completions = Object.keys(fields).map((name) => {
    const values = WORDS[name];
    return { name, type: TYPES[name] ?? (values ? "word" : "text"), ...(values && { values }) };
  });
  return { rows, fields, completions, list: (world, query) => listing(rows(world), query, fields, sort) };
}

export const NOUNS = {
  alerts: noun((world) => world.alerts, "-last", {
    severity: (alert) => alert.severity, state: (alert) => alert.state, detection: (alert) => alert.detection,
    namespace: (alert) => alert.where.namespace, cluster: (alert) => alert.where.cluster, workload: (alert) => alert.where.workload,
    pod: (alert) => alert.where.pod, node: (alert) => alert.where.node, count: (alert) => alert.count, last: (alert) => alert.last, first: (alert) => alert.first,
  }),
  events: noun((world) => world.events, "-time", { alert: (event) => event.alert, time: (event) => event.time }),
  findings: noun((world) => world.findings, "-severity", {
    severity: (finding) => finding.severity, kind: (finding) => finding.kind, rule: (finding) => finding.rule, state: (finding) => finding.state,
    scope: (finding) => finding.scope, namespace: (finding) => finding.namespace,
    framework: (finding) => (finding.detail.kind === "control" ? finding.detail.frameworks : []),
    resource: (finding) => finding.resource, resource_key: (finding) => finding.resource_key, kev: (finding) => finding.kev, package: (finding) => finding.package,
  }),
  recommendations: noun((world) => world.recommendations, "-severity", {
    severity: (item) => item.severity, kind: (item) => item.kind, status: (item) => item.status, owner: (item) => item.owner,
    affected: (item) => item.affected, title: (item) => item.title, due: (item) => item.due, last: (item) => item.last,
  }),
  images: noun((world) => world.images, "-last", {
    name: (image) => image.name, fixable: (image) => image.fixable, last: (image) => image.last, first: (image) => image.first,
  }),
  clusters: noun((world) => world.clusters, "name", { name: (cluster) => cluster.name, kind: (cluster) => cluster.kind }),
  agents: noun((world) => world.agents, "name", { name: (agent) => agent.name, cluster: (agent) => agent.cluster, scope: (agent) => agent.scope, last: (agent) => agent.last_seen }),
  assets: noun((world) => world.assets, "name", { name: (asset) => asset.name, kind: (asset) => asset.kind, namespace: (asset) => asset.namespace, cluster: (asset) => asset.cluster }),
  packages: noun(
    (world) =>
      world.images.length === 0 ? [] : ["django", "pyyaml", "requests", "libc6", "golang.org/x/net"].map((name, index) => ({
        id: `package-${index}`, ecosystem: index < 3 ? "pypi" : index === 3 ? "debian" : "go", name, version: `${index + 1}.${index}.2`, images: 6 - index, nodes: index === 3 ? 3 : 0,
      })),
    "name",
    { name: (found) => found.name, ecosystem: (found) => found.ecosystem, images: (found) => found.images, nodes: (found) => found.nodes },
  ),
  decisions: noun((world) => world.decisions, "-time", {
    verdict: (decision) => decision.verdict, control: (decision) => decision.controls.map((each) => each.control),
    namespace: (decision) => decision.resource.namespace, cluster: (decision) => decision.cluster, scope: (decision) => decision.scope, kind: (decision) => decision.resource.kind,
    name: (decision) => decision.resource.name, user: (decision) => decision.user, operation: (decision) => decision.operation, time: (decision) => decision.time,
  }),
  gaps: noun((world) => world.gaps, "-to", { cluster: (gap) => gap.cluster, scope: (gap) => gap.scope, reason: (gap) => gap.reason, from: (gap) => gap.from, to: (gap) => gap.to }),
  "policy-sets": noun((world) => world.policySets.map((set) => entryOf(world, set)), "name", {
    name: (set) => set.name, action: (set) => set.action, scope: (set) => set.scope, version: (set) => set.version, updated: (set) => set.updated,
  }),
  trials: noun((world) => world.trials, "-time", {
    set: (trial) => trial.set, version: (trial) => trial.version, cluster: (trial) => trial.cluster, objects_refused: (trial) => trial.objects.refused, time: (trial) => trial.time,
  }),
  assignments: noun((world) => world.assignments, "", {}),
  scopes: noun((world) => world.scopes, "", {}),
  exemptions: noun((world) => world.exemptions, "", { state: (exemption) => exemption.state, expires: (exemption) => exemption.expires, created: (exemption) => exemption.created }),
  users: noun((world) => world.users, "", {}),
  roles: noun((world) => world.roles, "", {}),
  tokens: noun((world) => world.tokens, "", {}),
  enrolments: noun((world) => world.enrolments, "", {}),
  audit: noun((world) => world.audit, "", { actor: (entry) => entry.actor, action: (entry) => entry.action }),
};

export type NounName = keyof typeof NOUNS;
