// Cuts a filter into tokens with their places. The hub judges a filter; the page only has to know where its
// terms lie, so that facets can change one and completion can offer the next. Nothing typed is ever refused here.

export interface Value {
  text: string;
  start: number;
  end: number;
}

export type Token =
  | { kind: "term"; start: number; end: number; negated: boolean; field: string; operator: string; values: Value[] }
  | { kind: "text"; start: number; end: number; negated: boolean; text: string }
  | { kind: "open" | "close" | "or" | "and"; start: number; end: number };

const SPACE = /\s/;
const OPERATORS = [">=", "<=", ">", "<"] as const;

/** Never fails: an unclosed quote runs to the end. */
export function lex(filter: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < filter.length) {
    const char = filter.charAt(at);
    if (SPACE.test(char)) {
      at += 1;
    } else if (char === "(" || char === ")") {
      tokens.push({ kind: char === "(" ? "open" : "close", start: at, end: at + 1 });
      at += 1;
    } else if (char === "-" && filter.charAt(at + 1) === "(") {
      tokens.push({ kind: "open", start: at, end: at + 2 });
      at += 2;
    } else {
      const end = wordEnd(filter, at);
      tokens.push(word(filter, at, end));
      at = end;
    }
  }
  return tokens;
}

/** The end of the word that begins at `start`: a space or parenthesis outside quotes. */
function wordEnd(filter: string, start: number): number {
  let quoted = false;
  for (let at = start; at < filter.length; at += 1) {
    const char = filter.charAt(at);
    if (quoted && char === "\\") at += 1;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (SPACE.test(char) || char === "(" || char === ")")) return at;
  }
  return filter.length;
}

function word(filter: string, start: number, end: number): Token {
  const raw = filter.slice(start, end);
  if (raw === "OR") return { kind: "or", start, end };
  if (raw === "AND") return { kind: "and", start, end };
  const negated = raw.startsWith("-") && raw.length > 1;
  const bodyStart = start + (negated ? 1 : 0);
  const body = filter.slice(bodyStart, end);
  const name = /^([A-Za-z_.][\w.-]*):/.exec(body)?.[1];
  if (name === undefined) return { kind: "text", start, end, negated, text: unquote(body) };
  let valueStart = bodyStart + name.length + 1;
  const operator = OPERATORS.find((op) => filter.startsWith(op, valueStart)) ?? "";
  valueStart += operator.length;
  return { kind: "term", start, end, negated, field: name, operator, values: values(filter, valueStart, end) };
}

/** Splits `a,"b c",d` at commas outside quotes. An empty last value is kept: that is where the cursor stands. */
function values(filter: string, start: number, end: number): Value[] {
  const found: Value[] = [];
  let from = start;
  let quoted = false;
  for (let at = start; at <= end; at += 1) {
    const char = filter.charAt(at);
    if (at < end && quoted && char === "\\") at += 1;
    else if (at < end && char === '"') quoted = !quoted;
    else if (at === end || (char === "," && !quoted)) {
      found.push({ text: unquote(filter.slice(from, at)), start: from, end: at });
      from = at + 1;
    }
  }
  return found;
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.replace(/^"/, "").replace(/(?<!\\)"$/, "").replace(/\\(["\\])/g, "$1");
}

/** A value as it must be written: quoted where it holds anything the grammar reads. */
export function quote(value: string): string {
  if (/^[^\s"(),:<>=*\\-][^\s"(),<>=*\\]*$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}
