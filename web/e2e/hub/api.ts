// The contract's answers. Roles are checked as the hub does, so that a page which draws a forbidden button is found out.
import { randomBytes } from "node:crypto";
import type {
  ActionName, Alert, AlertFacets, AlertState, Assigned, Assignment, AuditVerification, Counts, CreatedEnrolment, Enrolment, Exemption,
  ExemptionState, Overview, Role, SearchHit, Session, Severity,
} from "../../src/api/types";
import { controls } from "./admission";
import { resourcesOf } from "./findings";
import { frameworkControls, frameworkOf, frameworks } from "./frameworks";
import { agentsOf, features, freshness, statuses } from "./fleet";
import { packagesOf } from "./images";
import { NOUNS, type NounName } from "./nouns";
import { ACTIONS, PASSWORD } from "./people";
import { deleteSet, saveSet, triedSet } from "./policy-sets";
import { uuid } from "./random";
import { listing } from "./listing";
import { Refusal } from "./refusal";
import { select } from "./select";
import type { World } from "./world";

export interface Caller {
  id: string;
  name: string;
  role: Role;
  password: string;
  must_change_password: boolean;
}

export interface Ask {
  world: World;
  sessions: Map<string, Caller>;
  caller: Caller | null;
  tell: (noun: string, id: string) => void;
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
}

interface Answer {
  body: unknown;
  cookie?: string;
}

export function answer(ask: Ask): Answer {
  const { method, path, caller } = ask;
  if (path === "/session" && method === "POST") return signIn(ask);
  if (!caller) throw new Refusal(401, "sign in, or send a valid token");
  if (path === "/session" && method === "GET") return { body: session(caller) };
  if (path === "/session" && method === "DELETE") return { body: undefined, cookie: "" };
  if (path === "/session/password") return changePassword(ask, caller);
  if (caller.must_change_password) throw new Refusal(403, "change your password first", null, "/problems/password-change-required");
  return method === "GET" ? { body: read(ask, caller) } : { body: write(ask, caller) };
}

function need(caller: Caller, action: ActionName): void {
  if (!ACTIONS[caller.role].includes(action)) throw new Refusal(403, `none of your roles allows \`${action}\``);
}

function session(caller: Caller): Session {
  return {
    user: { id: caller.id, name: caller.name, must_change_password: caller.must_change_password },
    roles: [{ role: caller.role, scope: "/org/", namespaces: null }],
    actions: [...ACTIONS[caller.role]],
    hub: { version: "0.1.0", feeds_note: "OSV PyPI and Go of 2026-11-24; no feed for Debian 12" },
  };
}

function signIn({ world, sessions, body }: Ask): Answer {
  const user = world.users.find((each) => each.name === body.user);
  if (!user || body.password !== PASSWORD) throw new Refusal(401, "no such user and password", null, "/problems/wrong-password");
  const role = world.roles.find((each) => each.principal.kind === "user" && each.principal.id === user.id)?.role ?? ("owner" as const);
  const caller: Caller = { id: user.id, name: user.name, role, password: PASSWORD, must_change_password: user.must_change_password };
  const cookie = randomBytes(16).toString("hex");
  sessions.set(cookie, caller);
  return { body: session(caller), cookie };
}

function changePassword({ body, world }: Ask, caller: Caller): Answer {
  if (body.current !== caller.password) throw new Refusal(400, "is not the current password", "/current");
  if (typeof body.new !== "string" || body.new.length < 12) throw new Refusal(400, "has fewer than 12 characters", "/new");
  caller.must_change_password = false;
  caller.password = body.new;
  const user = world.users.find((each) => each.id === caller.id);
  if (user) user.must_change_password = false;
  return { body: undefined };
}

const ZERO: Counts = { critical: 0, high: 0, medium: 0, low: 0, info: 0, unknown: 0 };

function tally(rows: readonly { severity: Severity }[]): Counts {
  const counts = { ...ZERO };
  for (const row of rows) counts[row.severity] += 1;
  return counts;
}

const isOpen = (alert: Alert) => alert.state === "active" || alert.state === "in_progress";

