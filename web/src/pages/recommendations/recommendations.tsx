import type { Recommendation } from "../../api/types";
import { Page } from "../../app/page";
import { count, words } from "../../format/text";
import { date } from "../../format/time";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { ClusterName, StaleBadge } from "../../parts/cluster-name";
import { Empty } from "../../parts/empty";
import { SeverityBadge } from "../../parts/severity";
import { Time } from "../../parts/time";
import { RecommendationDetail } from "./detail";
import { StatusDot } from "./status";

const NONE = <span className="muted">–</span>;

const COLUMNS: readonly Column<Recommendation>[] = [
  {
    id: "severity",
    title: "Severity",
    sort: "severity",
    width: "104px",
    card: "badge",
    cell: (item) => <SeverityBadge severity={item.severity} />,
  },
  {
    id: "title",
    title: "Recommendation",
    sort: "title",
    card: "title",
    cell: (item) => (
      <>
        {item.title} <StaleBadge cluster={item.scope} />
      </>
    ),
  },
  {
    id: "affected",
    title: "Affected",
    sort: "affected",
    width: "92px",
    align: "end",
    cell: (item) => count(item.affected),
  },
  {
    id: "kind",
    title: "Kind",
    width: "136px",
    cell: (item) => (item.kind === "control" ? "Misconfiguration" : "Package update"),
  },
  { id: "status", title: "Status", width: "112px", card: "badge", cell: (item) => <StatusDot status={item.status} /> },
  { id: "owner", title: "Owner", sort: "owner", width: "120px", cell: (item) => item.owner ?? NONE },
  { id: "due", title: "Due", sort: "due", width: "112px", cell: (item) => (item.due === null ? NONE : date(item.due)) },
  { id: "last", title: "Changed", sort: "last", width: "112px", cell: (item) => <Time at={item.last} /> },
  { id: "rule", title: "Rule", hidden: true, cell: (item) => <span className="mono">{item.rule}</span> },
  { id: "exempt", title: "Exempt", align: "end", hidden: true, cell: (item) => count(item.exempt) },
  { id: "healthy", title: "Healthy", align: "end", hidden: true, cell: (item) => count(item.healthy) },
  { id: "unknown", title: "Unknown", align: "end", hidden: true, cell: (item) => count(item.unknown) },
  {
    id: "group",
    title: "Score group",
    hidden: true,
    cell: (item) => (item.score_group === null ? NONE : words(item.score_group)),
  },
  { id: "scope", title: "Scope", hidden: true, cell: (item) => <ClusterName cluster={item.scope}><span className="mono">{item.scope}</span></ClusterName> },
];

export function Recommendations() {
  return (
    <Page title="Recommendations" lead="Findings grouped by what fixes them. Only evidence closes one.">
      <List<Recommendation>
        noun="recommendations"
        plural="recommendations"
        columns={COLUMNS}
        rowId={(item) => item.id}
        rowLabel={(item) => item.title}
        opens
        drawer={(id, close) => <RecommendationDetail id={id} close={close} />}
        empty={
          <Empty title="Nothing to recommend" command="seawall up --kubeconfig FILE">
            No workload has been judged and no package matched. Connect a cluster, or scan manifests and images.
          </Empty>
        }
      />
    </Page>
  );
}
