import { expect, test } from "vitest";
import type { CapabilityHealth, ClusterHealth } from "../../api/types";
import { agentKinds, certificateTone, droppedTotal, hereFilter, policyCounts, recentGap, share, weakest, weaknesses } from "./status";

const capability = (full: number, partial: number, absent: number, unknown = 0): CapabilityHealth => ({
  name: "exec", full, partial, absent, unknown, reasons: [],
});

test.each([
  [capability(3, 0, 0), "full"],
  [capability(2, 1, 0), "partial"],
  [capability(2, 1, 1), "absent"],
  [capability(0, 0, 0), "unknown"],
  [capability(0, 0, 0, 3), "unknown"],
  [capability(2, 0, 0, 1), "partial"],
  [capability(0, 0, 1, 1), "absent"],
] as const)("the weakest agent counts %#", (given, expected) => {
  expect(weakest(given)).toBe(expected);
});

test("who sees how much", () => {
  expect(share(capability(1_200, 0, 1, 2))).toBe("1,200 full, 1 absent, 2 unknown");
});

test.each([
  [[capability(3, 0, 0)], ""],
  [[capability(3, 0, 0), capability(2, 1, 0), capability(0, 2, 1), capability(0, 0, 3)], "1 partial, 2 absent"],
  [[], ""],
  [[capability(0, 0, 0, 3), capability(0, 0, 0)], "2 unknown"],
])("weaknesses %#", (given, expected) => {
  expect(weaknesses(given)).toBe(expected);
});

const HOUR = 3_600_000;
test.each([
  [0, "bad"],
  [-HOUR, "bad"],
  [HOUR, "warn"],
  [48 * HOUR, null],
])("a certificate that ends in %i ms", (left, expected) => {
  expect(certificateTone(1e12 + left, 1e12)).toBe(expected);
});

const gap = (to: number) => ({ id: "g", scope: "/org/prod/", cluster: "prod", from: to - HOUR, to, requests: null, reason: "restart" });
test.each([
  [null, false],
  // A hub that leaves out what is null.
  [undefined, false],
  [gap(1e12 - 23 * HOUR), true],
  [gap(1e12 - 24 * HOUR), false],
])("a gap is recent for a day after its end %#", (last_gap, recent) => {
  const status = { admission: { last_gap } } as ClusterHealth;
  expect(recentGap(status, 1e12)).toBe(recent ? last_gap : null);
});

test("its own is found by its scope", () => {
  expect(hereFilter({ scope: "/org/shop/prod-1/" })).toBe("scope:/org/shop/prod-1/");
  expect(hereFilter({ scope: "/org/a b/" })).toBe('scope:"/org/a b/"');
});

const STATUS = {
  agents: { cluster_agents: 1, sensors: 3, connected: 4, outdated: 0 },
  dropped: [{ class: "ring:data", count: 5 }, { class: "spool:full", count: 2 }],
  admission: { policies: 3, deny: 2, warn: 0, audit: 1, decisions_24h: 9, gaps_24h: 0, last_gap: null, policy_sets: { sets: 2, deny: 1, warn: 0, audit: 1, untried: 1 } },
} as unknown as ClusterHealth;

test("a row's sums", () => {
  expect(droppedTotal(STATUS)).toBe(7);
  expect(agentKinds(STATUS)).toBe("1 agent, 3 sensors");
  expect(policyCounts(STATUS.admission)).toBe("2 deny, 1 audit");
  expect(policyCounts(STATUS.admission.policy_sets)).toBe("1 deny, 1 audit");
});
