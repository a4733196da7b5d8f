// From when to when requests passed unjudged, how many, and why.
import type { StoredGap } from "../../api/types";
import { plural } from "../../format/text";
import { duration, span } from "../../format/time";

/** By the agent's word; an unknown one is shown as it is. */
const REASONS: Record<string, string> = {
  restart: "the agent was restarted",
  unreachable: "no agent could be reached",
  expired: "the webhook's certificate had expired",
  timeout: "the agent did not answer in time",
};

export function gapReason(reason: string): string {
  return REASONS[reason] ?? reason;
}

/** A count needs the API server's audit events; without them it is unknown, never zero. */
export function gapRequests({ requests }: Pick<StoredGap, "requests">): string {
  return requests === null ? "an unknown number of requests" : plural(requests, "request");
}

export function GapText({ gap }: { gap: StoredGap }) {
  return (
    <>
      {span(gap.from, gap.to)} ({duration(gap.to - gap.from)}), {gapRequests(gap)} not judged: {gapReason(gap.reason)}.
    </>
  );
}
