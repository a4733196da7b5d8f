// What is known of an agent's capabilities: what it told before it went away holds no longer.
import type { Agent, Capability } from "../../api/types";
import type { CapabilityState } from "../../parts/capabilities";

export function knownState(agent: Agent, { state }: Capability): CapabilityState {
  return agent.connected && !agent.revoked ? state : "unknown";
}

export interface Summary {
  text: string;
  /** Whether all of it is known to be there. */
  full: boolean;
}

/** `all 5`, `3 of 5` or `unknown`; null where the agent reports none. */
export function summary(agent: Agent): Summary | null {
  const states = agent.capabilities.map((each) => knownState(agent, each));
  if (states.length === 0) return null;
  if (states.includes("unknown")) return { text: "unknown", full: false };
  const full = states.filter((state) => state === "full").length;
  return full === states.length ? { text: `all ${full}`, full: true } : { text: `${full} of ${states.length}`, full: false };
}
