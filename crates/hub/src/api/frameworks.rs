//! `/frameworks`: how much of each framework a scope satisfies, section by section.
mod standing;

use super::extract::{Params, object};
use super::list::{ListQuery, ScopedListing};
use super::problem::Refusal;
use super::scores::ScopeQuery;
use crate::app::App;
use crate::auth::Caller;
use crate::content::Outline;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use seawall_model::scope::ScopePath;
use seawall_store::{Field, Kind, Page, Table};
use serde::Serialize;
use standing::{CONTROL_STATES, ControlStates, FrameworkControl, Standing};
use utoipa::ToSchema;

pub(crate) static FRAMEWORKS: Table = Table::held(
    ("framework", "frameworks"),
    &[
        Field::new("id", Kind::Text, "/id").required(),
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("version", Kind::Text, "/version").required(),
        Field::new("title", Kind::Text, "/title").required(),
        Field::new("controls", Kind::Number, "/controls").required(),
        Field::new("failing", Kind::Number, "/failing").required(),
        Field::new("unknown", Kind::Number, "/unknown").required(),
        Field::new("passing", Kind::Number, "/passing").required(),
        Field::new("exempt", Kind::Number, "/exempt").required(),
        Field::new("not_applicable", Kind::Number, "/not_applicable").required(),
        Field::new("not_assessed", Kind::Number, "/not_assessed").required(),
        Field::new("compliance", Kind::Decimal, "/compliance"),
        Field::new("risk", Kind::Decimal, "/risk"),
        Field::new("coverage", Kind::Decimal, "/coverage"),
    ],
    "name",
    &["/id", "/title"],
);

pub(crate) static FRAMEWORK_CONTROLS: Table = Table::held(
    ("framework_control", "framework_controls"),
    &[
        Field::new("id", Kind::Text, "/id").required(),
        Field::new("title", Kind::Text, "/title").required(),
        Field::new("severity", Kind::Severity, "/severity").required(),
        Field::new("section", Kind::List, "/sections/*"),
        Field::new("state", Kind::Word(CONTROL_STATES), "/state").required(),
        Field::new("preview", Kind::Bool, "/preview").required(),
        Field::new("passed", Kind::Number, "/passed").required(),
        Field::new("failed", Kind::Number, "/failed").required(),
        Field::new("unknown", Kind::Number, "/unknown").required(),
        Field::new("not_applicable", Kind::Number, "/not_applicable").required(),
        Field::new("exempt", Kind::Number, "/exempt").required(),
        Field::new("compliance", Kind::Decimal, "/compliance"),
    ],
    "id",
    &["/id", "/title"],
);

/// A framework at a scope. Verdicts are those of the version that each cluster was judged by.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FrameworkEntry {
    /// `NAME@VERSION`.
    id: String,
    name: String,
    /// The newest that this hub knows.
    version: String,
    title: String,
    /// Where it is published.
    source: String,
    scope: ScopePath,
    /// Stable ones: previews count in no score.
    controls: u64,
    #[serde(flatten)]
    states: ControlStates,
    /// Mean over its controls of the part of resources that satisfy them, 0 to 100; a control without a resource counts
    /// as 100. `None` while nothing is decided.
    compliance: Option<f64>,
    /// How much of what could fail does, by weight, 0 to 100; 0 is best.
    risk: Option<f64>,
    /// decided / (decided + unknown) of its questions, 0 to 1. `None` while none was asked.
    coverage: Option<f64>,
    /// Sections that no control answers: a person has to look.
    open_sections: u64,
}

/// A framework with what stands in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FrameworkDetail {
    #[serde(flatten)]
    framework: FrameworkEntry,
    sections: Vec<FrameworkSection>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FrameworkSection {
    /// `None` for controls of a framework without numbers.
    number: Option<String>,
    /// Its subject; without a number the framework that it is included from.
    title: Option<String>,
    /// Empty where no control answers it.
    controls: Vec<FrameworkControl>,
}

impl FrameworkEntry {
    fn of(outline: &Outline, scope: &ScopePath, standing: &Standing<'_>) -> Self {
        let summary = standing.summary(outline);
        Self {
            id: outline.id.clone(),
            name: outline.name.clone(),
            version: outline.version.clone(),
            title: outline.title.clone(),
            source: outline.source.clone(),
            scope: scope.clone(),
            controls: summary.controls,
            states: summary.states,
            compliance: summary.compliance,
            risk: summary.risk,
            coverage: summary.coverage,
            open_sections: outline.open_sections() as u64,
        }
    }
}

/// Every framework at a scope.
#[utoipa::path(get, path = "/api/v1/frameworks", tag = "frameworks", params(ListQuery, ScopeQuery),
    responses((status = 200, body = Page<FrameworkEntry>)))]
pub(crate) async fn list(
    ScopedListing { listing, scope }: ScopedListing,
) -> Result<Response, Refusal> {
    let visible = listing.caller.visible_here();
    let app = listing.app.clone();
    let standing = Standing::read(&app, &visible, &scope).await?;
    let entry = |outline: &Outline| FrameworkEntry::of(outline, &scope, &standing);
    let entries: Vec<FrameworkEntry> = app.content.outlines().iter().map(entry).collect();
    listing.held(&FRAMEWORKS, &entries).await
}

/// One framework at a scope, its sections with their controls.
#[utoipa::path(get, path = "/api/v1/frameworks/{id}", tag = "frameworks",
    params(("id" = String, Path, description = "`NAME@VERSION`, such as `cis-k8s@1.12`; the name alone is the same"), ScopeQuery),
    responses((status = 200, body = FrameworkDetail)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Params(query): Params<ScopeQuery>,
) -> Result<Response, Refusal> {
    let outline = outline(&app, &id)?;
    let scope = query.resolve(&caller)?;
    let standing = Standing::read(&app, &caller.visible_here(), &scope).await?;
    let sections = outline.sections.iter().map(|section| FrameworkSection {
        number: section.number.clone(),
        title: section.title.clone(),
        controls: section.controls.iter().filter_map(|id| standing.control(outline, id)).collect(),
    });
    let sections = sections.collect();
    let framework = FrameworkEntry::of(outline, &scope, &standing);
    object(StatusCode::OK, &FrameworkDetail { framework, sections })
}

/// Controls of one framework at a scope, each once.
#[utoipa::path(get, path = "/api/v1/frameworks/{id}/controls", tag = "frameworks",
    params(("id" = String, Path, description = "`NAME@VERSION`, or the name alone"), ListQuery, ScopeQuery),
    responses((status = 200, body = Page<FrameworkControl>)))]
pub(crate) async fn controls(
    Path(id): Path<String>,
    ScopedListing { listing, scope }: ScopedListing,
) -> Result<Response, Refusal> {
    let app = listing.app.clone();
    let outline = outline(&app, &id)?;
    let standing = Standing::read(&app, &listing.caller.visible_here(), &scope).await?;
    let ids = outline.controls();
    let controls: Vec<FrameworkControl> =
        ids.iter().filter_map(|id| standing.control(outline, id)).collect();
    listing.held(&FRAMEWORK_CONTROLS, &controls).await
}

fn outline<'a>(app: &'a App, id: &str) -> Result<&'a Outline, Refusal> {
    app.content.outline(id).ok_or_else(|| {
        let known: Vec<&str> = app.content.outlines().iter().map(|one| one.id.as_str()).collect();
        let detail = format!("no framework `{id}`; there are {}", known.join(", "));
        Refusal::new(StatusCode::NOT_FOUND, detail)
    })
}
