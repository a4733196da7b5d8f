// What is open, by severity; every number leads to the list that it counts.
import { Link } from "@tanstack/react-router";
import { SEVERITIES, type Counts, type Overview } from "../../api/types";
import { count, words } from "../../format/text";
import { Panel } from "../../parts/section";
import { SeverityBar, SeverityIcon } from "../../parts/severity";
import css from "./overview.module.css";

const sum = (counts: Counts) => SEVERITIES.reduce((total, severity) => total + counts[severity], 0);

interface StatProps {
  title: string;
  counts: Counts;
  to: string;
  /** What the list has to be filtered by besides the severity. */
  filter: string;
}

function Stat({ title, counts, to, filter }: StatProps) {
  const total = sum(counts);
  return (
    <div className={css.stat}>
      <h3>{title}</h3>
      <div className={css.big}>
        <Link to={to} search={{ filter }} aria-label={`${title}: ${total}`}>
          {count(total)}
        </Link>
      </div>
      <SeverityBar counts={counts} />
      <div className={css.split}>
        {SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => (
          <Link
            key={severity}
            to={to}
            search={{ filter: `${filter} severity:${severity}`.trim() }}
            title={words(severity)}
            aria-label={`${title}, ${severity}: ${counts[severity]}`}
          >
            <SeverityIcon severity={severity} />
            {count(counts[severity])}
          </Link>
        ))}
      </div>
    </div>
  );
}

export function Open({ overview }: { overview: Overview }) {
  const { alerts, findings, images } = overview;
  return (
    <div className={css.open}>
      <Panel title="Open now">
        <div className={css.stats}>
          <Stat title="Alerts" counts={alerts} to="/alerts" filter="state:active,in_progress" />
          <Stat title="Misconfigurations" counts={findings.control} to="/recommendations" filter="kind:control" />
          <Stat title="Vulnerabilities" counts={findings.vulnerability} to="/recommendations" filter="kind:vulnerability" />
          <div className={css.stat}>
            <h3>Images</h3>
            <div className={css.big}>
              <Link to="/images" aria-label={`Images: ${images.total}`}>
                {count(images.total)}
              </Link>
            </div>
            <div>
              {count(images.running)} running · {count(images.with_critical)} with critical vulnerabilities
            </div>
          </div>
        </div>
      </Panel>
    </div>
  );
}
