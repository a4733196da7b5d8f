// What a page keeps in the URL. Every value is plain text, so that an address can be read, typed and shared.

export interface Search {
  /** The filter, in the hub's grammar. */
  filter?: string;
  /** A column, `-` in front for descending. */
  sort?: string;
  /** Column ids joined by commas, where they are not the page's own choice. */
  columns?: string;
  /** The id of the item in the drawer. */
  open?: string;
  /** The tab within the drawer. */
  tab?: string;
  /** A scope path, on pages that look at one scope. */
  scope?: string;
}

const KEYS = ["filter", "sort", "columns", "open", "tab", "scope"] as const;

/** Keeps the known, non-empty texts and drops the rest. */
export function readSearch(raw: Record<string, unknown>): Search {
  const search: Search = {};
  for (const key of KEYS) {
    const value = raw[key];
    if (typeof value === "string" && value !== "") search[key] = value;
  }
  return search;
}

export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Characters of the filter grammar that may stand in a query unescaped (RFC 3986, 3.4) stay readable. */
export function stringifySearch(search: Record<string, unknown>): string {
  const pairs = Object.entries(search).flatMap(([key, value]) =>
    typeof value === "string" && value !== ""
      ? [`${key}=${encodeURIComponent(value).replace(/%(3A|2C|2F|2A|40)/g, decodeURIComponent)}`]
      : [],
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/** Clicking a heading: ascending, descending, then the page's own order again. */
export function nextSort(sort: string | undefined, column: string): string | undefined {
  if (sort === column) return `-${column}`;
  return sort === `-${column}` ? undefined : column;
}

/** The shown column ids, in the page's order; unknown ids are ignored, an empty choice is the default. */
export function shownColumns(all: readonly { id: string; hidden?: boolean }[], chosen: string | undefined): string[] {
  const names = chosen?.split(",") ?? [];
  const known = all.filter((column) => names.includes(column.id));
  return (known.length > 0 ? known : all.filter((column) => !column.hidden)).map((column) => column.id);
}
