import type { Agent } from "../../api/types";
import { Dot } from "../../parts/tag";

export function AgentStateDot({ agent }: { agent: Agent }) {
  if (agent.revoked) return <Dot tone="neutral">Revoked</Dot>;
  return agent.connected ? <Dot tone="good">Connected</Dot> : <Dot tone="bad">Disconnected</Dot>;
}
