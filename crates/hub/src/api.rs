//! The HTTP API. A file's path is its URL; every route stands in one table with what it demands.
//!
//! ```text
//! request ─► request id, problem+json ─► headers ─► guard (who, limits, action) ─► idempotency ─► handler ─► store
//! ```
//!
//! Invariant: a route that is not in [`table`] does not exist, and [`endpoints`] lists them for the test that walks
//! them.

pub(crate) mod extract;
pub(crate) mod list;
pub(crate) mod problem;

mod agents;
mod alerts;
mod assets;
pub(crate) mod assignments;
mod audit;
mod clusters;
mod controls;
mod decisions;
mod detections;
mod document;
pub(crate) mod enrolments;
mod events;
mod exemptions;
pub(crate) mod features;
mod filters;
mod findings;
mod frameworks;
mod gaps;
mod idempotency;
mod if_match;
mod images;
mod names;
mod overview;
mod packages;
mod policy_sets;
mod recommendations;
mod roles;
mod room;
mod scopes;
mod scores;
mod search;
mod session;
pub(crate) mod stream;
mod tokens;
mod users;

pub use document::openapi;

use crate::app::App;
use crate::auth::Action::{
    AlertState, Assign, EditPolicy, Enrol, GrantExemption, RequestExemption, RevokeAgent, Users,
    View, ViewAudit,
};
use crate::auth::{Access, guard};
use crate::{headers, ui};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use http::StatusCode;
use problem::Refusal;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

/// Until the head of an answer; streams and exports go on after it.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// One address and method, and what it demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Upper case.
    pub method: String,
    /// With `{id}` for what varies.
    pub path: String,
    pub access: Access,
}

struct Route {
    access: Access,
    handler: UtoipaMethodRouter<App>,
}

fn public(handler: UtoipaMethodRouter<App>) -> Route {
    Route { access: Access::Public, handler }
}

fn signed_in(handler: UtoipaMethodRouter<App>) -> Route {
    Route { access: Access::SignedIn, handler }
}

fn may(action: crate::auth::Action, handler: UtoipaMethodRouter<App>) -> Route {
    Route { access: Access::May(action), handler }
}

