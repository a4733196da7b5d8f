// A hub that answers from fixtures: `dist` under the real content security policy, the API, the stream.
import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { asAlert, eventsOf, reverseShell } from "./alerts";
import { answer, type Caller } from "./api";
import { clusters } from "./estate";
import { Refusal } from "./refusal";
import { emptyWorld, fullWorld, type World } from "./world";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const TYPES: Record<string, string> = {
  ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2",
};

export interface MockHub {
  url: string;
  /** A reverse shell fires: the alert is stored and the stream tells. */
  fire: () => void;
  /** A cluster comes in, and the stream tells. */
  register: () => void;
  close: () => Promise<void>;
}

export async function startHub(options: { empty?: boolean; port?: number } = {}): Promise<MockHub> {
  const world = options.empty === true ? emptyWorld(Date.now()) : fullWorld(Date.now());
  const sessions = new Map<string, Caller>();
  const streams = new Set<ServerResponse>();
  let eventId = 0;

  function tell(noun: string, id: string): void {
    eventId += 1;
    const data = JSON.stringify({ id, noun, revision: eventId });
    for (const stream of streams) stream.write(`id: ${eventId}\nevent: ${noun}\ndata: ${data}\n\n`);
  }

  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? "/", "http://hub");
      if (!url.pathname.startsWith("/api/v1/")) {
        serveFile(url.pathname, response);
        return;
      }
      const path = url.pathname.slice("/api/v1".length);
      const caller = sessions.get(/seawall=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "") ?? null;
      if (path === "/stream" && caller) {
        openStream(request, response, streams);
        return;
      }
      try {
        const body = await readBody(request);
        const result = answer({ world, sessions, caller, tell, method: request.method ?? "GET", path, query: url.searchParams, body });
        if (request.headers.accept === "text/csv") {
          csv(result.body, response);
          return;
        }
        const headers: Record<string, string> = { "Content-Type": "application/json" };
        if (result.cookie !== undefined) headers["Set-Cookie"] = `seawall=${result.cookie}; HttpOnly; SameSite=Strict; Path=/`;
        response.writeHead(result.body === undefined ? 204 : 200, headers);
        response.end(result.body === undefined ? "" : JSON.stringify(result.body));
      } catch (error) {
        refuse(error, response);
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    fire: () => fire(world, tell),
    register: () => register(world, tell),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function fire(world: World, tell: (noun: string, id: string) => void): void {
  const alert = asAlert(reverseShell(Date.now()), Date.now(), 1);
  world.alerts.unshift(alert);
  world.events.push(...eventsOf(alert));
  tell("alert", alert.id);
}

function register(world: World, tell: (noun: string, id: string) => void): void {
  const [cluster] = clusters(Date.now());
  if (!cluster) return;
  world.clusters.push(cluster);
  tell("cluster", cluster.id);
}

function openStream(request: IncomingMessage, response: ServerResponse, streams: Set<ServerResponse>): void {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.write(": hello\n\n");
  streams.add(response);
  request.on("close", () => streams.delete(response));
}

function serveFile(path: string, response: ServerResponse): void {
  const file = path === "/" ? "" : DIST + path.slice(1);
  if (file.startsWith(DIST) && !path.includes("..") && statSync(file, { throwIfNoEntry: false })?.isFile() === true && path !== "/index.html") {
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    response.end(readFileSync(file));
    return;
  }
  const nonce = randomBytes(16).toString("base64url");
  response.writeHead(200, {
    "Content-Type": "text/html; charset=utf-8",
    // The same words as `crates/hub/src/ui.rs`.
    "Content-Security-Policy": `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  });
  response.end(readFileSync(`${DIST}index.html`, "utf8").replace("__CSP_NONCE__", nonce));
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function csv(body: unknown, response: ServerResponse): void {
  const { items } = body as { items: Record<string, unknown>[] };
  const names = Object.keys(items[0] ?? { id: "" });
  const lines = items.map((item) => names.map((name) => JSON.stringify(item[name] ?? "")).join(","));
  response.writeHead(200, { "Content-Type": "text/csv" });
  response.end([names.join(","), ...lines, ""].join("\r\n"));
}

function refuse(error: unknown, response: ServerResponse): void {
  const refusal = error instanceof Refusal ? error : new Refusal(500, String(error));
  response.writeHead(refusal.status, { "Content-Type": "application/problem+json" });
  response.end(
    JSON.stringify({
      type: refusal.type, title: refusal.title, status: refusal.status, detail: refusal.message, request_id: randomBytes(6).toString("hex"),
      errors: refusal.pointer === null ? [] : [{ pointer: refusal.pointer, detail: refusal.message }],
    }),
  );
}
