import { expect, test } from "vitest";
import type { DecidedControl, StoredDecision } from "../../api/types";
import { asker, byWeight, fixCommand, madeBy, resourceName } from "./decided";

const FIX = [{ op: "remove", path: "/spec/hostPID" }];

function decision(change: Partial<StoredDecision> & { name?: string }): StoredDecision {
  const { name = "web", ...rest } = change;
  return {
    id: "d", scope: "/org/", cluster: "prod", time: 0, verdict: "denied", operation: "CREATE", owner: null, user: "u", groups: [],
    controls: [], agent: "a", resource: { apiVersion: "v1", kind: "Pod", namespace: "shop", name, uid: null }, ...rest,
  };
}

test.each([
  [decision({}), "Fix the manifest with kubectl", `kubectl patch --local --filename FILE.yaml --type=json --patch '[{"op":"remove","path":"/spec/hostPID"}]' --output yaml`],
  [decision({ verdict: "warned" }), "Fix with kubectl", `kubectl patch pod web --namespace shop --type=json --patch '[{"op":"remove","path":"/spec/hostPID"}]'`],
  [decision({ operation: "UPDATE" }), "Fix with kubectl", `kubectl patch pod web --namespace shop --type=json --patch '[{"op":"remove","path":"/spec/hostPID"}]'`],
  [decision({ verdict: "audited", name: "" }), "Fix the manifest with kubectl", `kubectl patch --local --filename FILE.yaml --type=json --patch '[{"op":"remove","path":"/spec/hostPID"}]' --output yaml`],
])("fix %#", (given, label, command) => {
  expect(fixCommand(given, FIX)).toEqual({ label, command });
});

test("names", () => {
  expect(resourceName(decision({}))).toBe("Pod/web");
  expect(resourceName(decision({ name: "" }))).toBe("Pod/(name to be generated)");
  expect(madeBy(decision({ owner: "Deployment/web" }))).toBe("Deployment/web");
  expect(madeBy(decision({ owner: "Pod/web" }))).toBeNull();
  expect(madeBy(decision({}))).toBeNull();
});

test("what was only told comes last", () => {
  const control = (id: string, already_failing: boolean) => ({ control: id, already_failing }) as DecidedControl;
  expect(byWeight([control("a", true), control("b", false)]).map((each) => each.control)).toEqual(["b", "a"]);
});

test.each([
  ["system:serviceaccount:kube-system:job-controller", { name: "job-controller", about: "service account in kube-system" }],
  ["oidc:ines@example.org", { name: "oidc:ines@example.org", about: null }],
  ["system:admin", { name: "system:admin", about: null }],
])("%s", (user, expected) => {
  expect(asker(user)).toEqual(expected);
});
