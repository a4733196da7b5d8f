//! OpenAPI shapes of what `store` returns. Documentation only: a test holds each against the real thing.
#![expect(dead_code, reason = "these types are described, never built")]
use seawall_model::access::Role;
use seawall_model::alert::Firing;
use seawall_model::asset::RunningContainer;
use seawall_model::image::Layer;
use seawall_model::package::{Distro, Ecosystem, Package};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Problem, Severity};
use utoipa::ToSchema;

/// One page of a list.
#[derive(ToSchema)]
pub(crate) struct Page<T: ToSchema> {
    pub(crate) items: Vec<T>,
    /// `after` of the next page; null at the end.
    #[schema(required)]
    pub(crate) next: Option<String>,
    pub(crate) total: Total,
}

#[derive(ToSchema)]
pub(crate) struct Total {
    pub(crate) value: u64,
    /// False where counting stopped early: at least that many.
    pub(crate) exact: bool,
}

#[derive(ToSchema)]
pub(crate) struct Image {
    id: Id,
    scope: ScopePath,
    name: String,
    digest: Option<String>,
    config_digest: Option<String>,
    index_digest: Option<String>,
    platform: Option<String>,
    distro: Option<Distro>,
    layers: Vec<Layer>,
    /// Null until an inventory came.
    package_count: Option<u64>,
    /// Null until the packages were matched.
    counts: Option<SeverityCounts>,
    fixable: Option<u64>,
    running: Vec<RunningPlace>,
    first: i64,
    last: i64,
    scanned: Option<i64>,
    coverage_problems: Vec<Problem>,
    revision: u64,
}

#[derive(ToSchema)]
pub(crate) struct SeverityCounts {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    info: u64,
    unknown: u64,
}

#[derive(ToSchema)]
pub(crate) struct RunningPlace {
    #[schema(inline)]
    #[serde(flatten)]
    container: RunningContainer,
    cluster: String,
    node: String,
}

#[derive(ToSchema)]
pub(crate) struct ImagePackage {
    #[schema(inline)]
    #[serde(flatten)]
    package: Package,
    counts: SeverityCounts,
}

#[derive(ToSchema)]
pub(crate) struct PackageVersion {
    id: Id,
    ecosystem: Ecosystem,
    name: String,
    version: String,
    images: u64,
    nodes: u64,
}

/// One firing of an alert, as it arrived.
#[derive(ToSchema)]
pub(crate) struct StoredFiring {
    id: Id,
    scope: ScopePath,
    alert: Id,
    agent: Id,
    sequence: u64,
    index: u64,
    time: i64,
    firing: Firing,
}

#[derive(ToSchema)]
pub(crate) struct Token {
    id: Id,
    name: String,
    role: Role,
    scope: ScopePath,
    namespaces: Option<Vec<String>>,
    created: i64,
    expires: i64,
    last_used: Option<i64>,
}

#[derive(ToSchema)]
pub(crate) struct Enrolment {
    id: Id,
    scope: ScopePath,
    created: i64,
    expires: i64,
    uses_allowed: u32,
    manual_accept: bool,
    accepted: bool,
    revoked: bool,
    uses: Vec<EnrolmentUse>,
    refusals: Vec<EnrolmentRefusal>,
    refused: u64,
}

#[derive(ToSchema)]
pub(crate) struct EnrolmentUse {
    at: i64,
    cluster_uid: String,
    cluster_name: String,
    agent: Id,
}

#[derive(ToSchema)]
pub(crate) struct EnrolmentRefusal {
    at: i64,
    reason: RefusalReason,
    cluster_uid: String,
    cluster_name: String,
}

#[derive(ToSchema, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefusalReason {
    Unknown,
    Expired,
    Used,
    Revoked,
    Foreign,
    Waiting,
}

#[derive(ToSchema)]
pub(crate) struct AuditEntry {
    /// From 1, without holes.
    position: u64,
    at: i64,
    actor: String,
    action: String,
    target: String,
    detail: serde_json::Value,
    hash: String,
    previous: String,
}

#[derive(ToSchema)]
pub(crate) struct AuditCheck {
    ok: bool,
    entries: u64,
    broken_at: Option<u64>,
}

#[derive(ToSchema)]
pub(crate) struct Bulk {
    matched: u64,
    changed: u64,
}

#[derive(ToSchema)]
pub(crate) struct Hit {
    noun: String,
    id: Id,
    title: String,
    subtitle: String,
    severity: Option<Severity>,
}

#[derive(ToSchema)]
pub(crate) struct FieldInfo {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// The words it takes, where they are closed.
    values: Option<Vec<String>>,
}
