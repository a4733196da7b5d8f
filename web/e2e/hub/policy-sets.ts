// Users' policy sets and their trials, and the rule that a set refuses only after it was tried.
import type {
  PolicyAction, PolicySetEntry, StoredTrial, Tried, TriedSet, TrialOutcome, TrialSample, TrialSums,
} from "../../src/api/types";
import { PROD, STAGING } from "./estate";
import { uuid } from "./random";
import { Refusal } from "./refusal";
import type { World } from "./world";

const MINUTE = 60_000;
const DAY = 86_400_000;

/** As the hub keeps it. */
export type PolicySet = Omit<TriedSet, "trials" | "untried">;

const REPLICAS = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: replica-limit
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
      - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
    - expression: object.spec.replicas <= 5
      messageExpression: "'has ' + string(object.spec.replicas) + ' replicas; at most 5'"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: replica-limit
spec:
  policyName: replica-limit
  validationActions: [Deny]
`;

const OWNERS = `apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata:
  name: k8srequiredlabels
spec:
  crd: {spec: {names: {kind: K8sRequiredLabels}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package k8srequiredlabels
        violation[{"msg": msg}] {
          not input.review.object.metadata.labels.owner
          msg := "every namespaced object names its owner"
        }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sRequiredLabels
metadata:
  name: owner
spec:
  match:
    kinds: [{apiGroups: [apps], kinds: [Deployment, StatefulSet]}]
`;

const size = (text: string) => new TextEncoder().encode(text).length;

export function policySets(now: number): PolicySet[] {
  const set = (name: string, scope: string, text: string, action: PolicyAction, days: number, version: number): PolicySet => ({
    id: uuid(), name, scope, text, version, action, created: now - 40 * DAY, updated: now - days * DAY, revision: version + 1,
  });
  return [
    set("ownership", "/org/", OWNERS, "audit", 3, 2),
    set("platform limits", PROD.scope, REPLICAS, "deny", 12, 4),
    set("registry rules of the storefront team", PROD.scope, REPLICAS.replaceAll("replica-limit", "trusted-registries"), "audit", 0, 1),
    set("images of prod", PROD.scope, REPLICAS.replaceAll("replica-limit", "image-digests"), "warn", 6, 3),
    set("retired library", STAGING.scope, OWNERS, "off", 30, 7),
  ];
}

function sample(outcome: TrialOutcome, policy: string, message: string, at: [kind: string, namespace: string, name: string], user: string | null): TrialSample {
  const [kind, namespace, name] = at;
  return { policy, outcome, message, user, resource: { apiVersion: "apps/v1", kind, namespace, name, uid: null } };
}

export function trials(now: number, sets: readonly PolicySet[]): StoredTrial[] {
  const [ownership, limits, , images] = sets;
  if (!ownership || !limits || !images) return [];
  const tried = (judged: number, refused: number, warned = 0, undecided = 0): Tried => ({ judged, refused, warned, undecided });
  const owner = (name: string, user: string | null = null) =>
    sample("refused", "K8sRequiredLabels/owner", "every namespaced object names its owner", ["Deployment", "shop", name], user);
  const base = (set: PolicySet, cluster: typeof PROD) => ({ id: uuid(), set: set.id, version: set.version, scope: cluster.scope, cluster: cluster.name, problems: [] });
  return [
    {
      ...base(ownership, PROD), time: now - 9 * MINUTE, took: 412, objects: tried(214, 37), requests: tried(1_208, 6, 0, 2),
      samples: [
        owner("cart", "system:serviceaccount:argocd:argocd-application-controller"),
        ...["web", "checkout", "report-with-a-rather-long-name-for-the-nightly-export", "mail", "search", "queue"].map((name) => owner(name)),
        sample("undecided", "K8sRequiredLabels/owner", "data.inventory of kind Widget is not at hand", ["StatefulSet", "data", "orders-db"], null),
      ],
    },
    {
      ...base(ownership, STAGING), time: now - 2 * DAY, version: 1, took: 96, objects: tried(41, 3), requests: tried(0, 0), samples: [owner("web")],
      problems: ["error[policy]: K8sUniqueIngressHost hosts: missing ConstraintTemplate \"k8suniqueingresshost\""],
    },
    {
      ...base(images, PROD), time: now - 17 * MINUTE, took: 140, objects: tried(96, 4, 0, 1), requests: tried(310, 2), samples: [
        sample("refused", "ValidatingAdmissionPolicy/image-digests", "image `shop/web:1.8.2` has no digest", ["Deployment", "shop", "web"], "oidc:ines@example.org"),
        ...["cart", "mail", "report"].map((name) => sample("refused", "ValidatingAdmissionPolicy/image-digests", `image \`shop/${name}:2\` has no digest`, ["Deployment", "shop", name], null)),
      ],
    },
    {
      ...base(limits, PROD), time: now - 31 * MINUTE, took: 88, objects: tried(96, 1, 0), requests: tried(310, 0), samples: [
        sample("refused", "ValidatingAdmissionPolicy/replica-limit", "has 12 replicas; at most 5", ["Deployment", "ingress", "edge-proxy"], null),
      ],
    },
  ];
}

