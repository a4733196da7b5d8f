import { expect, test } from "vitest";
import { freshnessOf } from "./clusters";

const known = [
  { id: "1", uid: "u1", name: "prod", scope: "/org/prod/", freshness: "fresh" as const },
  { id: "2", uid: "u2", name: "copy", scope: "/org/a/", freshness: "fresh" as const },
  { id: "3", uid: "u3", name: "copy", scope: "/org/b/", freshness: "silent" as const },
];

test.each([
  ["prod", "fresh"],
  ["u3", "silent"],
  ["2", "fresh"],
  ["/org/b/", "silent"],
  ["copy", "silent"],
  ["elsewhere", undefined],
  [null, undefined],
])("the picture of %s is %s", (cluster, expected) => {
  expect(freshnessOf(known, cluster)).toBe(expected);
});
