import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useMay } from "../../api/session";
import type { Cluster, ClusterHealth } from "../../api/types";
import { Page } from "../../app/page";
import { count, plural } from "../../format/text";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { Empty } from "../../parts/empty";
import { Failure } from "../../parts/failure";
import { Freshness } from "../../parts/freshness";
import { Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import { Certificate } from "./certificate";
import css from "./clusters.module.css";
import { ClusterDetail } from "./detail";
import { ENROL, Enrol } from "./enrol";
import { GapTag } from "./gap-tag";
import { agentKinds, droppedTotal, KINDS, policyCounts, statusQuery, weaknesses } from "./status";
import { WaitingPanel } from "./waiting";

const NONE = <span className="muted">–</span>;

function Agents({ status }: { status: ClusterHealth }) {
  const { agents } = status;
  const total = agents.cluster_agents + agents.sensors;
  if (total === 0) return <span className="muted">none</span>;
  return (
    <div>
      {agents.connected < total ? (
        <Tag tone="warn">{`${count(agents.connected)} of ${count(total)}`}</Tag>
      ) : (
        total === 1 ? "1" : `all ${count(total)}`
      )}{" "}
      {agents.outdated > 0 && <Tag tone="warn">{`${count(agents.outdated)} outdated`}</Tag>}
      <div className={css.second}>{agentKinds(status)}</div>
    </div>
  );
}

function Capability({ status }: { status: ClusterHealth }) {
  if (status.capabilities.length === 0) return NONE;
  const weak = weaknesses(status.capabilities);
  return (
    <div>
      {status.tier === null ? "No tier" : `Tier ${status.tier}`}
      {weak === "" ? <div className={css.second}>all full</div> : <div><Tag tone="warn">{weak}</Tag></div>}
    </div>
  );
}

function Audit({ status }: { status: ClusterHealth }) {
  if (status.cluster.kind === "machine") return NONE;
  return status.last_audit_event === null ? <Tag tone="warn">none received</Tag> : <Time at={status.last_audit_event} />;
}

function Admission({ status }: { status: ClusterHealth }) {
  if (status.cluster.kind === "machine") return NONE;
  const { admission } = status;
  const policies = policyCounts(status.admission);
  return (
    <div>
      {policies === "" ? <span className="muted">nothing judged</span> : policies}
      <div className={css.second}>{plural(admission.decisions_24h, "decision")} in 24 h</div>
      <GapTag status={status} />
    </div>
  );
}

type Cell = (status: ClusterHealth) => ReactNode;

function columns(statuses: ReadonlyMap<string, ClusterHealth>): readonly Column<Cluster>[] {
  const of = (cell: Cell) =>
    function statusCell(cluster: Cluster) {
      const status = statuses.get(cluster.id);
      return status ? cell(status) : NONE;
    };
  return [
    {
      id: "name",
      title: "Cluster",
      sort: "name",
      card: "title",
      cell: (cluster) => (
        <>
          {cluster.name}
          <span className={css.kind}>{[KINDS[cluster.kind], cluster.version].filter(Boolean).join(" ")}</span>
        </>
      ),
    },
    {
      id: "freshness",
      title: "Freshness",
      width: "100px",
      card: "badge",
      cell: of((status) => <Freshness word={status.freshness} />),
    },
    { id: "agents", title: "Connected", width: "132px", cell: of((status) => <Agents status={status} />) },
    { id: "capability", title: "Capability", width: "126px", cell: of((status) => <Capability status={status} />) },
    {
      id: "dropped",
      title: "Dropped",
      width: "88px",
      align: "end",
      cell: of((status) => (droppedTotal(status) > 0 ? <Tag tone="warn">{count(droppedTotal(status))}</Tag> : "0")),
    },
    { id: "audit", title: "Last audit event", width: "128px", cell: of((status) => <Audit status={status} />) },
    {
      id: "certificate",
      title: "Certificate ends",
      width: "126px",
      cell: of((status) => <Certificate expires={status.certificate_expires} />),
    },
    { id: "admission", title: "Admission", width: "190px", cell: of((status) => <Admission status={status} />) },
    { id: "last", title: "Last seen", sort: "last", width: "112px", hidden: true, cell: (cluster) => <Time at={cluster.last_seen} /> },
    { id: "first", title: "First seen", sort: "first", width: "112px", hidden: true, cell: (cluster) => <Time at={cluster.first_seen} /> },
    { id: "versions", title: "Agent versions", hidden: true, cell: of((status) => status.versions.join(", ") || NONE) },
    { id: "uid", title: "UID", hidden: true, cell: (cluster) => <span className="mono">{cluster.uid}</span> },
    { id: "scope", title: "Scope", hidden: true, cell: (cluster) => <span className="mono">{cluster.scope}</span> },
  ];
}

export function Clusters() {
  const mayEnrol = useMay("enrol");
  const enrolling = useState(false);
  const statuses = useQuery(statusQuery);
  const byId = new Map(statuses.data?.items.map((status) => [status.cluster.id, status]));
  return (
    <Page
      title="Clusters"
      lead="What is connected, how well it sees, and what was lost on the way."
      aside={<Enrol state={enrolling} />}
    >
      {statuses.error && <Failure error={statuses.error} retry={() => void statuses.refetch()} />}
      <WaitingPanel />
      <List<Cluster>
        noun="clusters"
        plural="clusters"
        columns={columns(byId)}
        rowId={(cluster) => cluster.id}
        rowLabel={(cluster) => cluster.name}
        opens
        drawer={(id, close) => <ClusterDetail id={id} close={close} status={byId.get(id)} />}
        empty={
          // The dialog is the page's: the first cluster to come takes this away, and must not take the commands with it.
          <Empty title="No cluster is connected" action={mayEnrol && <Button onClick={() => enrolling[1](true)}>{ENROL}</Button>}>
            {mayEnrol
              ? "Enrolling makes a token and the whole command for a cluster or a single machine."
              : "An Owner enrols clusters and machines here."}
          </Empty>
        }
      />
    </Page>
  );
}
