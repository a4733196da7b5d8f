// What is claimed of features, beside what the probes of connected clusters say.
import type { CapabilityCount, ClusterFeatures, Feature, Features, SupportState, Working } from "../../api/types";
import { share } from "../clusters/status";

/** Worst first. */
export const WORKING: readonly Working[] = ["not working", "partial", "unknown", "working"];

export function worksIn(cluster: ClusterFeatures, feature: Feature): Working {
  return cluster.working[feature.id] ?? "unknown";
}

/** Why it does not fully work there. */
export function reasonsIn(cluster: ClusterFeatures, feature: Feature): string[] {
  return cluster.reasons[feature.id] ?? [];
}

/** Needs that are no capability of a sensor. */
const OTHER_NEEDS: Record<string, string> = {
  agent: "a connected cluster agent",
  sensor: "a connected sensor",
  audit: "audit events of the API server",
};

/** What the agents of all clusters say of a need. */
export function needText(name: string, capabilities: readonly CapabilityCount[]): string {
  const other = OTHER_NEEDS[name];
  if (other !== undefined) return other;
  const found = capabilities.find((each) => each.name === name);
  return (found && share(found)) || "unknown: no agent reports it";
}

const CLAIMED: readonly SupportState[] = ["ga", "preview"];

/** Whether it should work anywhere; what is only planned breaks no promise. */
export function claimed({ support }: Feature): boolean {
  return Object.values(support).some((each) => CLAIMED.includes(each.state));
}

/** Features that are claimed and do not fully work in a cluster. */
export function broken({ features, clusters }: Features): { feature: Feature; clusters: ClusterFeatures[] }[] {
  return features
    .filter(claimed)
    .map((feature) => ({
      feature,
      clusters: clusters.filter((cluster) => ["not working", "partial"].includes(worksIn(cluster, feature))),
    }))
    .filter((each) => each.clusters.length > 0);
}

export interface WorkingCount {
  working: Working;
  count: number;
}

/** How many clusters it works in, worst first. */
export function counts(feature: Feature, clusters: readonly ClusterFeatures[]): WorkingCount[] {
  return WORKING.map((working) => ({
    working,
    count: clusters.filter((cluster) => worksIn(cluster, feature) === working).length,
  })).filter((each) => each.count > 0);
}

/** In the order of the file; words match anywhere in a feature's texts. */
export function byPillar(features: readonly Feature[], text: string): [pillar: string, features: Feature[]][] {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const groups = new Map<string, Feature[]>();
  for (const feature of features) {
    const all = [feature.id, feature.title, feature.description, feature.pillar, ...feature.needs].join(" ").toLowerCase();
    if (!words.every((word) => all.includes(word))) continue;
    groups.set(feature.pillar, [...(groups.get(feature.pillar) ?? []), feature]);
  }
  return [...groups];
}

const ENVIRONMENT_TITLES: Record<string, string> = { aks: "AKS", eks: "EKS", gke: "GKE", "on-prem": "On-prem" };

/** A newer hub may know more environments. */
export function environmentTitle(environment: string): string {
  return ENVIRONMENT_TITLES[environment] ?? environment;
}