/// Every route of the API.
#[rustfmt::skip]
fn table() -> Vec<Route> {
    vec![
        public(routes!(session::create)),
        signed_in(routes!(session::get)),
        signed_in(routes!(session::delete)),
        signed_in(routes!(session::change_password)),

        may(View, routes!(overview::get)),
        may(View, routes!(search::get)),
        may(View, routes!(stream::get)),
        may(View, routes!(features::get)),
        may(View, routes!(filters::get)),

        may(View, routes!(scopes::list)),
        may(Enrol, routes!(scopes::create)),
        may(View, routes!(clusters::list)),
        may(View, routes!(clusters::status::get)),
        may(View, routes!(clusters::get)),
        may(View, routes!(agents::list)),
        may(View, routes!(agents::get)),
        may(RevokeAgent, routes!(agents::revoke)),
        may(Enrol, routes!(agents::delete)),
        may(View, routes!(assets::list)),
        may(View, routes!(assets::get)),
        may(View, routes!(images::list)),
        may(View, routes!(images::get)),
        may(View, routes!(images::packages)),
        may(View, routes!(images::findings)),
        may(View, routes!(packages::list)),

        may(View, routes!(findings::list)),
        may(View, routes!(findings::get)),
        may(View, routes!(recommendations::list)),
        may(View, routes!(recommendations::get)),
        may(Assign, routes!(recommendations::assign)),
        may(View, routes!(scores::get)),
        may(View, routes!(scores::history)),
        may(View, routes!(frameworks::list)),
        may(View, routes!(frameworks::get)),
        may(View, routes!(frameworks::controls)),
        may(View, routes!(alerts::list)),
        may(View, routes!(alerts::facets::get)),
        may(AlertState, routes!(alerts::bulk::step)),
        may(View, routes!(alerts::get)),
        may(AlertState, routes!(alerts::dismiss)),
        may(AlertState, routes!(alerts::take)),
        may(AlertState, routes!(alerts::resolve)),
        may(AlertState, routes!(alerts::reopen)),
        may(View, routes!(events::list)),

        may(View, routes!(decisions::list)),
        may(View, routes!(decisions::get)),
        may(View, routes!(gaps::list)),
        may(View, routes!(assignments::list)),
        may(EditPolicy, routes!(assignments::create)),
        may(View, routes!(assignments::get)),
        may(EditPolicy, routes!(assignments::replace)),
        may(EditPolicy, routes!(assignments::delete)),
        may(View, routes!(policy_sets::list)),
        may(EditPolicy, routes!(policy_sets::create)),
        may(View, routes!(policy_sets::get)),
        may(EditPolicy, routes!(policy_sets::replace)),
        may(EditPolicy, routes!(policy_sets::delete)),
        may(View, routes!(policy_sets::trials)),

        may(View, routes!(exemptions::list)),
        may(View, routes!(exemptions::get)),
        may(RequestExemption, routes!(exemptions::create)),
        may(GrantExemption, routes!(exemptions::grant)),
        may(GrantExemption, routes!(exemptions::deny)),
        may(GrantExemption, routes!(exemptions::revoke)),
        may(View, routes!(detections::list)),
        may(View, routes!(detections::get)),
        may(View, routes!(controls::list)),
        may(View, routes!(controls::get)),

        may(Users, routes!(users::list)),
        may(Users, routes!(users::create)),
        may(Users, routes!(users::update)),
        may(Users, routes!(users::delete)),
        may(Users, routes!(users::reset_password)),
        may(Users, routes!(roles::list)),
        may(Users, routes!(roles::create)),
        may(Users, routes!(roles::delete)),
        may(Users, routes!(tokens::list)),
        may(Users, routes!(tokens::create)),
        may(Users, routes!(tokens::delete)),
        may(Enrol, routes!(enrolments::list)),
        may(Enrol, routes!(enrolments::create)),
        may(Enrol, routes!(enrolments::delete)),
        may(Enrol, routes!(enrolments::accept)),
        public(routes!(enrolments::redeem::redeem)),
        public(routes!(enrolments::join::join)),
        may(ViewAudit, routes!(audit::list)),
        may(ViewAudit, routes!(audit::verify)),
        public(routes!(document::get)),
    ]
}

/// Every route with what it demands, in the table's order.
pub fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for Route { access, handler: (_, paths, _) } in table() {
        for (path, item) in &paths.paths {
            let methods = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            for (method, _) in methods.into_iter().filter(|(_, operation)| operation.is_some()) {
                endpoints.push(Endpoint { method: method.to_owned(), path: path.clone(), access });
            }
        }
    }
    endpoints
}

/// The API, the health check and the web interface.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for Route { access, handler: (_, paths, methods) } in table() {
        let mut methods = methods;
        if matches!(access, Access::May(_)) {
            methods = methods.layer(from_fn_with_state(app.clone(), idempotency::replay));
        }
        let methods = methods.layer(from_fn_with_state((app.clone(), access), guard::check));
        for path in paths.paths.keys() {
            router = router.route(path, methods.clone());
        }
    }
    router
        .route("/api", get(nothing_here))
        .route("/api/{*rest}", axum::routing::any(nothing_here))
        .route("/healthz", get(|| async { "ok\n" }))
        .fallback(get(ui::serve))
        .with_state(app.clone())
        .layer(DefaultBodyLimit::max(idempotency::MAX_BODY_BYTES))
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_DEADLINE))
        .layer(CatchPanicLayer::new())
        .layer(from_fn(headers::secure))
        .layer(from_fn_with_state(app, problem::render))
}

async fn nothing_here() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "there is nothing at this address; see /api/v1/openapi.json",
    )
}
