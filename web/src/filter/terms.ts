// Facets read and change single terms of a filter and leave the rest as it was typed.
import { lex, quote, type Token } from "./lex";

type Term = Extract<Token, { kind: "term" }>;

/** Terms that must hold on their own: outside parentheses, in a filter without a top-level OR. */
function conjuncts(tokens: Token[]): Token[] {
  const top: Token[] = [];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "open") depth += 1;
    else if (token.kind === "close") depth -= 1;
    else if (depth === 0 && token.kind === "or") return [];
    else if (depth === 0 && token.kind !== "and") top.push(token);
  }
  return top;
}

function listing(tokens: Token[], field: string): Term | undefined {
  return conjuncts(tokens).find(
    (token): token is Term => token.kind === "term" && token.field === field && !token.negated && token.operator === "",
  );
}

/** The values that `field:a,b` names, in order. */
export function selected(filter: string, field: string): string[] {
  return listing(lex(filter), field)?.values.map((value) => value.text).filter((text) => text !== "") ?? [];
}

/** Adds `value` to the field's term, or takes it out when it is there; an emptied term goes. */
export function toggle(filter: string, field: string, value: string): string {
  const tokens = lex(filter);
  const term = listing(tokens, field);
  if (!term) return and(filter, tokens, `${field}:${quote(value)}`);
  const before = term.values.map((each) => each.text).filter((text) => text !== "");
  const after = before.includes(value) ? before.filter((text) => text !== value) : [...before, value];
  if (after.length === 0) return without(filter, tokens, term);
  return tidy(`${filter.slice(0, term.start)}${field}:${after.map(quote).join(",")}${filter.slice(term.end)}`);
}

/** An explicit AND beside the term goes with it, as it would stand beside nothing. */
function without(filter: string, tokens: Token[], term: Term): string {
  const at = tokens.indexOf(term);
  const [before, after] = [tokens[at - 1], tokens[at + 1]];
  if (before?.kind === "and") return tidy(filter.slice(0, before.start) + filter.slice(term.end));
  return tidy(filter.slice(0, term.start) + filter.slice(after?.kind === "and" ? after.end : term.end));
}

/** The filter with every term of the field gone and `value` alone in its place. */
export function only(filter: string, field: string, value: string): string {
  const rest = selected(filter, field).reduce((text, each) => toggle(text, field, each), filter);
  return toggle(rest, field, value);
}

/** Appends one more condition; a filter with a top-level OR is put into parentheses first. */
function and(filter: string, tokens: Token[], condition: string): string {
  const whole = tokens.length > 0 && conjuncts(tokens).length === 0 && hasTopLevelOr(tokens);
  return tidy(`${whole ? `(${filter.trim()})` : filter} ${condition}`);
}

function hasTopLevelOr(tokens: Token[]): boolean {
  let depth = 0;
  return tokens.some((token) => {
    if (token.kind === "open") depth += 1;
    if (token.kind === "close") depth -= 1;
    return depth === 0 && token.kind === "or";
  });
}

function tidy(filter: string): string {
  return filter.replace(/(\s)\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/g, "$1").trim();
}