function sums(world: World, set: PolicySet): TrialSums {
  const own = world.trials.filter((trial) => trial.set === set.id && trial.version === set.version);
  const sum = (of: (trial: StoredTrial) => Tried, count: keyof Tried) => own.reduce((all, trial) => all + of(trial)[count], 0);
  const all = (of: (trial: StoredTrial) => Tried): Tried => ({
    judged: sum(of, "judged"), refused: sum(of, "refused"), warned: sum(of, "warned"), undecided: sum(of, "undecided"),
  });
  return { clusters: own.length, objects: all((trial) => trial.objects), requests: all((trial) => trial.requests) };
}

export function entryOf(world: World, set: PolicySet): PolicySetEntry {
  const { text, ...rest } = set;
  return { ...rest, size: size(text), trials: sums(world, set) };
}

export function triedSet(world: World, set: PolicySet): TriedSet {
  const connected = world.agents.filter((agent) => agent.role === "cluster_agent" && agent.connected && agent.scope.startsWith(set.scope));
  const has = (scope: string) => world.trials.some((trial) => trial.set === set.id && trial.version === set.version && trial.scope === scope);
  const untried = connected.filter((agent) => !has(agent.scope)).map((agent) => agent.cluster);
  return { ...set, trials: sums(world, set), untried: [...new Set(untried)].toSorted() };
}

/** Makes or changes a set; the text is not read beyond the one word that no policy lacks. */
export function saveSet(world: World, before: PolicySet | null, body: Record<string, unknown>): PolicySet {
  const text = String(body.text);
  const action = body.action as PolicyAction;
  const refuses = action === "warn" || action === "deny";
  if (!text.includes("kind:")) throw new Refusal(400, "line 1: the document has no apiVersion and kind", "/text");
  if (refuses && !before) throw new Refusal(400, "begins at `audit` or `off`", "/action");
  if (refuses && before && text !== before.text) throw new Refusal(409, "a new text begins at `audit`", null, "/problems/transition");
  if (refuses && before?.action !== "deny" && before) {
    const { untried, version } = triedSet(world, before);
    if (untried.length > 0) throw new Refusal(409, `version ${version} has not been tried in ${untried.join(", ")}`, null, "/problems/untried");
  }
  const version = before ? before.version + Number(text !== before.text) : 1;
  const saved: PolicySet = {
    id: before?.id ?? uuid(), name: String(body.name), scope: before?.scope ?? String(body.scope), text, version, action,
    created: before?.created ?? Date.now(), updated: Date.now(), revision: (before?.revision ?? 0) + 1,
  };
  world.policySets = before ? world.policySets.map((each) => (each === before ? saved : each)) : [...world.policySets, saved];
  return saved;
}

export function deleteSet(world: World, set: PolicySet): void {
  world.policySets = world.policySets.filter((each) => each !== set);
  world.trials = world.trials.filter((trial) => trial.set !== set.id);
}
