// What the hub's JSON looks like, from its OpenAPI document (`npm run schema` after it changed).
import type { components } from "./schema";

type Schemas = components["schemas"];

/** An answer leaves nothing out: an absent value is null, though the document cannot say so. */
type Whole<T> = T extends (infer Item)[]
  ? Whole<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Whole<Exclude<T[Key], undefined>> }
    : T;

/** Epoch milliseconds, UTC. */
export type Millis = number;

/** Worst first, as people read them. */
export const SEVERITIES = ["critical", "high", "medium", "low", "info", "unknown"] as const satisfies Schemas["Severity"][];
export type Severity = Schemas["Severity"];
export type Counts = Record<Severity, number>;

export type Role = Schemas["Role"];

/** The words of the role table. Source: platform.md, "Roles and sign-in". */
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

export type Session = Omit<Whole<Schemas["Session"]>, "actions"> & { actions: ActionName[] };

export interface Page<T> {
  items: T[];
  next: string | null;
  total: { value: number; exact: boolean };
}

/** RFC 9457; also made by the client where no answer came. */
export type ProblemDetails = Partial<Schemas["ProblemDetails"]> & Pick<Schemas["ProblemDetails"], "type" | "title" | "status">;

export type FilterField = Schemas["FieldInfo"];
export type Problem = Whole<Schemas["Problem"]>;
export type ImageRef = Whole<Schemas["ImageRef"]>;

export type AlertState = Schemas["AlertState"];
export type DismissReason = Schemas["DismissReason"];
export type AlertAction = Schemas["BulkAction"];
export type Location = Whole<Schemas["Location"]>;
export type ProcessEvidence = Whole<Schemas["ProcessEvidence"]>;

/** What it was done to. */
export type AlertObject = Whole<Schemas["AlertObject"]>;

export type Firing = Whole<Schemas["Firing"]>;
export type Alert = Whole<Schemas["Alert"]>;
export type StoredEvent = Whole<Schemas["StoredFiring"]>;
export type AlertFacets = Whole<Schemas["AlertFacets"]>;

export type FindingState = Schemas["State"];

/** RFC 6902. */
export interface PatchOperation {
  op: string;
  path: string;
  from?: string;
  value?: unknown;
}

export type ControlDetail = Omit<Whole<Schemas["ControlFinding"]>, "fix" | "evidence"> & {
  kind: "control";
  fix: PatchOperation[];
  evidence: { path: string; value: unknown }[];
};
export type VulnDetail = Whole<Schemas["VulnFinding"]> & { kind: "vulnerability" };
export type Finding = Omit<Whole<Schemas["Finding"]>, "detail"> & { detail: ControlDetail | VulnDetail };

export type Recommendation = Whole<Schemas["Recommendation"]>;
export type RecommendationDetail = Recommendation & { resources: Finding[] };
export type Score = Whole<Schemas["Score"]>;
export type ScoreDelta = Whole<Schemas["ScoreDelta"]>;
export type FrameworkEntry = Whole<Schemas["FrameworkEntry"]>;
export type FrameworkControl = Whole<Schemas["FrameworkControl"]>;
export type FrameworkSection = Whole<Schemas["FrameworkSection"]>;
/** A framework at a scope, its sections with their controls. */
export type FrameworkDetail = FrameworkEntry & { sections: FrameworkSection[] };
export type ControlState = Schemas["ControlState"];
export type Overview = Whole<Schemas["Overview"]>;
export type Freshness = Schemas["Freshness"];

export type Cluster = Whole<Schemas["Cluster"]>;
export type Capability = Whole<Schemas["Capability"]>;
export type Agent = Whole<Schemas["Agent"]>;
export type Asset = Omit<Whole<Schemas["Asset"]>, "labels"> & { labels: [name: string, value: string][] };
export type Image = Whole<Schemas["Image"]>;
export type ImagePackage = Whole<Schemas["ImagePackage"]>;
export type PackageRow = Schemas["PackageVersion"];

export type Exemption = Whole<Schemas["Exemption"]>;
export type ExemptionState = Schemas["ExemptionState"];
export type ExemptionCategory = Schemas["Category"];

export type Scope = Schemas["Scope"];
export type User = Whole<Schemas["User"]>;
export type Principal = Schemas["Principal"];
export type RoleAssignment = Whole<Schemas["RoleAssignment"]>;
export type Token = Whole<Schemas["Token"]>;
export type Enrolment = Whole<Schemas["Enrolment"]>;
export type CreatedToken = Whole<Schemas["CreatedToken"]>;
export type CreatedEnrolment = Whole<Schemas["CreatedEnrolment"]>;
export type AuditEntry = Schemas["AuditEntry"];
export type AuditVerification = Whole<Schemas["AuditCheck"]>;

export type Detection = Schemas["DetectionEntry"];
export type SearchHit = Whole<Schemas["Hit"]>;
export type BulkResult = Schemas["Bulk"];
export type Control = Whole<Schemas["ControlEntry"]>;
export type Resource = ControlDetail["resource"];

export type ClusterHealth = Whole<Schemas["ClusterHealth"]>;
export type CapabilityHealth = Whole<Schemas["CapabilityHealth"]>;
export type Statuses = Whole<Schemas["Statuses"]>;

export type PolicyAction = Schemas["PolicyAction"];
/** The document cannot say that parameters have any value. */
export type Assignment = Omit<Whole<Schemas["Assignment"]>, "params" | "labels"> & {
  params: Record<string, unknown>;
  labels: [name: string, value: string][];
};
/** The answer to a change: with what the policy would refuse now. */
export type Assigned = Assignment & Pick<Schemas["Assigned"], "would_refuse">;

export type PolicySetEntry = Whole<Schemas["PolicySetEntry"]>;
/** A set with its text, and what it would do by the trials of that text. */
export type TriedSet = Whole<Schemas["TriedSet"]>;
export type TrialSums = Schemas["TrialSums"];
export type Tried = Schemas["Tried"];
export type TrialOutcome = Schemas["TrialOutcome"];
export type TrialSample = Whole<Schemas["TrialSample"]>;
export type StoredTrial = Whole<Schemas["StoredTrial"]>;

export type Verdict = Schemas["Verdict"];
export type DecidedControl = Omit<Whole<Schemas["DecidedControl"]>, "fix"> & { fix: PatchOperation[] };
export type StoredDecision = Omit<Whole<Schemas["StoredDecision"]>, "controls"> & { controls: DecidedControl[] };
export type StoredGap = Whole<Schemas["StoredGap"]>;

export type SupportState = Schemas["SupportState"];
export type Working = "working" | "partial" | "not working" | "unknown";
export type Feature = Whole<Schemas["Feature"]>;
export type CapabilityCount = Whole<Schemas["CapabilityCount"]>;
/** The document names the four words in prose alone. */
export type ClusterFeatures = Omit<Whole<Schemas["ClusterFeatures"]>, "working"> & { working: Record<string, Working> };
export type Features = Omit<Whole<Schemas["Features"]>, "clusters"> & { clusters: ClusterFeatures[] };
