// What a row of the Clusters page sums up.
import { queryOptions } from "@tanstack/react-query";
import { documentQuery } from "../../api/queries";
import type { CapabilityCount, CapabilityHealth, Cluster, ClusterHealth, Millis, Statuses, StoredGap } from "../../api/types";
import { quote } from "../../filter/lex";
import { count, plural } from "../../format/text";
import type { CapabilityState } from "../../parts/capabilities";
import type { Tone } from "../../parts/tag";

export const KINDS: Record<Cluster["kind"], string> = { kubernetes: "Kubernetes", machine: "Machine" };

/** What to run where no audit event arrives. */
export const AUDIT_COMMAND = "kubectl -n seawall exec deploy/seawall-agent -- /seawall agent --print-audit-kubeconfig --audit-server https://$(kubectl -n seawall get service seawall-audit -o jsonpath={.spec.clusterIP})";

/** What a cluster's own agents, decisions and gaps have in common: its name may be another's too. */
export function hereFilter({ scope }: Pick<Cluster, "scope">): string {
  return `scope:${quote(scope)}`;
}

/** Milliseconds. A cluster that falls silent sends no event, so its age needs a question now and then. */
const INTERVAL = 30_000;

export const statusQuery = queryOptions({
  ...documentQuery<Statuses>("clusters/status"),
  refetchInterval: INTERVAL,
});

export function droppedTotal({ dropped }: ClusterHealth): number {
  return dropped.reduce((sum, each) => sum + each.count, 0);
}

/** Agents differ within a cluster; the weakest says how far it can be trusted to see. */
export function weakest({ full, partial, absent, unknown }: CapabilityCount): CapabilityState {
  if (absent > 0) return "absent";
  if (partial > 0) return "partial";
  if (full === 0) return "unknown";
  // Agents that are away see nothing.
  return unknown > 0 ? "partial" : "full";
}

/** `3 full, 1 absent`. */
export function share(each: CapabilityCount): string {
  return (["full", "partial", "absent", "unknown"] as const)
    .filter((state) => each[state] > 0)
    .map((state) => `${count(each[state])} ${state}`)
    .join(", ");
}

/** `2 partial, 1 absent`; empty where every capability is full. */
export function weaknesses(capabilities: readonly CapabilityHealth[]): string {
  const states = capabilities.map(weakest);
  return (["partial", "absent", "unknown"] as const)
    .map((state) => [state, states.filter((each) => each === state).length] as const)
    .filter(([, found]) => found > 0)
    .map(([state, found]) => `${found} ${state}`)
    .join(", ");
}

/** Milliseconds. Agents renew with a quarter of their seven days left; less than this means that it failed. */
const RENEWAL_OVERDUE = 24 * 3_600_000;

export function certificateTone(expires: Millis, now: Millis): Tone | null {
  if (expires <= now) return "bad";
  return expires - now < RENEWAL_OVERDUE ? "warn" : null;
}

/** Milliseconds. As long as `gaps_24h` counts. */
const RECENT = 24 * 3_600_000;

/** The newest gap, if it ended not long ago. */
export function recentGap({ admission: { last_gap } }: ClusterHealth, now: Millis): StoredGap | null {
  return last_gap && now - last_gap.to < RECENT ? last_gap : null;
}

/** `1 agent, 3 sensors`. */
export function agentKinds({ agents }: ClusterHealth): string {
  const kinds = [
    agents.cluster_agents > 0 ? plural(agents.cluster_agents, "agent") : "",
    agents.sensors > 0 ? plural(agents.sensors, "sensor") : "",
  ];
  return kinds.filter((kind) => kind !== "").join(", ");
}

/** `2 deny, 1 warn`; empty where nothing is judged. */
export function policyCounts(policies: Pick<ClusterHealth["admission"], "deny" | "warn" | "audit">): string {
  return (["deny", "warn", "audit"] as const)
    .filter((action) => policies[action] > 0)
    .map((action) => `${policies[action]} ${action}`)
    .join(", ");
}
