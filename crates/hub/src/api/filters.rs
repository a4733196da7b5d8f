//! `/filters/{noun}`: the fields of a noun, for completion in query bars.
use super::frameworks::{FRAMEWORK_CONTROLS, FRAMEWORKS};
use super::problem::Refusal;
use crate::content::{CONTROLS, DETECTIONS};
use axum::extract::Path;
use seawall_model::access::{RoleAssignment, User};
use seawall_model::admission::{Assignment, StoredDecision, StoredGap};
use seawall_model::alert::Alert;
use seawall_model::asset::{Agent, Asset, Cluster};
use seawall_model::exemption::Exemption;
use seawall_model::finding::Finding;
use seawall_model::policy_set::StoredTrial;
use seawall_model::recommendation::{Recommendation, ScoreDelta};
use seawall_model::scope::Scope;
use seawall_store::{
    AuditEntry, Enrolment, FieldInfo, IMAGE_PACKAGES, Image, Noun, PackageVersion, PolicySetEntry,
    StoredFiring, Table, Token,
};

/// Every noun with a list.
static TABLES: [&Table; 27] = [
    Agent::TABLE,
    Alert::TABLE,
    Asset::TABLE,
    Assignment::TABLE,
    AuditEntry::TABLE,
    Cluster::TABLE,
    &CONTROLS,
    &DETECTIONS,
    Enrolment::TABLE,
    Exemption::TABLE,
    Finding::TABLE,
    &FRAMEWORK_CONTROLS,
    &FRAMEWORKS,
    Image::TABLE,
    &IMAGE_PACKAGES,
    PackageVersion::TABLE,
    PolicySetEntry::TABLE,
    Recommendation::TABLE,
    RoleAssignment::TABLE,
    Scope::TABLE,
    ScoreDelta::TABLE,
    StoredDecision::TABLE,
    StoredFiring::TABLE,
    StoredGap::TABLE,
    StoredTrial::TABLE,
    Token::TABLE,
    User::TABLE,
];

/// Fields that the filter of `noun` knows, with their types and words.
#[utoipa::path(get, path = "/api/v1/filters/{noun}", tag = "filters",
    params(("noun" = String, Path, description = "Plural, such as `alerts`")),
    responses((status = 200, body = [FieldInfo])))]
pub(crate) async fn get(Path(noun): Path<String>) -> Result<axum::Json<Vec<FieldInfo>>, Refusal> {
    // Tables of SQL have `_` where paths have `-`; both are understood.
    let word = |name: &str| name.replace('-', "_");
    let mut found = TABLES.iter().filter(|table| word(table.plural) == word(&noun));
    let table = found.next().ok_or_else(|| {
        let known: Vec<&str> = TABLES.iter().map(|table| table.plural).collect();
        Refusal::new(
            http::StatusCode::NOT_FOUND,
            format!("no noun `{noun}`; there are {}", known.join(", ")),
        )
    })?;
    Ok(axum::Json(table.field_infos()))
}
