import { expect, test } from "vitest";
import type { FilterField } from "../api/types";
import { complete } from "./complete";
import { lex, quote } from "./lex";
import { only, selected, toggle } from "./terms";

/** Tokens as text: `-field>=[a|b]`, `"words"`, `(`, `)`, `OR`. */
function show(filter: string): string {
  return lex(filter)
    .map((token) => {
      if (token.kind !== "term" && token.kind !== "text") {
        return { open: "(", close: ")", or: "OR", and: "AND" }[token.kind];
      }
      const sign = token.negated ? "-" : "";
      if (token.kind === "text") return `${sign}"${token.text}"`;
      return `${sign}${token.field}${token.operator}[${token.values.map((value) => value.text).join("|")}]`;
    })
    .join(" ");
}

test.each([
  ["", ""],
  ["severity:>=high fix:available", "severity>=[high] fix[available]"],
  ["cluster:prod-* -namespace:kube-system age:<7d", "cluster[prod-*] -namespace[kube-system] age<[7d]"],
  ['(kev:true OR epss:>0.1) "log4j"', '( kev[true] OR epss>[0.1] ) "log4j"'],
  ["severity:high,critical", "severity[high|critical]"],
  ['namespace:"a b","c,d"', "namespace[a b|c,d]"],
  ["detection:SW-D-0041", "detection[SW-D-0041]"],
  ["namespace:", "namespace[]"],
  ["namespace:a,", "namespace[a|]"],
  ["-(a:1 OR b:2)", "( a[1] OR b[2] )"],
  ['"open', '"open"'],
  ['x:"a\\"b"', 'x[a"b]'],
  ["ORacle OR or", '"ORacle" OR "or"'],
  ["http://x", "http[//x]"],
  ["a AND image-digest:x", '"a" AND image-digest[x]'],
])("lex %s", (filter, expected) => {
  expect(show(filter)).toBe(expected);
});

test.each(["shop", "a b", 'say "hi"', "-x", "a,b", "prod-1", "Deployment/web", "reg:5000/a", "*", "back\\slash"])(
  "a quoted value reads back: %s",
  (value) => {
    expect(selected(`field:${quote(value)}`, "field")).toEqual([value]);
  },
);

test.each([
  ["", "severity", "high", "severity:high"],
  ["severity:high", "severity", "critical", "severity:high,critical"],
  ["severity:high,critical", "severity", "high", "severity:critical"],
  ["severity:high", "severity", "high", ""],
  ["severity:high  namespace:shop x", "severity", "high", "namespace:shop x"],
  ["severity:>=high", "severity", "low", "severity:>=high severity:low"],
  ["-namespace:a", "namespace", "a", "-namespace:a namespace:a"],
  ["a:1 OR b:2", "severity", "high", "(a:1 OR b:2) severity:high"],
  ["(a:1 OR severity:low)", "severity", "high", "(a:1 OR severity:low) severity:high"],
  ['"two  spaces"', "x", "y", '"two  spaces" x:y'],
  ["a AND severity:high b", "severity", "high", "a b"],
  ["severity:high AND a", "severity", "high", "a"],
])("toggle in %s: %s %s", (filter, field, value, expected) => {
  expect(toggle(filter, field, value)).toBe(expected);
});

test("only replaces what was listed", () => {
  expect(only("state:active,in_progress severity:high", "state", "resolved")).toBe("severity:high state:resolved");
});

const FIELDS: FilterField[] = [
  { name: "severity", type: "severity", values: ["critical", "high", "low"] },
  { name: "state", type: "keyword", values: ["active", "resolved"] },
  { name: "namespace", type: "keyword", values: ["shop", "a b"] },
  { name: "age", type: "duration" },
];

test.each([
  ["|", ["severity", "state", "namespace", "age"], "severity:"],
  ["se|", ["severity"], "severity:"],
  ["-na|", ["namespace"], "-namespace:"],
  ["severity:|", [">=high", "critical", "high", "low", "*"], "severity:>=high "],
  ["severity:h|", ["high"], "severity:high "],
  ["severity:>=h|", ["high"], "severity:>=high "],
  ["severity:high,c|", ["critical"], "severity:high,critical "],
  ["namespace:a|", ["a b"], 'namespace:"a b" '],
  ["age:|", ["<1h", "<24h", "<7d", ">30d", "*"], "age:<1h "],
  ["state:active s|", ["severity", "state", "namespace"], "state:active severity:"],
  ["nothing:|", [], null],
  ['"quo|', [], null],
])("complete %s", (marked, labels, first) => {
  const cursor = marked.indexOf("|");
  const filter = marked.replace("|", "");
  const { from, to, options } = complete(filter, cursor, FIELDS);
  expect(options.map((option) => option.label)).toEqual(labels);
  const option = options[0];
  expect(option ? filter.slice(0, from) + option.text + filter.slice(to) : null).toBe(first);
});
