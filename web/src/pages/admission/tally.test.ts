import { expect, test } from "vitest";
import type { StoredDecision } from "../../api/types";
import { tally } from "./tally";

const decision = (verdict: string, namespace: string | null, controls: string[]) =>
  ({ verdict, cluster: "prod", resource: { namespace }, controls: controls.map((control) => ({ control, title: `title of ${control}` })) }) as StoredDecision;

test("the most frequent comes first, nothing is counted for what is null", () => {
  const counts = tally([decision("denied", "b", ["C2"]), decision("denied", "a", ["C1", "C2"]), decision("audited", null, ["C2"]), decision("warned", "b", [])]);
  expect([...counts.verdict]).toEqual([["denied", 2], ["audited", 1], ["warned", 1]]);
  expect(counts.control).toEqual([
    { value: "C2", count: 3, title: "title of C2" },
    { value: "C1", count: 1, title: "title of C1" },
  ]);
  expect(counts.namespace).toEqual([{ value: "b", count: 2 }, { value: "a", count: 1 }]);
  expect(counts.cluster).toEqual([{ value: "prod", count: 4 }]);
});
