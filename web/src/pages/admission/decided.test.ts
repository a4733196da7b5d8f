import { expect, test } from "vitest";
import type { DecidedControl, StoredDecision } from "../../api/types";
import { asker, byWeight, fixCommand, madeBy, resourceName } from "./decided";

const FIX = [{ op: "remove", path: "/spec/hostPID" }];

function decision({ name = "web", kind = "Pod", ...rest }: Partial<StoredDecision> & { name?: string; kind?: string }): StoredDecision {
  return {
    id: "d", scope: "/org/", cluster: "prod", time: 0, verdict: "denied", operation: "CREATE", owner: null, user: "u", groups: [],
    controls: [], agent: "a", resource: { apiVersion: "v1", kind, namespace: "shop", name, uid: null }, ...rest,
  };
}

const MANIFEST = {
  label: "Fix the manifest with kubectl",
  command: `kubectl patch --local --filename FILE.yaml --type=json --patch '[{"op":"remove","path":"/spec/hostPID"}]' --output yaml`,
};
const THERE = {
  label: "Fix with kubectl",
  command: `kubectl patch deployment web --namespace shop --type=json --patch '[{"op":"remove","path":"/spec/hostPID"}]'`,
};

test.each([
  ["a new object was refused", decision({ kind: "Deployment" }), MANIFEST],
  ["an object was let in", decision({ kind: "Deployment", verdict: "warned" }), THERE],
  ["a change was refused", decision({ kind: "Deployment", operation: "UPDATE" }), THERE],
  ["the name was to be generated", decision({ kind: "Deployment", verdict: "audited", name: "" }), MANIFEST],
  ["a pod was refused", decision({}), MANIFEST],
  ["a pod was let in, and cannot be changed", decision({ verdict: "warned" }), MANIFEST],
  ["a pod's change was refused", decision({ operation: "UPDATE" }), MANIFEST],
])("the fix where %s", (_, given, expected) => {
  expect(fixCommand(given, FIX)).toEqual(expected);
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