function read({ world, path, query }: Ask, caller: Caller): unknown {
  const [, first = "", id, below] = path.split("/");
  if (path === "/overview") return overview(world);
  if (path === "/alerts/facets") return facets(world, query.get("filter") ?? "");
  if (path === "/search") return { items: search(world, query.get("q") ?? "") };
  if (path === "/clusters/status") return statuses(world, Date.now());
  if (path === "/features") return features(world);
  if (path === "/controls") return listing(controls(), query, {}, "");
  if (first === "controls" && id !== undefined) return one(controls(), id);
  if (path === "/frameworks") return frameworks(world, query);
  if (first === "frameworks" && id !== undefined) return below === "controls" ? frameworkControls(world, id, query) : frameworkOf(world, id, query);
  if (path === "/audit/verify") return { ok: true, entries: world.audit.length, broken_at: null } satisfies AuditVerification;
  if (first === "filters" && id !== undefined && id in NOUNS) return NOUNS[id as NounName].completions;
  if (first === "detections" && id !== undefined) return { id, title: id, text: `- rule: Shell's input and output joined to a remote host\n  id: ${id}\n  source: syscall\n  condition: >-\n    spawned_process and shell_binaries\n  priority: CRITICAL\n` };
  if (first === "images" && below === "packages") return listing(packagesOf(one(world.images, id)), query, {}, "");
  if (first === "images" && below === "findings") {
    const image = one(world.images, id);
    return listing(world.findings.filter((finding) => finding.resource === image.name), query, NOUNS.findings.fields, "-severity");
  }
  if (first === "policy-sets" && below === "trials") {
    const set = one(world.policySets, id);
    return listing(world.trials.filter((trial) => trial.set === set.id), query, NOUNS.trials.fields, "-time");
  }
  if (first === "policy-sets" && id !== undefined) return triedSet(world, one(world.policySets, id));
  if (first === "trials" || !(first in NOUNS)) throw new Refusal(404, "no such resource");
  const noun = NOUNS[first as NounName];
  if (first === "audit") need(caller, "view_audit");
  if (["users", "roles", "tokens"].includes(first)) need(caller, "users");
  if (first === "enrolments") need(caller, "enrol");
  if (id === undefined) return noun.list(world, query);
  if (first === "recommendations") {
    const item = one(world.recommendations, id);
    return { ...item, resources: resourcesOf(item, world.findings) };
  }
  return one(noun.rows(world).flatMap((row) => ("id" in row ? [row] : [])), id);
}

function one<T extends { id: string }>(rows: readonly T[], id: string | undefined): T {
  const found = rows.find((row) => row.id === id);
  if (!found) throw new Refusal(404, "no such object");
  return found;
}

function overview(world: World): Overview {
  const empty = world.clusters.length === 0;
  const kind = (name: string) => world.findings.filter((finding) => finding.kind === name && finding.state === "unhealthy");
  const groups = [
    { group: "vulnerabilities", max: 6, score: 5.7, healthy: 140, unhealthy: 8, unknown: 96 },
    { group: "access", max: 4, score: 1.9, healthy: 1, unhealthy: 11, unknown: 1 },
    { group: "configuration", max: 4, score: 2.2, healthy: 18, unhealthy: 6, unknown: 0 },
    { group: "ddos", max: 2, score: 1, healthy: 6, unhealthy: 6, unknown: 0 },
  ];
  const frameworks = [
    { framework: "cis-k8s@1.12", score: 71.4, risk: 24.1, controls: 96, failing: 31, undecided: 12 },
    { framework: "nsa-cisa@current", score: 64.9, risk: 27.3, controls: 39, failing: 17, undecided: 2 },
    { framework: "pss-baseline@1.37", score: 93.2, risk: 8.6, controls: 13, failing: 3, undecided: 0 },
    { framework: "pss-restricted@1.37", score: 58.7, risk: 33.9, controls: 19, failing: 8, undecided: 0 },
  ];
  return {
    scope: "/org/",
    score: {
      scope: "/org/",
      at: Date.now(),
      secure: empty ? null : 60.4,
      coverage: empty ? null : 0.713,
      decided: empty ? 0 : 241,
      undecided: empty ? 0 : 97,
      groups: empty ? [] : groups,
      risk: empty ? null : 21.8,
      compliance: empty ? [] : frameworks,
    },
    moves: world.moves,
    alerts: tally(world.alerts.filter(isOpen)),
    findings: { control: tally(kind("control")), vulnerability: tally(kind("vulnerability")) },
    images: { total: world.images.length, running: world.images.filter((image) => image.running.length > 0).length, with_critical: world.images.filter((image) => (image.counts?.critical ?? 0) > 0).length },
    clusters: world.clusters.map((cluster) => ({ ...cluster, freshness: freshness(cluster), agents_connected: agentsOf(world, cluster).filter((agent) => agent.connected).length })),
    agents: { connected: world.agents.filter((agent) => agent.connected).length, total: world.agents.length, dropped: droppedByClass(world) },
    empty: empty ? ["no-cluster", "no-images", "no-sensor", "no-index"] : ["node-not-covered"],
  };
}

