// What the mock hub holds: one estate with everything the console can draw, and an empty one.
import type {
  Agent, Alert, Asset, Assignment, AuditEntry, Cluster, Enrolment, Exemption, Finding, Image, Recommendation, RoleAssignment, Scope,
  ScoreDelta, StoredDecision, StoredEvent, StoredGap, StoredTrial, Token, User,
} from "../../src/api/types";
import { assignments, decisions, gaps } from "./admission";
import { alerts, eventsOf } from "./alerts";
import { agents, assets, clusters, scopes } from "./estate";
import { exemptions, findings, recommendations } from "./findings";
import { images } from "./images";
import { policySets, trials, type PolicySet } from "./policy-sets";
import { auditLog, enrolments, roles, tokens, users } from "./people";

export interface World {
  alerts: Alert[];
  events: StoredEvent[];
  findings: Finding[];
  recommendations: Recommendation[];
  images: Image[];
  clusters: Cluster[];
  agents: Agent[];
  assets: Asset[];
  scopes: Scope[];
  exemptions: Exemption[];
  users: User[];
  roles: RoleAssignment[];
  tokens: Token[];
  enrolments: Enrolment[];
  audit: AuditEntry[];
  moves: ScoreDelta[];
  assignments: Assignment[];
  decisions: StoredDecision[];
  gaps: StoredGap[];
  policySets: PolicySet[];
  trials: StoredTrial[];
}

export function fullWorld(now: number): World {
  const open = alerts(now);
  const policies = assignments(now);
  const sets = policySets(now);
  return {
    alerts: open,
    events: open.flatMap((alert) => eventsOf(alert)),
    findings: findings(now),
    recommendations: recommendations(now),
    images: images(now),
    clusters: clusters(now),
    agents: agents(now),
    assets: assets(now),
    scopes: scopes(now),
    exemptions: exemptions(now),
    users: users(now),
    roles: roles(now),
    tokens: tokens(now),
    enrolments: enrolments(now),
    audit: auditLog(now),
    moves: moves(now),
    assignments: policies,
    decisions: decisions(now, policies),
    gaps: gaps(now),
    policySets: sets,
    trials: trials(now, sets),
  };
}

export function emptyWorld(now: number): World {
  const blank: World = {
    alerts: [], events: [], findings: [], recommendations: [], images: [], clusters: [], agents: [], assets: [],
    scopes: scopes(now).slice(0, 1), exemptions: [], users: users(now).slice(0, 4), roles: roles(now).slice(0, 1),
    tokens: [], enrolments: [], audit: auditLog(now).slice(0, 1), moves: [],
    assignments: [], decisions: [], gaps: [], policySets: [], trials: [],
  };
  return blank;
}

function moves(now: number): ScoreDelta[] {
  const steps: [minutes: number, from: number | null, to: number, cause: string][] = [
    [2, 61.9, 60.4, "1 resource became unhealthy: Privileged container (Deployment/debug-shell)"],
    [38, 59.2, 61.9, "3 resources became healthy: Container without limits (Deployment/web, Deployment/cart, CronJob/report)"],
    [95, 58.0, 59.2, "1 exemption granted: Host path mounted (DaemonSet/node-exporter)"],
    [240, 58.0, 58.0, "1 resource was removed: Pod/migration-0"],
    [1500, 62.5, 58.0, "12 resources became unhealthy: Container may gain privileges"],
    [1560, null, 62.5, "first assessment of prod-1"],
  ];
  return steps.map(([minutes, from, to, cause], index) => ({
    id: `move-${index}`, scope: "/org/", at: now - minutes * 60_000, from, to, cause,
  }));
}
