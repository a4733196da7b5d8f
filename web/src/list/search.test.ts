import { expect, test } from "vitest";
import { nextSort, parseSearch, readSearch, shownColumns, stringifySearch } from "./search";

test.each([
  { filter: "severity:>=high namespace:shop,web", sort: "-last" },
  { filter: '(a:1 OR b:2) "50% & more" -x:é', open: "0192d3a0-7c2e-7c4b-9d3e-1f2a3b4c5d6e" },
  { filter: "123" },
  { filter: "true" },
  {},
])("an address keeps %j", (search) => {
  expect(readSearch(parseSearch(stringifySearch(search)))).toEqual(search);
});

test("an address is readable", () => {
  expect(stringifySearch({ filter: "namespace:shop,web", sort: "-last" })).toBe("?filter=namespace:shop,web&sort=-last");
});

test("foreign and empty keys are dropped", () => {
  expect(readSearch({ filter: "", sort: 3, other: "x", open: "y" })).toEqual({ open: "y" });
});

test.each([
  [undefined, "last", "last"],
  ["last", "last", "-last"],
  ["-last", "last", undefined],
  ["severity", "last", "last"],
])("sort %s, heading %s", (sort, column, expected) => {
  expect(nextSort(sort, column)).toBe(expected);
});

const COLUMNS = [{ id: "a" }, { id: "b", hidden: true }, { id: "c" }];
test.each([
  [undefined, ["a", "c"]],
  ["c,b", ["b", "c"]],
  ["nothing", ["a", "c"]],
])("columns %s", (chosen, expected) => {
  expect(shownColumns(COLUMNS, chosen)).toEqual(expected);
});