function droppedByClass(world: World): Record<string, number> {
  const all = world.agents.flatMap((agent) => agent.dropped);
  return Object.fromEntries(all.map((each) => [each.class, each.count]));
}

function facets(world: World, filter: string): AlertFacets {
  const rows = select(world.alerts, filter, NOUNS.alerts.fields);
  const group = (value: (alert: Alert) => string | null, title: (alert: Alert) => string | null) => {
    const counts = new Map<string, { value: string; title: string | null; count: number }>();
    for (const alert of rows) {
      const name = value(alert);
      if (name === null) continue;
      const entry = counts.get(name) ?? { value: name, title: title(alert), count: 0 };
      entry.count += 1;
      counts.set(name, entry);
    }
    return [...counts.values()].toSorted((a, b) => b.count - a.count);
  };
  const states: Record<string, number> = {};
  for (const alert of rows) states[alert.state] = (states[alert.state] ?? 0) + 1;
  return {
    severity: tally(rows), state: states,
    detection: group((alert) => alert.detection, (alert) => alert.title),
    namespace: group((alert) => alert.where.namespace, () => null),
    cluster: group((alert) => alert.where.cluster, () => null),
  };
}

function search(world: World, text: string): SearchHit[] {
  const has = (value: string) => value.toLowerCase().includes(text.toLowerCase());
  return [
    ...world.alerts.filter((alert) => has(alert.title)).slice(0, 4).map((alert) => ({ noun: "alert", id: alert.id, title: alert.title, subtitle: alert.where.workload ?? "", severity: alert.severity })),
    ...world.images.filter((image) => has(image.name)).map((image) => ({ noun: "image", id: image.id, title: image.name, subtitle: "prod-1", severity: null })),
    ...world.assets.filter((asset) => has(asset.name)).map((asset) => ({ noun: "asset", id: asset.id, title: asset.name, subtitle: `${asset.kind} in ${asset.namespace ?? ""}`, severity: null })),
  ].slice(0, 12);
}

const STEPS: Record<string, { from: AlertState[]; to: AlertState }> = {
  take: { from: ["active"], to: "in_progress" },
  resolve: { from: ["active", "in_progress"], to: "resolved" },
  dismiss: { from: ["active", "in_progress"], to: "dismissed" },
  reopen: { from: ["in_progress", "resolved", "dismissed"], to: "active" },
};

function step(alert: Alert, action: string, body: Record<string, unknown>, caller: Caller): boolean {
  const rule = STEPS[action];
  if (!rule?.from.includes(alert.state)) return false;
  alert.state = rule.to;
  alert.revision += 1;
  alert.dismissal = action === "dismiss" ? { reason: body.reason as never, note: String(body.note), by: caller.name, at: Date.now() } : null;
  return true;
}

function write(ask: Ask, caller: Caller): unknown {
  const { world, path, body, tell, method } = ask;
  const [, noun, id, action = ""] = path.split("/");
  if (path === "/alerts/bulk") return bulk(ask, caller);
  if (noun === "alerts") {
    need(caller, "alert_state");
    const alert = one(world.alerts, id);
    if (!step(alert, action, body, caller)) throw new Refusal(409, `an alert that is ${alert.state} cannot be ${action}d`);
    tell("alert", alert.id);
    return alert;
  }
  if (noun === "recommendations") {
    need(caller, "assign");
    const item = one(world.recommendations, id);
    Object.assign(item, body, { revision: item.revision + 1, status: body.owner === null ? "open" : "assigned" });
    return item;
  }
  if (noun === "exemptions") return exempt(ask, caller, id, action);
  if (noun === "agents") {
    need(caller, "revoke_agent");
    return Object.assign(one(world.agents, id), { revoked: true, connected: false });
  }
  if (noun === "assignments") return assign(ask, caller, id);
  if (noun === "policy-sets") return keepSet(ask, caller, id);
  need(caller, noun === "enrolments" ? "enrol" : "users");
  return settings(world, { method, noun: noun ?? "", id, step: action }, body);
}

