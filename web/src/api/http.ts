// One way to the hub: JSON in, JSON out, every failure a `HubError` that keeps the hub's own words.
import type { ProblemDetails } from "./types";

export const BASE = "/api/v1";

export class HubError extends Error {
  readonly problem: ProblemDetails;

  constructor(problem: ProblemDetails) {
    super(problem.detail ?? problem.title);
    this.name = "HubError";
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }
}

export type Query = Record<string, string | number | null | undefined>;

export interface Request {
  query?: Query;
  body?: unknown;
  /** The revision the change is based on; the hub answers 412 when it has moved on. */
  revision?: number;
  accept?: string;
  signal?: AbortSignal;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** `path` is below `/api/v1`. Empty values are left out of the query. */
export function address(path: string, query: Query = {}): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") pairs.set(name, String(value));
  }
  const text = pairs.toString();
  return `${BASE}${path}${text === "" ? "" : `?${text}`}`;
}

/** Answers with the decoded body; `undefined` for 204. Throws `HubError`, also when the hub cannot be reached. */
export async function call<T>(method: Method, path: string, request: Request = {}): Promise<T> {
  const answer = await send(method, path, request);
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

export async function send(method: Method, path: string, request: Request): Promise<Response> {
  const headers = new Headers({ Accept: request.accept ?? "application/json" });
  if (request.body !== undefined) headers.set("Content-Type", "application/json");
  if (method === "POST") headers.set("Idempotency-Key", crypto.randomUUID());
  if (request.revision !== undefined) headers.set("If-Match", `"${request.revision}"`);
  let answer: Response;
  try {
    answer = await fetch(address(path, request.query), {
      method,
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal: request.signal ?? null,
      credentials: "same-origin",
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new HubError({ type: "/problems/unreachable", title: "The hub cannot be reached", status: 0 });
  }
  if (!answer.ok) throw new HubError(await problemOf(answer));
  return answer;
}

async function problemOf(answer: Response): Promise<ProblemDetails> {
  const fallback = { type: "about:blank", title: answer.statusText || "Request failed", status: answer.status };
  if (!(answer.headers.get("Content-Type") ?? "").includes("json")) return fallback;
  try {
    return { ...fallback, ...((await answer.json()) as Partial<ProblemDetails>) };
  } catch {
    return fallback;
  }
}

/** What the hub says about one field of the body, by its JSON Pointer. */
export function fieldProblem(error: unknown, pointer: string): string | null {
  if (!(error instanceof HubError)) return null;
  return error.problem.errors?.find((each) => each.pointer === pointer)?.detail ?? null;
}
