import type { Alert } from "../../api/types";
import type { Column } from "../../list/column";
import { commandLine, count, words } from "../../format/text";
import { ClusterPath } from "../../parts/cluster-name";
import { SeverityBadge } from "../../parts/severity";
import { Time } from "../../parts/time";
import css from "./alerts.module.css";
import { subject } from "./place";
import { AlertStateDot } from "./state";

const or = (value: string | null) => value ?? <span className="muted">–</span>;

/** What ran, or who asked: the line that tells two alerts of one kind apart. */
function command(alert: Alert): string {
  const process = alert.process[0];
  if (!process) return alert.actor?.user ?? "";
  return process.args.length > 0 ? commandLine(process.args) : process.exe;
}

export const COLUMNS: readonly Column<Alert>[] = [
  {
    id: "severity",
    title: "Severity",
    sort: "severity",
    width: "98px",
    card: "badge",
    cell: (alert) => <SeverityBadge severity={alert.severity} />,
  },
  {
    id: "title",
    title: "Alert",
    card: "title",
    cell: (alert) => (
      <>
        {alert.title}
        <span className={`mono ${css.command}`}>{command(alert)}</span>
      </>
    ),
  },
  {
    id: "subject",
    title: "Where",
    width: "21%",
    cell: (alert) => (
      <div>
        <div>{subject(alert.where)}</div>
        <div className={css.second}>
          <ClusterPath cluster={alert.where.cluster} below={[alert.where.namespace]} />
        </div>
      </div>
    ),
  },
  { id: "state", title: "State", sort: "state", width: "110px", card: "badge", cell: (alert) => <AlertStateDot state={alert.state} /> },
  { id: "count", title: "Count", sort: "count", width: "70px", align: "end", cell: (alert) => count(alert.count) },
  { id: "last", title: "Last seen", sort: "last", width: "108px", cell: (alert) => <Time at={alert.last} /> },
  { id: "first", title: "First seen", sort: "first", width: "112px", hidden: true, cell: (alert) => <Time at={alert.first} /> },
  { id: "detection", title: "Detection", hidden: true, cell: (alert) => <span className="mono">{alert.detection}</span> },
  { id: "pod", title: "Pod", hidden: true, cell: (alert) => or(alert.where.pod) },
  { id: "node", title: "Node", hidden: true, cell: (alert) => or(alert.where.node) },
  { id: "image", title: "Image", hidden: true, cell: (alert) => or(alert.where.image?.name ?? null) },
  { id: "tactics", title: "Tactics", hidden: true, cell: (alert) => alert.tactics.map(words).join(", ") },
];