function bulk({ world, body }: Ask, caller: Caller): unknown {
  need(caller, "alert_state");
  const ids = body.ids as string[] | undefined;
  const rows = ids ? world.alerts.filter((alert) => ids.includes(alert.id)) : select(world.alerts, String(body.filter), NOUNS.alerts.fields);
  const changing = rows.filter((alert) => STEPS[String(body.action)]?.from.includes(alert.state));
  if (body.dry_run !== true) for (const alert of changing) step(alert, String(body.action), body, caller);
  return { matched: rows.length, changed: changing.length };
}

function exempt({ world, body, tell }: Ask, caller: Caller, id: string | undefined, action: string): unknown {
  if (id === undefined) {
    need(caller, "request_exemption");
    const state: ExemptionState = ACTIONS[caller.role].includes("grant_exemption") ? "granted" : "requested";
    const made = { ...body, id: uuid(), state, source: "ui", matches: 0, last_match: null, created: Date.now(), revision: 1 } as unknown as Exemption;
    world.exemptions.unshift(made);
    tell("exemption", made.id);
    return made;
  }
  need(caller, "grant_exemption");
  const states: Record<string, ExemptionState> = { grant: "granted", deny: "denied", revoke: "revoked" };
  return Object.assign(one(world.exemptions, id), { state: states[action] });
}

function assign({ world, method, body, tell }: Ask, caller: Caller, id: string | undefined): unknown {
  need(caller, "edit_policy");
  if (method === "DELETE") {
    world.assignments = world.assignments.filter((each) => each.id !== one(world.assignments, id).id);
    return undefined;
  }
  const before = id === undefined ? null : one(world.assignments, id);
  const saved = { ...before, ...body, id: before?.id ?? uuid(), created: before?.created ?? Date.now(), updated: Date.now(), revision: (before?.revision ?? 0) + 1 } as Assignment;
  world.assignments = before ? world.assignments.map((each) => (each === before ? saved : each)) : [...world.assignments, saved];
  tell("assignment", saved.id);
  const failing = world.findings.filter((finding) => saved.target === `control:${finding.rule}`);
  return { ...saved, would_refuse: failing.length } satisfies Assigned;
}

function keepSet({ world, method, body, tell }: Ask, caller: Caller, id: string | undefined): unknown {
  need(caller, "edit_policy");
  const before = id === undefined ? null : one(world.policySets, id);
  if (method === "DELETE" && before) {
    deleteSet(world, before);
    return undefined;
  }
  const saved = saveSet(world, before, body);
  tell("policy_set", saved.id);
  return triedSet(world, saved);
}

interface Target {
  method: string;
  noun: string;
  id: string | undefined;
  step: string;
}

function settings(world: World, { method, noun, id, step }: Target, body: Record<string, unknown>): unknown {
  if (method === "DELETE") {
    if (noun === "enrolments") Object.assign(one(world.enrolments, id), { revoked: true });
    if (noun === "users") world.users = world.users.filter((user) => user.id !== id);
    if (noun === "roles") world.roles = world.roles.filter((role) => role.id !== id);
    if (noun === "tokens") world.tokens = world.tokens.filter((token) => token.id !== id);
    return undefined;
  }
  const made = { id: uuid(), created: Date.now(), ...body };
  if (noun === "users" && step === "reset-password") return { password: "brave-otter-lantern-42" };
  if (noun === "users" && id !== undefined) return Object.assign(one(world.users, id), body);
  if (noun === "users") world.users.push({ ...made, must_change_password: true, disabled: false, last_sign_in: null, revision: 1 } as never);
  if (noun === "roles") world.roles.push(made as never);
  if (noun === "tokens") {
    world.tokens.push({ ...made, last_used: null } as never);
    return { ...made, token: `swt_${randomBytes(24).toString("base64url")}` };
  }
  if (noun === "enrolments" && id !== undefined) return Object.assign(one(world.enrolments, id), { accepted: true, waiting: [] });
  if (noun === "enrolments") {
    const about: Enrolment = {
      id: made.id, created: made.created, expires: Number(body.expires ?? made.created + 3_600_000), scope: String(body.scope), manual_accept: body.manual_accept === true,
      uses: [], uses_allowed: Number(body.uses ?? 1), accepted: false, revoked: false, refusals: [], refused: 0, waiting: [], admitted: [],
    };
    world.enrolments.unshift(about);
    const token = `swe_${randomBytes(30).toString("base64url")}.${"5ea1".repeat(16)}`;
    const command = `(umask 077; printf %s '${token}' > seawall-token) && seawall sensor --hub https://hub.example:8443 --token-file seawall-token`;
    return { ...about, token, command } satisfies CreatedEnrolment;
  }
  return made;
}
