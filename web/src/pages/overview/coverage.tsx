// What is watched, how fresh it is, and what was lost.
import { Link } from "@tanstack/react-router";
import type { Overview } from "../../api/types";
import { count, plural } from "../../format/text";
import { Freshness } from "../../parts/freshness";
import { Panel } from "../../parts/section";
import { Tag } from "../../parts/tag";
import css from "./overview.module.css";

export function Coverage({ overview: { clusters, agents } }: { overview: Overview }) {
  const dropped = Object.values(agents.dropped).reduce((sum, each) => sum + each, 0);
  return (
    <div className={css.coverage}>
      <Panel
        title="Clusters and agents"
        aside={
          <span>
            <Link to="/inventory/agents">
              {count(agents.connected)} of {count(agents.total)} agents connected
            </Link>{" "}
            {dropped > 0 && <Tag tone="warn">{count(dropped)} records dropped</Tag>}
          </span>
        }
      >
        {clusters.length === 0 && (
          <span className="muted">
            Nothing is connected yet. <Link to="/clusters">Enrol a cluster</Link>
          </span>
        )}
        <ul className={css.rows}>
          {clusters.map((cluster) => (
            <li key={cluster.id}>
              <Freshness word={cluster.freshness} />
              <div>
                <Link to="/clusters" search={{ open: cluster.id }}>
                  {cluster.name}
                </Link>
              </div>
              <span className="muted">
                {[cluster.kind === "kubernetes" ? "Kubernetes" : "Machine", cluster.version].filter(Boolean).join(" ")} ·{" "}
                {plural(cluster.agents_connected, "agent")}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
