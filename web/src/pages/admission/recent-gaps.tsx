// Times in which requests passed unjudged, above the decisions: without them the list would look complete.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { topQuery } from "../../api/queries";
import type { StoredGap } from "../../api/types";
import { plural } from "../../format/text";
import { ClusterName } from "../../parts/cluster-name";
import { Failure } from "../../parts/failure";
import css from "./admission.module.css";
import { GapText } from "./gap-text";

/** The newest; the tab has all. */
const SHOWN = 3;
const WEEK = "to:<7d";

export function RecentGaps() {
  const gaps = useQuery(topQuery<StoredGap>("gaps", SHOWN, { filter: WEEK, sort: "-to" }));
  const total = gaps.data?.total.value ?? 0;
  if (gaps.error) return <Failure error={gaps.error} retry={() => void gaps.refetch()} />;
  if (total === 0) return null;
  return (
    <section className={css.gaps} aria-labelledby="recent-gaps">
      <div className={css.gapsHead}>
        <h2 id="recent-gaps">{plural(total, "gap")} in the last 7 days: requests passed unjudged</h2>
        <Link to="/admission/gaps">All gaps</Link>
      </div>
      <ul>
        {gaps.data?.items.map((gap) => (
          <li key={gap.id}>
            <strong>
              <ClusterName cluster={gap.scope}>{gap.cluster}</ClusterName>
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
