// What the hub's JSON looks like. The nouns are those of `crates/model`; absent values are null.

/** Epoch milliseconds, UTC. */
export type Millis = number;

export const SEVERITIES = ["critical", "high", "medium", "low", "info", "unknown"] as const;
export type Severity = (typeof SEVERITIES)[number];
export type Counts = Record<Severity, number>;

export type Role = "security_reader" | "security_admin" | "contributor" | "owner";

export type ActionName =
  | "view"
  | "view_audit"
  | "alert_state"
  | "assign"
  | "request_exemption"
  | "edit_policy"
  | "grant_exemption"
  | "manage_sinks"
  | "plans"
  | "apply_fix"
  | "respond"
  | "revoke_agent"
  | "enrol"
  | "users";

export interface Session {
  user: { id: string; name: string; must_change_password: boolean };
  roles: { role: Role; scope: string; namespaces: string[] | null }[];
  actions: ActionName[];
  hub: { version: string; feeds_note: string | null };
}

export interface Page<T> {
  items: T[];
  next: string | null;
  total: { value: number; exact: boolean };
}

/** RFC 9457. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail?: string | null;
  request_id?: string | null;
  errors?: { pointer: string; detail: string }[];
}

export interface FilterField {
  name: string;
  type: string;
  values?: string[] | null;
}

export interface Problem {
  kind: "note" | "warning" | "gap" | "error";
  code: string;
  message: string;
  help: string | null;
  file: string | null;
  line: number | null;
  column: number | null;
  item: string | null;
}

export interface ImageRef {
  name: string;
  digest: string | null;
  index_digest: string | null;
  config_digest: string | null;
}

export type AlertState = "active" | "in_progress" | "resolved" | "dismissed";
export type DismissReason = "false_positive" | "expected" | "accepted_risk" | "test" | "duplicate";
export type AlertAction = "dismiss" | "take" | "resolve" | "reopen";

export interface Location {
  cluster: string;
  node: string | null;
  namespace: string | null;
  workload: string | null;
  pod: string | null;
  pod_uid: string | null;
  container: string | null;
  container_id: string | null;
  image: ImageRef | null;
  identity: string;
}

export interface ProcessEvidence {
  exec_id: string;
  pid: number;
  name: string;
  exe: string;
  args: string[];
  cwd: string | null;
  user: string | null;
  uid: number;
  start: Millis;
}

export type AlertObject =
  | { kind: "file"; path: string }
  | { kind: "socket"; remote: string; port: number; protocol: string }
  | { kind: "executable"; path: string; drifted: boolean | null }
  | { kind: "api"; resource: string; namespace: string | null; name: string | null; verb: string };

export interface Firing {
  detection: string;
  title: string;
  severity: Severity;
  tactics: string[];
  mitre: string[];
  parity: string[];
  source: string;
  time: Millis;
  where: Location;
  /** The process first, then its ancestors, nearest first. */
  process: ProcessEvidence[];
  actor: { user: string; groups: string[]; address: string | null; user_agent: string | null } | null;
  object: AlertObject | null;
  why: { expression: string; value: string | null }[];
  output: string;
  remediation: string;
  action: { mode: string; result: string };
  lost_nearby: number;
}

export interface Alert extends Firing {
  id: string;
  scope: string;
  state: AlertState;
  first: Millis;
  last: Millis;
  count: number;
  dismissal: { reason: DismissReason; note: string; by: string; at: Millis } | null;
  previous: string | null;
  revision: number;
}

export interface StoredEvent {
  id: string;
  alert: string | null;
  agent: string;
  sequence: number;
  index: number;
  time: Millis;
  firing: Firing;
}

export interface Facet {
  /** Null counts the alerts without one. */
  value: string | null;
  title?: string | null;
  count: number;
}

export interface AlertFacets {
  severity: Partial<Counts>;
  state: Partial<Record<AlertState, number>>;
  detection: Facet[];
  namespace: Facet[];
  cluster: Facet[];
}

export type FindingState = "healthy" | "unhealthy" | "not_applicable" | "unknown" | "exempt";

export interface PatchOperation {
  op: string;
  path: string;
  from?: string;
  value?: unknown;
}

