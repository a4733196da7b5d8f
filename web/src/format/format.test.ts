import { expect, test } from "vitest";
import { bytes, commandLine, count, kubectlFix, kubectlPatch, plural, shell, shortDigest, words } from "./text";
import { clock, date, duration, exact, relative, span, toSecond } from "./time";

const NOW = 1_795_573_051_540;

test.each([
  [0, "now"],
  [-9_000, "now"],
  [-59_000, "59 s ago"],
  [-61_000, "1 min ago"],
  [-3_600_000, "1 h ago"],
  [-86_400_000 * 3, "3 d ago"],
  [86_400_000 * 3, "in 3 d"],
  [-86_400_000 * 40, "2026-10-16"],
])("%i ms from now is %s", (offset, expected) => {
  expect(relative(NOW + offset, NOW)).toBe(expected);
});

test("times are UTC and complete", () => {
  expect(exact(NOW)).toBe("2026-11-25 02:17:31.540 UTC");
  expect(clock(NOW)).toBe("02:17:31.540");
  expect(date(NOW)).toBe("2026-11-25");
  expect(duration(999)).toBe("0 s");
  expect(toSecond(NOW)).toBe("2026-11-25 02:17:31 UTC");
  expect(span(NOW, NOW + 41_000)).toBe("2026-11-25 02:17:31 – 02:18:12 UTC");
  expect(span(NOW, NOW + 86_400_000)).toBe("2026-11-25 02:17:31 – 2026-11-26 02:17:31 UTC");
});

test.each([
  [bytes(0), "0 B"],
  [bytes(1536), "1.5 KiB"],
  [bytes(52_428_800), "50 MiB"],
  [count(1234567), "1,234,567"],
  [plural(1, "alert"), "1 alert"],
  [plural(2, "match", "matches"), "2 matches"],
  [shortDigest(`sha256:${"ab".repeat(32)}`), "sha256:abababababab"],
  [shortDigest("short"), "short"],
  [words("in_progress"), "In progress"],
  [words("ddos"), "DDoS"],
  [words("no-dns"), "No DNS"],
  [words("cluster_agent"), "Cluster agent"],
  [shell("a b"), "'a b'"],
  [shell("it's"), `'it'\\''s'`],
  [commandLine(["sh", "-c", "id; ls"]), "sh -c 'id; ls'"],
])("%s", (actual, expected) => {
  expect(actual).toBe(expected);
});

test.each([
  [
    { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web", uid: null },
    `kubectl patch deployment.v1.apps web --namespace shop --type=json --patch '[{"op":"remove","path":"/spec/x"}]'`,
  ],
  [
    { apiVersion: "v1", kind: "Pod", namespace: null, name: "p", uid: null },
    `kubectl patch pod p --type=json --patch '[{"op":"remove","path":"/spec/x"}]'`,
  ],
])("patch command %#", (resource, expected) => {
  expect(kubectlPatch(resource, [{ op: "remove", path: "/spec/x" }])).toBe(expected);
});

test.each([
  ["Deployment", true, "kubectl patch deployment web --type=json"],
  ["Deployment", false, "kubectl patch --local --filename FILE.yaml --type=json"],
  // A pod that runs cannot be changed.
  ["Pod", true, "kubectl patch --local --filename FILE.yaml --type=json"],
])("the fix of a %s, there: %s", (kind, exists, begin) => {
  const resource = { apiVersion: "v1", kind, namespace: null, name: "web", uid: null };
  expect(kubectlFix(resource, [{ op: "remove", path: "/spec/x" }], exists).command.startsWith(begin)).toBe(true);
});
