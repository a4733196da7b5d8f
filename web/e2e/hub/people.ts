import type { ActionName, AuditEntry, Enrolment, Role, RoleAssignment, Token, User } from "../../src/api/types";
import { PROD } from "./estate";
import { digest, uuid } from "./random";

const DAY = 86_400_000;

/** The role table of platform.md. */
export const ACTIONS: Record<Role, readonly ActionName[]> = {
  security_reader: ["view", "view_audit"],
  security_admin: ["view", "view_audit", "alert_state", "assign", "request_exemption", "edit_policy", "grant_exemption", "manage_sinks", "plans", "respond", "revoke_agent"],
  contributor: ["view", "alert_state", "assign", "request_exemption", "plans", "apply_fix"],
  owner: ["view", "view_audit", "alert_state", "assign", "request_exemption", "edit_policy", "grant_exemption", "manage_sinks", "plans", "apply_fix", "respond", "revoke_agent", "enrol", "users"],
};

export const PASSWORD = "correct horse battery";

/** One user per role, named after it, and one whose password has to be changed. */
const PEOPLE: readonly [id: string, name: string, role: Role, mustChange: boolean][] = [
  ["u-owner", "owner", "owner", false],
  ["u-first", "first", "owner", true],
  ["u-admin", "admin", "security_admin", false],
  ["u-reader", "reader", "security_reader", false],
  ["u-contributor", "contributor", "contributor", false],
];

export function users(now: number): User[] {
  return PEOPLE.map(([id, name, , mustChange], index) => ({
    id, name, must_change_password: mustChange, disabled: name === "contributor", created: now - (80 - index) * DAY,
    last_sign_in: mustChange ? null : now - index * 3_600_000, revision: 1,
  }));
}

export function roles(now: number): RoleAssignment[] {
  const own = PEOPLE.map(([id, , role]): RoleAssignment => ({
    id: uuid(), principal: { kind: "user", id }, role, scope: "/org/", namespaces: null, created: now - 70 * DAY,
  }));
  return [
    ...own,
    { id: uuid(), principal: { kind: "group", name: "storefront-oncall" }, role: "contributor", scope: PROD.scope, namespaces: ["shop"], created: now - 8 * DAY },
  ];
}

export function tokens(now: number): Token[] {
  return [
    { id: uuid(), name: "ci-gate", role: "security_reader", scope: PROD.scope, namespaces: null, created: now - 12 * DAY, expires: now + 18 * DAY, last_used: now - 600_000 },
    { id: uuid(), name: "ticket-bridge", role: "contributor", scope: PROD.scope, namespaces: ["shop"], created: now - 40 * DAY, expires: now - 10 * DAY, last_used: null },
  ];
}

export function enrolments(now: number): Enrolment[] {
  const base = { manual_accept: false, accepted: true, revoked: false, refusals: [], refused: 0, uses_allowed: 1, waiting: [], admitted: [] };
  const waiting = [{ cluster_uid: "3c1f0a52", cluster_name: "shop-staging", at: now - 120_000 }];
  return [
    { ...base, id: uuid(), scope: "/org/shop/", created: now - 600_000, expires: now + 3_000_000, uses: [], manual_accept: true, accepted: false, waiting, refused: 3, refusals: [3, 2, 1].map((minutes) => ({ at: now - minutes * 60_000, reason: "waiting" as const, cluster_uid: "b1946ac9-2492-4f31-8f5e-70f1e38f6005", cluster_name: "payments-eu" })) },
    { ...base, id: uuid(), scope: "/org/shop/", created: now - 88 * DAY, expires: now - 88 * DAY + 3_600_000, uses: [{ at: now - 88 * DAY, cluster_uid: PROD.uid, cluster_name: PROD.name, agent: uuid() }], refused: 2, refusals: [{ at: now - 87 * DAY, reason: "used", cluster_uid: "x", cluster_name: "unknown-cluster" }] },
    { ...base, id: uuid(), scope: "/org/", created: now - 12 * DAY, expires: now - 11 * DAY, uses: [], revoked: true },
  ];
}

export function auditLog(now: number): AuditEntry[] {
  const rows: [actor: string, action: string, target: string][] = [
    ["system", "hub.start", "hub"], ["user:first", "session.create", "session"], ["user:first", "password.change", "first"],
    ["user:owner", "role.create", "user:admin security_admin /org/"], ["user:owner", "enrolment.create", "/org/shop/"],
    ["user:admin", "session.create", "session"], ["user:admin", "alert.dismiss", "0192f3c4-7c2e-7c4b-9d3e-1f2a3b4c5d6e"],
    ["user:reader", "export.alerts", "alerts"], ["user:contributor", "exemption.request", "SW-C-0001 Deployment/debug-shell"],
  ];
  const hashes = rows.map(() => digest().slice(7));
  return rows
    .map(([actor, action, target], index) => ({
      id: `entry-${index + 1}`, position: index + 1, at: now - (rows.length - index) * 47 * 60_000, actor, action, target, detail: { address: "192.0.2.14" },
      hash: hashes[index] ?? "", previous: hashes[index - 1] ?? "0".repeat(64),
    }))
    .reverse();
}