export interface ExemptionRef {
  id: string;
  category: string;
  reason: string;
  by: string | null;
  expires: Millis | null;
}

export interface ControlDetail {
  kind: "control";
  control: string;
  title: string;
  severity: Severity;
  state: FindingState;
  reason: string | null;
  resource: { apiVersion: string; kind: string; namespace: string | null; name: string; uid: string | null };
  source: { file: string; line: number } | null;
  message: string | null;
  frameworks: string[];
  evidence: { path: string; value: unknown }[];
  fix: PatchOperation[];
  exemption: ExemptionRef | null;
  engine: string;
}

export interface Match {
  feed: string;
  record: string;
  segment: string;
  rule: string;
  scheme: string;
  compared: { installed: string; order: string; bound: string; kind: string }[];
  qualifiers: { kind: string; required: string | null; installed: string | null; holds: boolean }[];
}

export interface VulnDetail {
  kind: "vulnerability";
  id: string;
  aliases: string[];
  state: FindingState;
  title: string | null;
  package: {
    purl: string;
    name: string;
    version: string;
    origin: string | null;
    locations: string[];
    owner: string | null;
    layer: { diff_id: string; index: number; base: boolean } | null;
  };
  fix: { status: string; versions: { version: string; channel: string | null }[] };
  disclosed_by: string;
  fixed_by: string | null;
  severity: { level: Severity; source: string | null; score: number | null; vector: string | null };
  epss: { score: number; percentile: number; as_of: Millis } | null;
  kev: Millis | null;
  match: Match;
  references: string[];
  exemption: ExemptionRef | null;
}

export interface Finding {
  id: string;
  scope: string;
  kind: "control" | "vulnerability";
  key: string;
  rule: string;
  title: string;
  severity: Severity;
  state: FindingState;
  reason: string | null;
  cluster: string | null;
  namespace: string | null;
  resource: string;
  resource_key: string;
  package: string | null;
  fix_available: boolean;
  kev: boolean;
  epss: number | null;
  first: Millis;
  last: Millis;
  revision: number;
  detail: ControlDetail | VulnDetail;
}

export interface Recommendation {
  id: string;
  scope: string;
  rule: string;
  kind: "control" | "vulnerability";
  title: string;
  severity: Severity;
  status: "open" | "assigned" | "resolved" | "regressed";
  owner: string | null;
  due: Millis | null;
  affected: number;
  healthy: number;
  unknown: number;
  exempt: number;
  description: string;
  remediation: string;
  score_group: string | null;
  frameworks: string[];
  first: Millis;
  last: Millis;
  revision: number;
}

export interface RecommendationDetail extends Recommendation {
  resources: Finding[];
}

export interface Score {
  scope: string;
  at: Millis;
  secure: number | null;
  coverage: number | null;
  groups: { group: string; max: number; score: number; healthy: number; unhealthy: number; unknown: number }[];
}

export interface ScoreDelta {
  id: string;
  scope: string;
  at: Millis;
  from: number | null;
  to: number | null;
  cause: string;
}

export interface Cluster {
  id: string;
  scope: string;
  uid: string;
  name: string;
  kind: "kubernetes" | "machine";
  version: string | null;
  first_seen: Millis;
  last_seen: Millis;
}

export interface Capability {
  name: string;
  state: "full" | "partial" | "absent";
  tier: string | null;
  reason: string | null;
}

export interface Agent {
  id: string;
  scope: string;
  cluster: string;
  role: "cluster_agent" | "sensor";
  name: string;
  version: string;
  capabilities: Capability[];
  dropped: { class: string; count: number }[];
  last_sequence: number;
  certificate_expires: Millis;
  revoked: boolean;
  connected: boolean;
  first_seen: Millis;
  last_seen: Millis;
}

/** `fresh` within 30 s, `silent` after an hour, by the last word of any of its agents. */
export type Freshness = "fresh" | "stale" | "silent";

export interface ClusterStatus extends Cluster {
  freshness: Freshness;
  agents_connected: number;
}

