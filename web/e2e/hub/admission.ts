import type { Assignment, Control, DecidedControl, PolicyAction, StoredDecision, StoredGap, Verdict } from "../../src/api/types";
import { CONTROLS } from "./findings";
import { PROD, STAGING } from "./estate";
import { below, uuid } from "./random";

const MINUTE = 60_000;
const DAY = 86_400_000;

export function controls(): Control[] {
  return CONTROLS.map((control, index) => ({
    id: control.id, title: control.title, severity: control.severity, score_group: control.group, description: control.description,
    remediation: control.remediation, preview: false, path: `workload/${control.id.toLowerCase()}.yaml`,
    frameworks: ["cis-k8s@1.12", index < 2 ? "pss-baseline@1.36" : "pss-restricted@1.36", "nsa-cisa"],
    text: index === 2 ? `id: ${control.id}\nparams: {windowsExempt: {type: boolean, default: true}}\nmatch: workloads\n` : `id: ${control.id}\n`,
  }));
}

export function assignments(now: number): Assignment[] {
  const base = { namespaces: [], excluded_namespaces: [], labels: [], kinds: [], params: {}, created: now - 30 * DAY, revision: 1 };
  return [
    { ...base, id: uuid(), target: "framework:pss-baseline@1.36", scope: "/org/", action: "audit", updated: now - 30 * DAY },
    { ...base, id: uuid(), target: "control:SW-C-0001", scope: PROD.scope, action: "deny", excluded_namespaces: ["monitoring", "tools"], updated: now - 2 * DAY, revision: 4 },
    { ...base, id: uuid(), target: "control:SW-C-0003", scope: PROD.scope, action: "warn", namespaces: ["shop", "web-*"], labels: [["team", "storefront"]], kinds: ["Deployment", "Pod"], params: { windowsExempt: false }, updated: now - 5 * DAY },
    { ...base, id: uuid(), target: "control:SW-C-0004", scope: STAGING.scope, action: "off", updated: now - 9 * DAY },
  ];
}

const ACTIONS: Record<Verdict, PolicyAction> = { denied: "deny", warned: "warn", audited: "audit" };
const MESSAGES: Record<string, string> = {
  "SW-C-0001": "container `web` runs privileged: privileged must not be true",
  "SW-C-0002": "volume `run` mounts `/var/run` of the node: hostPath volumes are forbidden",
  "SW-C-0003": "container `web` may gain privileges: allowPrivilegeEscalation must be false",
  "SW-C-0004": "container `web` has no limits: cpu and memory must be limited",
};

function decided(id: string, verdict: Verdict, kind: string, policies: readonly Assignment[], already = false): DecidedControl {
  const control = CONTROLS.find((each) => each.id === id);
  if (!control) throw new Error(`no control ${id}`);
  const pod = (path: string) => (kind === "Pod" ? path.replace("/spec/template/spec", "/spec") : path);
  return {
    control: id, title: control.title, severity: control.severity, action: ACTIONS[verdict], message: MESSAGES[id] ?? control.title,
    assignment: policies.find((each) => each.target === `control:${id}`)?.id ?? policies[0]?.id ?? "",
    paths: [pod(control.path)], fix: control.fix.map((each) => ({ ...each, path: pod(each.path) })), already_failing: already,
  };
}

interface Request {
  verdict: Verdict;
  kind: string;
  name: string;
  namespace: string;
  user: string;
  at: number;
  controls: string[];
  operation?: string;
  owner?: string;
  cluster?: typeof PROD;
}

const CONTROLLER = "system:serviceaccount:kube-system:replicaset-controller";

export function decisions(now: number, policies: readonly Assignment[]): StoredDecision[] {
  const made: Request[] = [
    { verdict: "denied", kind: "Pod", name: "", namespace: "shop", user: CONTROLLER, at: 3, controls: ["SW-C-0001", "SW-C-0002", "SW-C-0003"], owner: "Deployment/debug-shell" },
    { verdict: "denied", kind: "Deployment", name: "debug-shell", namespace: "shop", user: "oidc:ines@example.org", at: 4, controls: ["SW-C-0001"] },
    { verdict: "warned", kind: "Deployment", name: "cart", namespace: "shop", user: "system:serviceaccount:argocd:argocd-application-controller", at: 22, controls: ["SW-C-0003", "SW-C-0004"], operation: "UPDATE" },
    { verdict: "audited", kind: "CronJob", name: "report-with-a-rather-long-name-for-the-nightly-export", namespace: "data", user: "oidc:tomas@example.org", at: 51, controls: ["SW-C-0004"] },
    { verdict: "audited", kind: "StatefulSet", name: "orders-db", namespace: "shop", user: "helm", at: 95, controls: ["SW-C-0002"], operation: "UPDATE", cluster: STAGING },
    { verdict: "denied", kind: "Pod", name: "web-1", namespace: "shop", user: "oidc:ines@example.org", at: 140, controls: ["SW-C-0001"], operation: "UPDATE" },
  ];
  const more = Array.from({ length: 60 }, (_, index): Request => ({
    verdict: "audited", kind: "Pod", name: `batch-${index}-${below(900)}`, namespace: ["data", "shop", "ingress"][index % 3] ?? "data", user: "system:serviceaccount:kube-system:job-controller",
    at: 180 + index * 9, controls: ["SW-C-0004"], owner: "CronJob/report",
  }));
  return [...made, ...more].map((each): StoredDecision => {
    const cluster = each.cluster ?? PROD;
    return {
      id: uuid(), scope: cluster.scope, cluster: cluster.name, time: now - each.at * MINUTE, verdict: each.verdict, operation: each.operation ?? "CREATE",
      resource: { apiVersion: each.kind === "Pod" ? "v1" : each.kind === "CronJob" ? "batch/v1" : "apps/v1", kind: each.kind, namespace: each.namespace, name: each.name, uid: null },
      owner: each.owner ?? null, user: each.user, groups: each.user.startsWith("oidc:") ? ["storefront", "system:authenticated"] : ["system:serviceaccounts", "system:authenticated"],
      controls: each.controls.map((id, index) => decided(id, index === 0 ? each.verdict : "audited", each.kind, policies, each.operation === "UPDATE" && index > 0)),
      agent: "seawall-agent-6d5f",
    };
  });
}

export function gaps(now: number): StoredGap[] {
  const in_ = (cluster: typeof PROD) => ({ id: uuid(), scope: cluster.scope, cluster: cluster.name });
  return [
    { ...in_(PROD), from: now - 5 * 60 * MINUTE, to: now - 5 * 60 * MINUTE + 41_000, requests: 17, reason: "restart" },
    { ...in_(STAGING), from: now - 30 * 60 * MINUTE, to: now - 28 * 60 * MINUTE, requests: null, reason: "unreachable" },
    { ...in_(PROD), from: now - 3 * DAY, to: now - 3 * DAY + 9_000, requests: 0, reason: "timeout" },
    { ...in_(PROD), from: now - 21 * DAY, to: now - 21 * DAY + 14 * MINUTE, requests: 204, reason: "expired" },
  ];
}
