// Filter, sort and pages over plain arrays: enough of the hub's grammar to drive the console, top-level terms only.
import type { Page, Severity } from "../../src/api/types";
import { lex } from "../../src/filter/lex";

const RANK: Severity[] = ["unknown", "info", "low", "medium", "high", "critical"];

type Cell = string | number | boolean | null;

/** A field with several values fits where one of them does. */
export type Fields<T> = Record<string, (row: T) => Cell | string[]>;

export class FilterMistake extends Error {}

export function select<T>(rows: readonly T[], filter: string, fields: Fields<T>): T[] {
  const tokens = lex(filter);
  return rows.filter((row) =>
    tokens.every((token) => {
      if (token.kind === "text") return JSON.stringify(row).toLowerCase().includes(token.text.toLowerCase()) !== token.negated;
      if (token.kind !== "term") return true;
      const field = fields[token.field];
      if (!field) throw new FilterMistake(`there is no field \`${token.field}\`; near it: ${Object.keys(fields).slice(0, 3).join(", ")}`);
      const own = field(row);
      const cells = Array.isArray(own) ? own : [own];
      return token.values.some((value) => cells.some((cell) => fits(cell, token.operator, value.text))) !== token.negated;
    }),
  );
}

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function fits(cell: Cell, operator: string, text: string): boolean {
  if (text === "*") return cell !== null;
  if (cell === null) return false;
  // `<7d` is younger than seven days.
  const span = /^(\d+)([smhd])$/.exec(text);
  if (span && typeof cell === "number") return fits(Date.now() - cell, operator, String(Number(span[1]) * (UNITS[span[2] ?? ""] ?? 1)));
  const own = cell;
  const [left, right] =
    RANK.includes(text as Severity) && RANK.includes(own as Severity)
      ? [RANK.indexOf(own as Severity), RANK.indexOf(text as Severity)]
      : typeof own === "number" ? [own, Number(text)] : [String(own), text];
  if (operator === ">=") return left >= right;
  if (operator === "<=") return left <= right;
  if (operator === ">") return left > right;
  if (operator === "<") return left < right;
  return text.endsWith("*") ? String(own).startsWith(text.slice(0, -1)) : String(left) === String(right);
}

export function sorted<T>(rows: T[], sort: string, fields: Fields<T>): T[] {
  const descending = sort.startsWith("-");
  const field = fields[sort.replace(/^-/, "")];
  if (!field) return rows;
  const key = (row: T) => {
    const own = field(row);
    return RANK.includes(own as Severity) ? RANK.indexOf(own as Severity) : own;
  };
  return rows.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)];
    const order = x === y ? 0 : (x ?? "") < (y ?? "") ? -1 : 1;
    return descending ? -order : order;
  });
}

export function page<T>(rows: readonly T[], limit: number, after: number): Page<T> {
  const items = rows.slice(after, after + limit);
  const next = after + items.length < rows.length ? String(after + items.length) : null;
  return { items, next, total: { value: rows.length, exact: true } };
}