export interface Overview {
  score: Score;
  moves: ScoreDelta[];
  alerts: Counts;
  findings: { control: Counts; vulnerability: Counts };
  images: { total: number; running: number; with_critical: number };
  clusters: ClusterStatus[];
  /** Revoked agents are left out; lost records by class. */
  agents: { connected: number; total: number; dropped: Record<string, number> };
  empty: string[];
}

export interface Asset {
  id: string;
  scope: string;
  cluster: string;
  uid: string;
  api_version: string;
  kind: string;
  namespace: string | null;
  name: string;
  owner: string | null;
  images: ImageRef[];
  labels: [string, string][];
  first_seen: Millis;
  last_seen: Millis;
}

export interface RunningContainer {
  id: string;
  name: string | null;
  image: ImageRef;
  namespace: string | null;
  pod: string | null;
  pod_uid: string | null;
  workload: string | null;
  cluster: string | null;
  node: string | null;
}

export interface Image {
  id: string;
  scope: string;
  name: string;
  digest: string | null;
  config_digest: string | null;
  index_digest: string | null;
  platform: string | null;
  distro: { id: string; version: string | null; name: string | null } | null;
  layers: { diff_id: string; created_by: string | null; size: number | null; base: boolean }[];
  /** Null until an inventory came. */
  package_count: number | null;
  /** Null until the packages were matched. */
  counts: Counts | null;
  fixable: number | null;
  running: RunningContainer[];
  first: Millis;
  last: Millis;
  scanned: Millis | null;
  coverage_problems: Problem[];
}

export interface ImagePackage {
  ecosystem: string;
  name: string;
  version: string;
  purl: string;
  arch: string | null;
  source: { name: string; version: string } | null;
  locations: string[];
  owner: string | null;
  layer: number | null;
  third_party: boolean;
  counts: Counts;
}

export interface PackageRow {
  id: string;
  ecosystem: string;
  name: string;
  version: string;
  images: number;
  nodes: number;
}

export type ExemptionState = "requested" | "granted" | "denied" | "expired" | "revoked";
export type ExemptionCategory = "mitigated" | "risk_accepted";

export interface ExemptionTarget {
  rule: string;
  namespace: string | null;
  resource: string | null;
  package: string | null;
  path: string | null;
}

export interface Exemption {
  id: string;
  scope: string;
  target: ExemptionTarget;
  category: ExemptionCategory;
  reason: string;
  owner: string;
  state: ExemptionState;
  expires: Millis;
  source: string;
  matches: number;
  last_match: Millis | null;
  created: Millis;
  revision: number;
}

export interface Scope {
  id: string;
  path: string;
  kind: "organisation" | "account" | "cluster" | "registry" | "node";
  name: string;
  created: Millis;
}

export interface User {
  id: string;
  name: string;
  must_change_password: boolean;
  disabled: boolean;
  created: Millis;
  last_sign_in: Millis | null;
}

export type Principal = { kind: "user"; id: string } | { kind: "group"; name: string } | { kind: "token"; id: string };

export interface RoleAssignment {
  id: string;
  principal: Principal;
  role: Role;
  scope: string;
  namespaces: string[] | null;
  created: Millis;
}

export interface Token {
  id: string;
  name: string;
  role: Role;
  scope: string;
  namespaces: string[] | null;
  expires: Millis;
  created: Millis;
  last_used: Millis | null;
}

export interface Enrolment {
  id: string;
  scope: string;
  created: Millis;
  expires: Millis;
  uses_allowed: number;
  manual_accept: boolean;
  accepted: boolean;
  revoked: boolean;
  uses: { at: Millis; cluster_uid: string; cluster_name: string; agent: string }[];
  refusals: { at: Millis; reason: string; cluster_uid: string; cluster_name: string }[];
  refused: number;
}

export interface AuditEntry {
  position: number;
  at: Millis;
  actor: string;
  action: string;
  target: string;
  detail: unknown;
  hash: string;
  previous: string;
}

export interface AuditVerification {
  ok: boolean;
  entries: number;
  broken_at: number | null;
}

export interface Content {
  id: string;
  title: string;
  severity?: Severity;
  text: string;
}

export interface SearchHit {
  noun: string;
  id: string;
  title: string;
  subtitle: string | null;
  severity: Severity | null;
}

export interface BulkResult {
  matched: number;
  changed: number;
}
