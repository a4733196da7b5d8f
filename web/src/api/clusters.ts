// What is said of clusters wherever one is named: how fresh the picture is.
import { queryOptions } from "@tanstack/react-query";
import { documentQuery } from "./queries";
import type { Freshness, Overview } from "./types";

type Known = Pick<Overview["clusters"][number], "id" | "uid" | "name" | "scope" | "freshness">;

const AGES: readonly Freshness[] = ["fresh", "stale", "silent"];

/** `cluster` is a name, UID, id or scope. Two clusters may share a name: then the older picture counts. */
export function freshnessOf(known: readonly Known[], cluster: string | null): Freshness | undefined {
  const fits = known.filter((each) => [each.name, each.uid, each.id, each.scope].includes(cluster ?? ""));
  return fits.map((each) => each.freshness).sort((a, b) => AGES.indexOf(b) - AGES.indexOf(a))[0];
}

/** The side bar asks for the overview anyway, so a badge costs no request. */
export const freshnessQuery = (cluster: string | null) =>
  queryOptions({
    ...documentQuery<Overview>("overview"),
    select: (overview: Overview) => freshnessOf(overview.clusters, cluster) ?? null,
  });
