// Registrations that someone has to let in: the token asks for it, or a second cluster shows a known UID.
import { useQuery } from "@tanstack/react-query";
import { call } from "../../api/http";
import { topQuery } from "../../api/queries";
import { useMay } from "../../api/session";
import type { Enrolment } from "../../api/types";
import { shortDigest } from "../../format/text";
import { Identifier } from "../../parts/copy";
import { Failure } from "../../parts/failure";
import { Panel } from "../../parts/section";
import { Time } from "../../parts/time";
import { RowAction } from "../settings/row-action";
import css from "./clusters.module.css";
import { waitingOf, type WaitingCluster } from "./waiting-of";

/** Enrolments looked at; older ones have long expired. */
const MAX_ENROLMENTS = 100;
/** Milliseconds between two looks while somebody waits for a registration. */
const INTERVAL = 5_000;

function useWaiting(enabled: boolean) {
  return useQuery({
    ...topQuery<Enrolment>("enrolments", MAX_ENROLMENTS, {}),
    refetchInterval: INTERVAL,
    enabled,
    select: (page) => waitingOf(page.items),
  });
}

/** On the page: drawn only while someone waits. */
export function WaitingPanel() {
  const mayEnrol = useMay("enrol");
  const waiting = useWaiting(mayEnrol);
  if (!waiting.data || waiting.data.length === 0) return null;
  return (
    <div className={css.panel}>
      <Panel title="Waiting to be let in">
        <WaitingList waiting={waiting.data} />
      </Panel>
    </div>
  );
}

/** In the dialog, under the commands. */
export function WaitingHere() {
  const waiting = useWaiting(true);
  return (
    <div role="status" className={css.waitingHere}>
      {waiting.error && <Failure error={waiting.error} />}
      {waiting.data?.length === 0 && <span className="muted">No registration waits to be let in.</span>}
      {waiting.data && waiting.data.length > 0 && (
        <>
          <strong>Waiting to be let in</strong>
          <WaitingList waiting={waiting.data} />
        </>
      )}
    </div>
  );
}

function WaitingList({ waiting }: { waiting: readonly WaitingCluster[] }) {
  return (
    <ul className={css.waiting}>
      {waiting.map((each) => (
        <li key={`${each.enrolment} ${each.uid}`}>
          <div>
            <strong className="wrap-anywhere">{each.name}</strong>
            <div className={css.second}>
              into <span className="mono">{each.scope}</span> · UID{" "}
              <Identifier text={each.uid} shown={shortDigest(each.uid)} label="cluster UID" />
            </div>
          </div>
          <span className="muted">
            <Time at={each.at} />
          </span>
          <RowAction
            label="Accept"
            title="Accept registration"
            about={each.name}
            noun="enrolments"
            harmless
            run={() => call("POST", `/enrolments/${each.enrolment}/accept`, { body: { cluster_uid: each.uid } })}
          >
            {each.name} gets its certificate at its next attempt. Compare the UID with{" "}
            <span className="mono">kubectl get namespace kube-system -o jsonpath={"{.metadata.uid}"}</span>: a cluster with
            the UID of another may be a clone.
          </RowAction>
        </li>
      ))}
    </ul>
  );
}
