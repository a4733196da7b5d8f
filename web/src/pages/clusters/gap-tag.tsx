// That requests passed unjudged not long ago. Agents tell of a gap once it is over, so nothing speaks of "now".
import type { ClusterHealth } from "../../api/types";
import { plural } from "../../format/text";
import { Tag } from "../../parts/tag";
import { useNow } from "../../parts/time";
import { recentGap } from "./status";

export function GapTag({ status, what = "gap" }: { status: ClusterHealth; what?: string }) {
  const now = useNow();
  if (recentGap(status, now) === null) return null;
  return <Tag tone="warn">{plural(Math.max(status.admission.gaps_24h, 1), what)} in 24 h</Tag>;
}
