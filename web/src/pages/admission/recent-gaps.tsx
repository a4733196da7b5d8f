// Times in which requests passed unjudged, above the decisions: without them the list would look complete.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { topQuery } from "../../api/queries";
import type { StoredGap } from "../../api/types";
import { plural } from "../../format/text";
import { ClusterName } from "../../parts/cluster-name";
import { Failure } from "../../parts/failure";
import { statusQuery } from "../clusters/status";
import css from "./admission.module.css";
import { GapText } from "./gap-text";

/** The newest; the tab has all. */
const SHOWN = 3;
const WEEK = "from:<7d";

export function RecentGaps() {
  const gaps = useQuery(topQuery<StoredGap>("gaps", SHOWN, { filter: WEEK, sort: "-from" }));
  const statuses = useQuery(statusQuery);
  const open = statuses.data?.items.filter((status) => status.admission.open_gap !== null) ?? [];
  const total = gaps.data?.total.value ?? 0;
  if (gaps.error) return <Failure error={gaps.error} retry={() => void gaps.refetch()} />;
  if (total === 0 && open.length === 0) return null;
  return (
    <section className={css.gaps} aria-labelledby="recent-gaps">
      <div className={css.gapsHead}>
        <h2 id="recent-gaps">
          {total > 0 ? `${plural(total, "gap")} in the last 7 days` : "A gap is open"}: requests passed unjudged
        </h2>
        <Link to="/admission/gaps">All gaps</Link>
      </div>
      <ul>
        {open.map(({ cluster, admission }) => (
          <li key={cluster.id}>
            <strong>
              <ClusterName cluster={cluster.id}>{cluster.name}, now</ClusterName>
            </strong>
            <span>{admission.open_gap && <GapText gap={admission.open_gap} open />}</span>
          </li>
        ))}
        {gaps.data?.items.map((gap) => (
          <li key={gap.id}>
            <strong>
              <ClusterName cluster={gap.cluster} />
            </strong>
            <span>
              <GapText gap={gap} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
