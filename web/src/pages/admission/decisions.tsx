import { useQuery } from "@tanstack/react-query";
import { topQuery } from "../../api/queries";
import type { StoredDecision } from "../../api/types";
import { ADMISSION } from "../../app/nav";
import { Page } from "../../app/page";
import { words } from "../../format/text";
import type { Column } from "../../list/column";
import { Facets, type FacetGroup } from "../../list/facets";
import { List } from "../../list/list";
import { ClusterName, ClusterPath } from "../../parts/cluster-name";
import { Empty } from "../../parts/empty";
import { SeverityIcon } from "../../parts/severity";
import { Time } from "../../parts/time";
import css from "./admission.module.css";
import { asker, byWeight, madeBy, resourceName } from "./decided";
import { DecisionDetail } from "./detail";
import { RecentGaps } from "./recent-gaps";
import { tally } from "./tally";
import { VerdictDot, VERDICTS } from "./verdict";

function Controls({ decision }: { decision: StoredDecision }) {
  const [first, ...rest] = byWeight(decision.controls);
  if (!first) return <span className="muted">–</span>;
  return (
    <div>
      <span className={css.control}>
        <SeverityIcon severity={first.severity} />
        <span>{first.title}</span>
      </span>
      <div className={css.second}>
        {words(first.severity)} · <span className="mono">{first.control}</span>
        {rest.length > 0 && ` and ${rest.length} more`}
      </div>
    </div>
  );
}

function Asker({ user }: { user: string }) {
  const { name, about } = asker(user);
  return (
    <div title={user}>
      {name}
      {about !== null && <div className={css.second}>{about}</div>}
    </div>
  );
}

const COLUMNS: readonly Column<StoredDecision>[] = [
  {
    id: "verdict",
    title: "Verdict",
    sort: "verdict",
    width: "100px",
    card: "badge",
    cell: (decision) => <VerdictDot verdict={decision.verdict} />,
  },
  {
    id: "resource",
    title: "Request",
    card: "title",
    cell: (decision) => (
      <>
        {resourceName(decision)}
        <span className={css.below}>
          {decision.operation}
          {madeBy(decision) !== null && ` for ${madeBy(decision) ?? ""}`}
        </span>
      </>
    ),
  },
  {
    id: "where",
    title: "Where",
    width: "14%",
    cell: (decision) => <ClusterPath cluster={decision.cluster} below={[decision.resource.namespace]} />,
  },
  { id: "controls", title: "Controls", width: "25%", cell: (decision) => <Controls decision={decision} /> },
  { id: "user", title: "User", sort: "user", width: "20%", cell: (decision) => <Asker user={decision.user} /> },
  { id: "time", title: "Time", sort: "time", width: "104px", cell: (decision) => <Time at={decision.time} /> },
  { id: "agent", title: "Answered by", hidden: true, cell: (decision) => decision.agent },
  { id: "scope", title: "Scope", hidden: true, cell: (decision) => <span className="mono">{decision.scope}</span> },
];

export function Decisions() {
  return (
    <Page
      title="Admission"
      lead="Requests to the API server that failed a control, and what they were answered."
      tabs={{ label: "Admission", items: ADMISSION }}
    >
      <RecentGaps />
      <List<StoredDecision>
        noun="decisions"
        plural="decisions"
        columns={COLUMNS}
        rowId={(decision) => decision.id}
        rowLabel={resourceName}
        opens
        facets={(filter, onFilter) => <DecisionFacets filter={filter} onFilter={onFilter} />}
        drawer={(id, close) => <DecisionDetail id={id} close={close} />}
        empty={
          <Empty
            title="No request has failed a control"
            command="kubectl get validatingwebhookconfiguration seawall"
          >
            Requests that pass are counted, not recorded. Nothing is judged before a policy is assigned: see Policies. The
            command shows whether the API server asks the agent.
          </Empty>
        }
      />
    </Page>
  );
}

/** As many as the hub gives at once: the facets count the newest that match. */
const COUNTED = 500;

function DecisionFacets({ filter, onFilter }: { filter: string; onFilter: (filter: string) => void }) {
  const decisions = useQuery({
    ...topQuery<StoredDecision>("decisions", COUNTED, { filter, sort: "-time" }),
    placeholderData: (before) => before,
  });
  const { items = [], total } = decisions.data ?? {};
  return (
    <Facets
      groups={groups(items)}
      filter={filter}
      onFilter={onFilter}
      {...(total && total.value > items.length && { note: `Counts of the newest ${items.length}.` })}
    />
  );
}

function groups(decisions: readonly StoredDecision[]): FacetGroup[] {
  const counts = tally(decisions);
  return [
    {
      field: "verdict",
      title: "Verdict",
      values: VERDICTS.flatMap((verdict) => {
        const count = counts.verdict.get(verdict) ?? 0;
        return count === 0 ? [] : [{ value: verdict, label: <VerdictDot verdict={verdict} />, name: words(verdict), count }];
      }),
    },
    {
      field: "control",
      title: "Control",
      values: counts.control.map(({ value, title, count }) => ({ value, label: title, name: title, count })),
    },
    {
      field: "namespace",
      title: "Namespace",
      values: counts.namespace.map(({ value, count }) => ({ value, label: value, name: value, count })),
    },
    {
      field: "cluster",
      title: "Cluster",
      values: counts.cluster.map(({ value, count }) => ({ value, label: <ClusterName cluster={value} />, name: value, count })),
    },
  ];
}
