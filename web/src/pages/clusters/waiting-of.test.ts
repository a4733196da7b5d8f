import { expect, test } from "vitest";
import type { Enrolment } from "../../api/types";
import { waitingOf } from "./waiting-of";

const refusal = (at: number, reason: Enrolment["refusals"][number]["reason"], uid: string) => ({
  at, reason, cluster_uid: uid, cluster_name: `cluster ${uid}`,
});
const enrolment = (id: string, refusals: Enrolment["refusals"], rest: Partial<Enrolment> = {}): Enrolment => ({
  id, scope: "/org/", created: 0, expires: 9, uses: [], uses_allowed: 1, manual_accept: true, accepted: false, revoked: false,
  refused: refusals.length, refusals, ...rest,
});

test("a cluster that tries again waits once, at its last attempt", () => {
  const waiting = waitingOf([
    enrolment("a", [refusal(1, "waiting", "u1"), refusal(5, "waiting", "u1"), refusal(3, "waiting", "u2")]),
    enrolment("b", [refusal(9, "used", "u3")]),
    enrolment("c", [refusal(9, "waiting", "u4")], { accepted: true }),
    enrolment("d", [refusal(9, "waiting", "u5")], { revoked: true }),
    enrolment("e", [refusal(4, "waiting", "u6")], { manual_accept: false }),
  ]);
  expect(waiting.map(({ uid, at }) => [uid, at])).toEqual([["u1", 5], ["u6", 4], ["u2", 3]]);
});
