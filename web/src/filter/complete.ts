// What the query bar offers at the cursor: fields first, then the field's values.
import type { FilterField } from "../api/types";
import { lex, quote } from "./lex";

export interface Completion {
  /** Replaces the filter from `from` to `to`. */
  text: string;
  label: string;
  hint: string;
}

export interface Completions {
  from: number;
  to: number;
  options: Completion[];
}

/** More would not be read. */
const MAX_OPTIONS = 12;

/** What can be typed for a type whose values the hub cannot list. */
const EXAMPLES: Record<string, readonly string[]> = {
  time: ["<1h", "<24h", "<7d", ">30d"],
  age: ["<1h", "<24h", "<7d", ">30d"],
  duration: ["<1h", "<24h", "<7d", ">30d"],
  boolean: ["true", "false"],
  bool: ["true", "false"],
};

export function complete(filter: string, cursor: number, fields: readonly FilterField[]): Completions {
  const token = lex(filter).find((each) => each.start < cursor && cursor <= each.end);
  if (token?.kind === "term") {
    const value = token.values.find((each) => each.start <= cursor && cursor <= each.end) ?? token.values.at(-1);
    const field = fields.find((each) => each.name === token.field);
    if (!field || !value) return { from: cursor, to: cursor, options: [] };
    const typed = filter.slice(value.start, cursor).replace(/^"/, "");
    const first = token.values.length === 1 && token.operator === "";
    return { from: value.start, to: value.end, options: valuesOf(field, typed, first) };
  }
  if (token && token.kind !== "text") return { from: cursor, to: cursor, options: [] };
  const from = token ? token.start + (token.negated ? 1 : 0) : cursor;
  const typed = filter.slice(from, cursor).toLowerCase();
  if (typed.startsWith('"')) return { from: cursor, to: cursor, options: [] };
  const options = rank(fields, typed, (field) => field.name).map((field) => ({
    text: `${field.name}:`,
    label: field.name,
    hint: hintOf(field),
  }));
  return { from, to: token?.end ?? cursor, options: options.slice(0, MAX_OPTIONS) };
}

function valuesOf(field: FilterField, typed: string, first: boolean): Completion[] {
  const known = field.values ?? [];
  const options = rank(known, typed.toLowerCase(), (value) => value).map((value) => ({
    text: `${quote(value)} `,
    label: value,
    hint: "",
  }));
  if (field.type === "severity" && first && typed === "") {
    options.unshift({ text: ">=high ", label: ">=high", hint: "high and worse" });
  }
  if (known.length === 0 && first) {
    for (const example of EXAMPLES[field.type] ?? []) {
      if (example.startsWith(typed)) options.push({ text: `${example} `, label: example, hint: "" });
    }
  }
  if (first && typed === "") options.push({ text: "* ", label: "*", hint: "any value" });
  return options.slice(0, MAX_OPTIONS);
}

/** Those that begin with what was typed, then those that hold it. */
function rank<T>(all: readonly T[], typed: string, name: (one: T) => string): T[] {
  const begins = all.filter((one) => name(one).toLowerCase().startsWith(typed));
  const holds = all.filter((one) => !begins.includes(one) && name(one).toLowerCase().includes(typed));
  return [...begins, ...holds];
}

function hintOf(field: FilterField): string {
  const values = field.values ?? [];
  if (values.length > 0) return `${values.slice(0, 3).join(", ")}${values.length > 3 ? ", …" : ""}`;
  return field.type;
}
