// Reads of the hub's nouns. The first word of a key is the noun's path, which is what the stream invalidates.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { call, type Query } from "./http";
import type { FilterField, Page } from "./types";

/** Rows per request; the hub allows up to 500. */
const PAGE_ROWS = 50;

/** `noun` is the path below `/api/v1`, such as `alerts` or `images/ID/packages`. */
export function listQuery<T>(noun: string, query: Query) {
  return infiniteQueryOptions({
    queryKey: [...noun.split("/"), "list", query],
    queryFn: ({ pageParam, signal }) =>
      call<Page<T>>("GET", `/${noun}`, { query: { ...query, limit: PAGE_ROWS, after: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });
}

/** The first `limit` rows, for panels that show no more. */
export function topQuery<T>(noun: string, limit: number, query: Query) {
  return queryOptions({
    queryKey: [...noun.split("/"), "top", limit, query],
    queryFn: ({ signal }) => call<Page<T>>("GET", `/${noun}`, { query: { ...query, limit }, signal }),
  });
}

export function itemQuery<T>(noun: string, id: string) {
  return queryOptions({
    queryKey: [noun, "item", id],
    queryFn: ({ signal }) => call<T>("GET", `/${noun}/${encodeURIComponent(id)}`, { signal }),
  });
}

/** A resource that is neither a list nor an item, such as `overview` or `alerts/facets`. */
export function documentQuery<T>(path: string, query: Query = {}) {
  return queryOptions({
    queryKey: [...path.split("/"), "document", query],
    queryFn: ({ signal }) => call<T>("GET", `/${path}`, { query, signal }),
  });
}

/** The hub answers with the array itself or with a list's envelope. */
export function filterFieldsQuery(noun: string) {
  return queryOptions({
    queryKey: ["filters", noun],
    queryFn: async ({ signal }) => {
      const answer = await call<FilterField[] | { items: FilterField[] }>("GET", `/filters/${noun}`, { signal });
      return Array.isArray(answer) ? answer : answer.items;
    },
    staleTime: Infinity,
  });
}
