import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { topQuery } from "../../api/queries";
import type { Alert } from "../../api/types";
import { ClusterPath } from "../../parts/cluster-name";
import { Failure } from "../../parts/failure";
import { Panel } from "../../parts/section";
import { SeverityBadge } from "../../parts/severity";
import { Time } from "../../parts/time";
import { subject } from "../alerts/place";
import css from "./overview.module.css";

/** What fits beside the score's moves. */
const SHOWN = 6;

export function Latest() {
  const alerts = useQuery(topQuery<Alert>("alerts", SHOWN, { filter: "state:active,in_progress", sort: "-last" }));
  return (
    <div className={css.latest}>
      <Panel title="Latest alerts" aside={<Link to="/alerts">All alerts</Link>}>
        {alerts.error && <Failure error={alerts.error} />}
        {alerts.data?.items.length === 0 && <span className="muted">No alert is open.</span>}
        <ul className={css.rows}>
          {alerts.data?.items.map((alert) => (
            <li key={alert.id}>
              <SeverityBadge severity={alert.severity} />
              <div>
                <Link to="/alerts" search={{ open: alert.id }}>
                  {alert.title}
                </Link>
                <small>
                  <ClusterPath cluster={alert.where.cluster} below={[alert.where.namespace, subject(alert.where)]} />
                </small>
              </div>
              <span className="muted">
                <Time at={alert.last} />
              </span>
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
