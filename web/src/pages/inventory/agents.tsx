import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../../api/http";
import { useMay } from "../../api/session";
import type { Agent, Capability } from "../../api/types";
import { INVENTORY } from "../../app/nav";
import { Page } from "../../app/page";
import { count, words } from "../../format/text";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { Capabilities, type CapabilityRow } from "../../parts/capabilities";
import { ClusterName } from "../../parts/cluster-name";
import { Confirm } from "../../parts/confirm";
import { Detail } from "../../parts/detail";
import { Empty } from "../../parts/empty";
import { Facts } from "../../parts/facts";
import { Section } from "../../parts/section";
import { Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import { AgentStateDot } from "./agent-state";
import { knownState, summary } from "./capability";

const dropped = (agent: Agent) => agent.dropped.reduce((sum, each) => sum + each.count, 0);

function CapabilitySummary({ agent }: { agent: Agent }) {
  const found = summary(agent);
  if (found === null) return <span className="muted">–</span>;
  return found.full ? found.text : <Tag tone="warn">{found.text}</Tag>;
}

const COLUMNS: readonly Column<Agent>[] = [
  { id: "name", title: "Agent", sort: "name", card: "title", cell: (agent) => agent.name },
  { id: "state", title: "State", width: "130px", card: "badge", cell: (agent) => <AgentStateDot agent={agent} /> },
  { id: "role", title: "Role", width: "120px", cell: (agent) => words(agent.role) },
  { id: "cluster", title: "Cluster", width: "18%", cell: (agent) => <ClusterName cluster={agent.scope}>{agent.cluster}</ClusterName> },
  { id: "version", title: "Version", width: "90px", cell: (agent) => agent.version },
  {
    id: "capabilities",
    title: "Capabilities",
    width: "112px",
    cell: (agent) => <CapabilitySummary agent={agent} />,
  },
  {
    id: "dropped",
    title: "Dropped",
    width: "96px",
    align: "end",
    cell: (agent) => (dropped(agent) > 0 ? <Tag tone="warn">{count(dropped(agent))}</Tag> : "0"),
  },
  { id: "last", title: "Last seen", sort: "last", width: "112px", cell: (agent) => <Time at={agent.last_seen} /> },
  {
    id: "certificate",
    title: "Certificate ends",
    hidden: true,
    cell: (agent) => <Time at={agent.certificate_expires} />,
  },
  { id: "scope", title: "Scope", hidden: true, cell: (agent) => <span className="mono">{agent.scope}</span> },
];

export function Agents() {
  return (
    <Page title="Inventory" tabs={{ label: "Inventory", items: INVENTORY }}>
      <List<Agent>
        noun="agents"
        plural="agents"
        columns={COLUMNS}
        rowId={(agent) => agent.id}
        rowLabel={(agent) => agent.name}
        opens
        drawer={(id, close) => <AgentDetail id={id} close={close} />}
        empty={
          <Empty title="No agent is enrolled">
            <Link to="/clusters">Clusters</Link> makes the token and the whole command; a token is used once, by the first agent
            of a cluster or machine.
          </Empty>
        }
      />
    </Page>
  );
}

interface AgentDetailProps {
  id: string;
  close: () => void;
}

function AgentDetail({ id, close }: AgentDetailProps) {
  return (
    <Detail<Agent>
      noun="agents"
      id={id}
      close={close}
      title={(agent) => agent.name}
      head={(agent) => <AgentStateDot agent={agent} />}
      actions={(agent) => <Revoke agent={agent} />}
    >
      {(agent) => (
        <>
          <Section title="About">
            <Facts
              facts={[
                ["Role", words(agent.role)],
                ["Cluster", <ClusterName cluster={agent.scope}>{agent.cluster}</ClusterName>],
                ["Version", agent.version],
                ["Scope", <span className="mono">{agent.scope}</span>],
                ["Last batch", count(agent.last_sequence)],
                ["Last seen", <Time at={agent.last_seen} />],
                ["First seen", <Time at={agent.first_seen} />],
                ["Certificate", <Time at={agent.certificate_expires} />],
              ]}
            />
          </Section>
          <Section title="Capabilities">
            <Capabilities
              more={["Tier", "Reason"]}
              rows={agent.capabilities.map((each) => capabilityRow(agent, each))}
              none="This agent reports none."
            />
          </Section>
          <Section title="Dropped records">
            {agent.dropped.length === 0 ? (
              <span className="muted">None since enrolment.</span>
            ) : (
              <Facts facts={agent.dropped.map((each) => [each.class, count(each.count)] as const)} />
            )}
          </Section>
        </>
      )}
    </Detail>
  );
}

/** Why a state is as it is, or what was told before the agent went away. */
function because(agent: Agent, capability: Capability): string {
  return knownState(agent, capability) === "unknown" ? `was ${capability.state} when last connected` : (capability.reason ?? "");
}

function capabilityRow(agent: Agent, capability: Capability): CapabilityRow {
  const state = knownState(agent, capability);
  return { name: capability.name, state, more: [state === "unknown" ? "–" : (capability.tier ?? "–"), because(agent, capability)] };
}

function Revoke({ agent }: { agent: Agent }) {
  const mayRevoke = useMay("revoke_agent");
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const revoke = useMutation({
    mutationFn: () => call<Agent>("POST", `/agents/${agent.id}/revoke`, { body: {} }),
    onSuccess: async () => {
      setAsking(false);
      await client.invalidateQueries({ queryKey: ["agents"] });
    },
  });
  if (!mayRevoke || agent.revoked) return null;
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        Revoke…
      </Button>
      {asking && (
        <Confirm
          title="Revoke agent"
          action="Revoke"
          pending={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate()}
          onClose={() => setAsking(false)}
        >
          {agent.name} is cut off at once and its certificate is refused from now on. To bring it back, enrol it anew.
        </Confirm>
      )}
    </>
  );
}
