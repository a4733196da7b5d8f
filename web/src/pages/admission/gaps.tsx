import type { StoredGap } from "../../api/types";
import { ADMISSION } from "../../app/nav";
import { Page } from "../../app/page";
import { count, words } from "../../format/text";
import { duration, toSecond } from "../../format/time";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { ClusterName } from "../../parts/cluster-name";
import { Empty } from "../../parts/empty";
import { Tag } from "../../parts/tag";
import css from "./admission.module.css";
import { gapReason } from "./gap-text";

const COLUMNS: readonly Column<StoredGap>[] = [
  { id: "cluster", title: "Cluster", sort: "cluster", card: "title", cell: (gap) => <ClusterName cluster={gap.cluster} /> },
  { id: "from", title: "From", sort: "from", width: "204px", cell: (gap) => <span className="nowrap">{toSecond(gap.from)}</span> },
  { id: "to", title: "To", sort: "to", width: "204px", cell: (gap) => <span className="nowrap">{toSecond(gap.to)}</span> },
  { id: "length", title: "Length", width: "84px", align: "end", cell: (gap) => duration(gap.to - gap.from) },
  {
    id: "requests",
    title: "Not judged",
    width: "104px",
    align: "end",
    cell: (gap) => (gap.requests === null ? <Tag tone="warn">unknown</Tag> : count(gap.requests)),
  },
  {
    id: "reason",
    title: "Reason",
    width: "24%",
    cell: (gap) => (
      <div>
        {words(gap.reason)}
        {gapReason(gap.reason) !== gap.reason && <div className={css.second}>{gapReason(gap.reason)}</div>}
      </div>
    ),
  },
  { id: "scope", title: "Scope", hidden: true, cell: (gap) => <span className="mono">{gap.scope}</span> },
];

export function Gaps() {
  return (
    <Page
      title="Admission"
      lead="Times in which no agent answered, so that the API server let requests pass. The count comes from its audit events."
      tabs={{ label: "Admission", items: ADMISSION }}
    >
      <List<StoredGap>
        noun="gaps"
        plural="gaps"
        columns={COLUMNS}
        rowId={(gap) => gap.id}
        rowLabel={(gap) => gap.cluster}
        empty={
          <Empty title="No gap is known" command="kubectl -n seawall get deployment seawall-agent">
            Agents record when they could not answer, as soon as they are back. Two replicas on two nodes keep it that way.
          </Empty>
        }
      />
    </Page>
  );
}
