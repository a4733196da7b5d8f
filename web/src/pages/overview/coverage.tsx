// What is watched, how fresh it is, and what was lost.
import { Link } from "@tanstack/react-router";
import type { Overview } from "../../api/types";
import { count } from "../../format/text";
import { Freshness } from "../../parts/freshness";
import { Panel } from "../../parts/section";
import { Tag } from "../../parts/tag";
import css from "./overview.module.css";

export function Coverage({ overview: { clusters, agents } }: { overview: Overview }) {
  return (
    <div className={css.coverage}>
      <Panel
        title="Clusters and agents"
        aside={
          <span>
            <Link to="/inventory/agents">
              {count(agents.connected)} of {count(agents.total)} agents connected
            </Link>{" "}
            {agents.dropped > 0 && <Tag tone="warn">{count(agents.dropped)} records dropped</Tag>}
          </span>
        }
      >
        {clusters.length === 0 && <span className="muted">Nothing is connected yet.</span>}
        <ul className={css.rows}>
          {clusters.map((cluster) => (
            <li key={cluster.id}>
              <Freshness at={cluster.last_seen} />
              <div>
                <Link to="/inventory/clusters" search={{ open: cluster.id }}>
                  {cluster.name}
                </Link>
              </div>
              <span className="muted">
                {[cluster.kind === "kubernetes" ? "Kubernetes" : "Machine", cluster.version].filter(Boolean).join(" ")}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
