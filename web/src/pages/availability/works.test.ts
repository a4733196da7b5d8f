import { expect, test } from "vitest";
import type { ClusterFeatures, Feature, Features, SupportState } from "../../api/types";
import { broken, byPillar, counts, needText, reasonsIn, worksIn } from "./works";

const feature = (id: string, pillar: string, state: SupportState = "ga"): Feature => ({
  id, title: `The ${id}`, pillar, description: "", support: { aks: { state, since: null } }, os: ["linux"], needs: ["exec"],
});
const cluster = (name: string, working: ClusterFeatures["working"], reasons: ClusterFeatures["reasons"] = {}): ClusterFeatures => ({
  cluster: name, id: name, working, reasons,
});

const shell = feature("shell", "runtime");
const drift = feature("drift", "runtime", "planned");
const gate = feature("gate", "hardening", "preview");
const prod = cluster("prod", { shell: "working", drift: "not working", gate: "partial" }, { gate: ["no audit"], shell: ["a", "b"] });
const lab = cluster("lab", { shell: "not working", gate: "not working" });
const features = { features: [shell, drift, gate], clusters: [prod, lab] } as unknown as Features;

test("what no probe speaks of is unknown", () => {
  expect(worksIn(lab, drift)).toBe("unknown");
  expect(reasonsIn(prod, gate)).toEqual(["no audit"]);
  expect(reasonsIn(prod, shell)).toEqual(["a", "b"]);
  expect(reasonsIn(lab, shell)).toEqual([]);
});

test("only what is claimed can be broken", () => {
  expect(broken(features).map((each) => [each.feature.id, each.clusters.map((one) => one.id)])).toEqual([["shell", ["lab"]], ["gate", ["prod", "lab"]]]);
});

test.each([
  ["exec", "2 full, 1 unknown"],
  ["open", "3 unknown"],
  ["connect", "unknown: no agent reports it"],
  ["bpf", "unknown: no agent reports it"],
  ["agent", "a connected cluster agent"],
])("what is said of the need %s", (name, expected) => {
  const count = (of: string, full: number, unknown: number) => ({ name: of, full, partial: 0, absent: 0, unknown });
  expect(needText(name, [count("exec", 2, 1), count("open", 0, 3), count("connect", 0, 0)])).toBe(expected);
});

test("counts, worst first", () => {
  expect(counts(shell, features.clusters)).toEqual([{ working: "not working", count: 1 }, { working: "working", count: 1 }]);
  expect(counts(gate, [])).toEqual([]);
});

test.each([
  ["", [["runtime", ["shell", "drift"]], ["hardening", ["gate"]]]],
  ["the EXEC gate", [["hardening", ["gate"]]]],
  ["nothing", []],
])("found by %j", (text, expected) => {
  expect(byPillar(features.features, text).map(([pillar, found]) => [pillar, found.map((each) => each.id)])).toEqual(expected);
});
