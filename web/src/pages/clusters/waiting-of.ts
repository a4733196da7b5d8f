// Who waits to be let in, over all enrolment tokens.
import type { Enrolment, Millis } from "../../api/types";

export interface WaitingCluster {
  enrolment: string;
  scope: string;
  uid: string;
  name: string;
  /** Of its last attempt. */
  at: Millis;
}

/** Each waiting cluster once per token, the newest first. A revoked token lets nobody in. */
export function waitingOf(enrolments: readonly Enrolment[]): WaitingCluster[] {
  const found = enrolments.filter(({ revoked }) => !revoked).flatMap(({ id, scope, waiting }) =>
    waiting.map(({ cluster_uid: uid, cluster_name: name, at }) => ({ enrolment: id, scope, uid, name, at })),
  );
  return found.sort((a, b) => b.at - a.at);
}
