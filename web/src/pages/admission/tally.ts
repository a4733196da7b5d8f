// Facet counts of decisions, counted here: the hub has none for them.
import type { StoredDecision, Verdict } from "../../api/types";

export interface Count {
  value: string;
  count: number;
}

export interface Tally {
  verdict: Map<Verdict, number>;
  control: (Count & { title: string })[];
  namespace: Count[];
  cluster: Count[];
}

function counted(values: readonly (string | null)[]): Count[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || a.value.localeCompare(b.value));
}

export function tally(decisions: readonly StoredDecision[]): Tally {
  const controls = decisions.flatMap((decision) => decision.controls);
  const titles = new Map(controls.map((each) => [each.control, each.title]));
  return {
    verdict: new Map(counted(decisions.map((each) => each.verdict)).map(({ value, count }) => [value as Verdict, count])),
    control: counted(controls.map((each) => each.control)).map((each) => ({ ...each, title: titles.get(each.value) ?? each.value })),
    namespace: counted(decisions.map((each) => each.resource.namespace)),
    cluster: counted(decisions.map((each) => each.cluster)),
  };
}
