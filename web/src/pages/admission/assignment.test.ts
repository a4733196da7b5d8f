import { expect, test } from "vitest";
import type { Assignment, Control } from "../../api/types";
import { lex } from "../../filter/lex";
import { badLabel, blankForm, bodyOf, failingFilter, formOf, paramsText, readParams, targets, targetTitle } from "./assignment";

const ASSIGNMENT: Assignment = {
  id: "a", target: "control:SW-C-0001", scope: "/org/shop/", namespaces: ["shop", "web-*"], excluded_namespaces: ["tools"],
  labels: [["team", "a=b"]], kinds: ["Pod"], action: "deny", params: { windowsExempt: false }, created: 1, updated: 2, revision: 3,
};

test("a form gives back what it was made from", () => {
  const { id, created, updated, revision, ...body } = ASSIGNMENT;
  expect([id, created, updated, revision]).toEqual(["a", 1, 2, 3]);
  expect(bodyOf(formOf(ASSIGNMENT))).toEqual(body);
});

test("nothing is sent while something is missing or wrong", () => {
  expect(bodyOf(blankForm("/org/"))).toBeNull();
  expect(bodyOf({ ...formOf(ASSIGNMENT), params: "[1]" })).toBeNull();
  expect(bodyOf({ ...formOf(ASSIGNMENT), labels: ["team"] })).toBeNull();
});

test.each([
  ["", { params: {} }],
  ['{"a": 1}', { params: { a: 1 } }],
  ["{a}", { mistake: "is no JSON" }],
  ["3", { mistake: 'must be a JSON object such as {"name": true}' }],
  ["null", { mistake: 'must be a JSON object such as {"name": true}' }],
])("parameters %s", (text, expected) => {
  expect(readParams(text)).toEqual(expected);
});

test.each([
  [["a=b", "a/b="], null],
  [["a=b", "=c"], "“=c” is no label: write name=value"],
])("labels %j", (labels, expected) => {
  expect(badLabel(labels)).toBe(expected);
});

test.each([
  [{}, "kind:control state:unhealthy rule:SW-C-0001 scope:/org/shop/* namespace:shop,web-* -namespace:tools resource:Pod/*"],
  [{ namespaces: [], excluded: [], kinds: [] }, "kind:control state:unhealthy rule:SW-C-0001 scope:/org/shop/*"],
  [{ namespaces: ["*-shop"], excluded: ["a?"], kinds: ["a b"] }, "kind:control state:unhealthy rule:SW-C-0001 scope:/org/shop/*"],
  [
    { target: "framework:cis-k8s@1.12", namespaces: [], excluded: [], kinds: [] },
    "kind:control state:unhealthy framework:cis-k8s@1.12 scope:/org/shop/*",
  ],
  [
    { target: "framework:nsa-cisa", namespaces: [], excluded: [], kinds: [] },
    "kind:control state:unhealthy framework:nsa-cisa,nsa-cisa@* scope:/org/shop/*",
  ],
])("what fails today %#", (change, expected) => {
  const filter = failingFilter({ ...formOf(ASSIGNMENT), ...change });
  expect(filter).toBe(expected);
  expect(lex(filter ?? "").every((token) => token.kind === "term")).toBe(true);
});

const CONTROLS = [
  { id: "SW-C-0001", title: "Privileged container", frameworks: ["pss@1", "cis"], text: "id: x\nparams: {a: {type: boolean}} # why\nmatch: x" },
  { id: "SW-C-0002", title: "Host path", frameworks: ["cis"], text: "id: y\nparams:\n  a:\n    type: text\nmatch: x" },
  { id: "SW-C-0003", title: "None", frameworks: [], text: "id: z" },
] as unknown as Control[];

test("targets", () => {
  expect(targets(CONTROLS).map(({ items }) => items.map((item) => item.value))).toEqual([
    ["framework:cis", "framework:pss@1"],
    ["control:SW-C-0001", "control:SW-C-0002", "control:SW-C-0003"],
  ]);
  expect(targetTitle("control:SW-C-0002", CONTROLS)).toEqual({ title: "Host path", second: "SW-C-0002" });
  expect(targetTitle("control:SW-C-0099", CONTROLS)).toEqual({ title: "SW-C-0099", second: "SW-C-0099" });
  expect(targetTitle("framework:pss@1", CONTROLS)).toEqual({ title: "pss@1", second: "framework" });
});

test("parameters as the control's text has them", () => {
  expect(CONTROLS.map(paramsText)).toEqual(["{a: {type: boolean}} # why", "a:\n    type: text", null]);
});
