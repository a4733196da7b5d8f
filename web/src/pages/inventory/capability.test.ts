import { expect, test } from "vitest";
import type { Agent, Capability } from "../../api/types";
import { knownState, summary } from "./capability";

const capability = (state: Capability["state"]): Capability => ({ name: state, state, tier: null, reason: null });
const agent = (change: Partial<Agent>): Agent => ({ capabilities: [], connected: true, revoked: false, ...change }) as Agent;

test.each([
  [agent({}), null],
  [agent({ capabilities: [capability("full"), capability("full")] }), { text: "all 2", full: true }],
  [agent({ capabilities: [capability("full"), capability("absent")] }), { text: "1 of 2", full: false }],
  [agent({ capabilities: [capability("full")], connected: false }), { text: "unknown", full: false }],
  [agent({ capabilities: [capability("full")], revoked: true }), { text: "unknown", full: false }],
])("what an agent sees %#", (given, expected) => {
  expect(summary(given)).toEqual(expected);
});

test("what an agent told before it went away is not known", () => {
  expect(knownState(agent({}), capability("partial"))).toBe("partial");
  expect(knownState(agent({ connected: false }), capability("full"))).toBe("unknown");
});
