import { expect, test } from "vitest";
import type { TriedSet, TrialSums } from "../../api/types";
import { isRaise, joined, notYet, refusals, sampleName, textMistake } from "./trial";

const NONE = { judged: 0, refused: 0, warned: 0, undecided: 0 };

function sums(clusters: number, objects = 0, requests = 0): TrialSums {
  return { clusters, objects: { ...NONE, refused: objects }, requests: { ...NONE, refused: requests } };
}

test("only what warns or refuses more than before is a raise", () => {
  expect(isRaise("audit", "deny")).toBe(true);
  expect(isRaise("warn", "deny")).toBe(true);
  expect(isRaise("deny", "warn")).toBe(false);
  expect(isRaise("off", "audit")).toBe(false);
  expect(isRaise("deny", "deny")).toBe(false);
});

test("what nobody tried refuses an unknown number, never none", () => {
  expect(refusals(sums(0))).toBeNull();
  expect(refusals(sums(1))).toBe("0 objects and 0 requests");
  expect(refusals(sums(2, 1, 1200))).toBe("1 object and 1,200 requests");
});

test("a set is raised once every connected cluster tried it", () => {
  const set = (trials: TrialSums, untried: string[]) => ({ action: "audit", trials, untried }) as unknown as TriedSet;
  expect(notYet(set(sums(1), []), "deny")).toBeNull();
  expect(notYet(set(sums(1), ["prod-1", "edge"]), "warn")).toContain("prod-1, edge");
  expect(notYet(set(sums(0), []), "deny")).toContain("No cluster");
  expect(notYet(set(sums(0), ["prod-1"]), "off")).toBeNull();
});

test("files become one text", () => {
  expect(joined(["a: 1", "b: 2\n", ""])).toBe("a: 1\n---\nb: 2\n---\n");
  expect(textMistake("é".repeat(262_144))).toBeNull();
  expect(textMistake("é".repeat(262_145))).toContain("512 KiB");
});

test("samples are named by their place", () => {
  const resource = { apiVersion: "v1", kind: "Pod", namespace: "shop", name: "", uid: null };
  const sample = { policy: "p", outcome: "refused" as const, message: "m", user: null, resource };
  expect(sampleName(sample)).toBe("shop / Pod/(name to be generated)");
  expect(sampleName({ ...sample, resource: { ...resource, namespace: null, name: "a" } })).toBe("Pod/a");
});
