import { expect, test } from "vitest";
import type { Enrolment } from "../../api/types";
import { waitingOf } from "./waiting-of";

const waits = (at: number, uid: string) => ({ at, cluster_uid: uid, cluster_name: `cluster ${uid}` });
const enrolment = (id: string, waiting: Enrolment["waiting"], revoked = false): Enrolment => ({
  id, scope: "/org/", created: 0, expires: 9, uses: [], uses_allowed: 1, manual_accept: true, accepted: false, revoked,
  refused: 0, refusals: [], waiting, admitted: [],
});

test("the newest waits first, and nobody at a revoked token", () => {
  const waiting = waitingOf([
    enrolment("a", [waits(5, "u1"), waits(3, "u2")]),
    enrolment("b", []),
    enrolment("c", [waits(9, "u3")], true),
    enrolment("d", [waits(4, "u4")]),
  ]);
  expect(waiting.map(({ uid, at }) => [uid, at])).toEqual([["u1", 5], ["u4", 4], ["u2", 3]]);
});
