import { Link } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { topQuery } from "../../api/queries";
import type { Agent, Cluster, Freshness as Word } from "../../api/types";
import { INVENTORY } from "../../app/nav";
import { Page } from "../../app/page";
import { quote } from "../../filter/lex";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { Identifier } from "../../parts/copy";
import { Detail } from "../../parts/detail";
import { Empty } from "../../parts/empty";
import { Facts } from "../../parts/facts";
import { Freshness } from "../../parts/freshness";
import { Section } from "../../parts/section";
import { Time } from "../../parts/time";
import { AgentStateDot } from "./agent-state";
import css from "./inventory.module.css";
import { useFreshness } from "./names";

const KINDS = { kubernetes: "Kubernetes", machine: "Machine" };

function columns(freshness: (id: string) => Word | undefined): readonly Column<Cluster>[] {
  return [
  { id: "name", title: "Cluster", sort: "name", card: "title", cell: (cluster) => cluster.name },
  { id: "kind", title: "Kind", width: "120px", cell: (cluster) => KINDS[cluster.kind] },
  { id: "version", title: "Version", width: "130px", cell: (cluster) => cluster.version ?? "–" },
  { id: "freshness", title: "Freshness", width: "120px", card: "badge", cell: (cluster) => <Freshness word={freshness(cluster.id)} /> },
  { id: "last", title: "Last seen", sort: "last", width: "120px", cell: (cluster) => <Time at={cluster.last_seen} /> },
  { id: "first", title: "First seen", sort: "first", width: "120px", cell: (cluster) => <Time at={cluster.first_seen} /> },
  { id: "uid", title: "UID", hidden: true, cell: (cluster) => <span className="mono">{cluster.uid}</span> },
  { id: "scope", title: "Scope", hidden: true, cell: (cluster) => <span className="mono">{cluster.scope}</span> },
  ];
}

export function Clusters() {
  const freshness = useFreshness();
  return (
    <Page title="Inventory" tabs={{ label: "Inventory", items: INVENTORY }}>
      <List<Cluster>
        noun="clusters"
        plural="clusters"
        columns={columns(freshness)}
        rowId={(cluster) => cluster.id}
        rowLabel={(cluster) => cluster.name}
        opens
        drawer={(id, close) => <ClusterDetail id={id} close={close} freshness={freshness(id)} />}
        empty={
          <Empty title="No cluster is connected" command="seawall up --kubeconfig FILE">
            Name a kubeconfig to watch a cluster from here, or enrol an agent that runs inside it.
          </Empty>
        }
      />
    </Page>
  );
}

interface ClusterDetailProps {
  id: string;
  close: () => void;
  freshness: Word | undefined;
}

function ClusterDetail({ id, close, freshness }: ClusterDetailProps) {
  return (
    <Detail<Cluster>
      noun="clusters"
      id={id}
      close={close}
      title={(cluster) => cluster.name}
      head={() => <Freshness word={freshness} />}
    >
      {(cluster) => (
        <>
          <Section title="About">
            <Facts
              facts={[
                ["Kind", KINDS[cluster.kind]],
                ["Version", cluster.version],
                ["UID", <Identifier text={cluster.uid} label="cluster UID" />],
                ["Scope", <span className="mono">{cluster.scope}</span>],
                ["First seen", <Time at={cluster.first_seen} />],
                ["Last seen", <Time at={cluster.last_seen} />],
              ]}
            />
          </Section>
          <Section title="Agents">
            <ClusterAgents cluster={cluster} />
          </Section>
          <Section title="Results">
            <ul className={css.plain}>
              <li>
                <Link to="/alerts" search={{ filter: `cluster:${quote(cluster.name)} state:active,in_progress` }}>
                  Open alerts
                </Link>
              </li>
              <li>
                <Link to="/inventory/assets" search={{ filter: `cluster:${quote(cluster.uid)}` }}>
                  Assets
                </Link>
              </li>
            </ul>
          </Section>
        </>
      )}
    </Detail>
  );
}

/** A drawer shows a few; the list of agents has all. */
const AGENTS_SHOWN = 50;

function ClusterAgents({ cluster }: { cluster: Cluster }) {
  const agents = useQuery(topQuery<Agent>("agents", AGENTS_SHOWN, { filter: `cluster:${quote(cluster.uid)}` }));
  if (agents.data?.items.length === 0) return <span className="muted">No agent reports for it.</span>;
  return (
    <ul className={css.plain}>
      {agents.data?.items.map((agent) => (
        <li key={agent.id} className={css.row}>
          <Link to="/inventory/agents" search={{ open: agent.id }}>
            {agent.name}
          </Link>
          <AgentStateDot agent={agent} />
        </li>
      ))}
    </ul>
  );
}
