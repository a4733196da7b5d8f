// Who waits, read from the refusals of enrolment tokens.
import type { Enrolment, Millis } from "../../api/types";

export interface WaitingCluster {
  enrolment: string;
  scope: string;
  uid: string;
  name: string;
  /** Of its last attempt. */
  at: Millis;
}

/** Each waiting cluster once per token, the newest first. A token that is accepted or revoked has nobody waiting. */
export function waitingOf(enrolments: readonly Enrolment[]): WaitingCluster[] {
  const found = new Map<string, WaitingCluster>();
  for (const { id, scope, accepted, revoked, refusals } of enrolments) {
    if (accepted || revoked) continue;
    for (const { reason, cluster_uid: uid, cluster_name: name, at } of refusals) {
      const key = `${id} ${uid}`;
      if (reason !== "waiting" || (found.get(key)?.at ?? 0) > at) continue;
      found.set(key, { enrolment: id, scope, uid, name, at });
    }
  }
  return [...found.values()].sort((a, b) => b.at - a.at);
}
