// A list's answer: filtered, sorted, one page of it.
import type { Page } from "../../src/api/types";
import { Refusal } from "./refusal";
import { FilterMistake, page, select, sorted, type Fields } from "./select";

export function listing<T>(rows: readonly T[], query: URLSearchParams, fields: Fields<T>, defaultSort: string): Page<T> {
  try {
    const matching = sorted(select(rows, query.get("filter") ?? "", fields), query.get("sort") ?? defaultSort, fields);
    return page(matching, Number(query.get("limit") ?? 50), Number(query.get("after") ?? 0));
  } catch (error) {
    if (error instanceof FilterMistake) throw new Refusal(400, error.message, "?filter");
    throw error;
  }
}
