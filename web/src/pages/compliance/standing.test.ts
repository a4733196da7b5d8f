import { expect, test } from "vitest";
import type { ControlState, FrameworkControl, FrameworkSection } from "../../api/types";
import { controlsOf, lines, percent, resourceWords, stateOf, statesOf } from "./standing";

const control = (id: string, state: ControlState, counts: Partial<FrameworkControl> = {}): FrameworkControl => ({
  id, title: id, severity: "high", preview: false, sections: [], state, passed: 0, failed: 0, unknown: 0, not_applicable: 0, exempt: 0,
  mitigated: 0, compliance: null, ...counts,
});

const section = (number: string | null, ...controls: FrameworkControl[]): FrameworkSection => ({ number, title: null, controls });

const SECTIONS = [
  section("1.1", control("a", "failing"), control("b", "passing")),
  section("1.2"),
  section(null, control("a", "failing"), control("c", "unknown")),
];

test("a part never reads as the whole", () => {
  expect([100, 99.97, 50, 33.333, 0.04, 0, null].map(percent)).toEqual(["100%", "99.9%", "50%", "33.3%", "<0.1%", "0%", "–"]);
  expect(percent(99.9)).toBe("99.9%");
});

test("a filter names one state or all are shown", () => {
  expect(stateOf("state:failing")).toBe("failing");
  expect(stateOf("state:sideways")).toBeNull();
  expect(stateOf(undefined)).toBeNull();
});

test("what nobody answers is shown beside what nobody can tell", () => {
  expect(lines(SECTIONS, null).map((line) => [line.id, line.repeats])).toEqual([
    ["1.1/a", false], ["1.1/b", true], ["1.2", false], ["2/a", false], ["2/c", true],
  ]);
  expect(lines(SECTIONS, "unknown").map((line) => line.id)).toEqual(["1.2", "2/c"]);
  expect(lines(SECTIONS, "passing").map((line) => [line.id, line.repeats])).toEqual([["1.1/b", false]]);
});

test("a control in two sections is one", () => {
  expect([...controlsOf(SECTIONS).keys()]).toEqual(["a", "b", "c"]);
  expect(statesOf(SECTIONS)).toEqual({ failing: 1, unknown: 1, passing: 1, exempt: 0, not_applicable: 0, not_assessed: 0 });
});

test("counts in words leave zeros out", () => {
  expect(resourceWords(control("a", "failing", { failed: 1, passed: 8, not_applicable: 2 }))).toBe("1 fails, 8 pass, 2 not concerned");
  expect(resourceWords(control("a", "not_assessed"))).toBe("");
});
