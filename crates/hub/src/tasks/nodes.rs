//! What controls say of nodes follows the rest by which they are judged: facts are judged on their way in, and here
//! again when assignments, labels or this hub's content are others; a node that no sensor told of is said to be unknown.
use super::scoring::leaves;
use super::{RETRY_AFTER, locked};
use crate::api::extract::chain;
use crate::app::App;
use crate::excuse::Excuses;
use crate::node::{assigned, judge_stored};
use seawall_model::admission::{Assignment, Policy};
use seawall_model::scope::ScopePath;
use seawall_posture::Selection;
use seawall_store::{Assignments, Nodes};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often assignments are looked at without a hint: other hubs change them too.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What the nodes of each cluster were judged by last.
#[derive(Default)]
struct JudgedBy {
    /// None before the first look.
    assignments: Option<Vec<Assignment>>,
    policies: BTreeMap<ScopePath, Vec<Policy>>,
}

pub(super) async fn run(app: App) {
    let mut judged_by = JudgedBy::default();
    let mut desired = app.wakers.desired();
    loop {
        desired.mark_unchanged();
        let followed = match note_reassigned(&app, &mut judged_by).await {
            Ok(()) => judge_noted(&app).await,
            Err(error) => Err(error),
        };
        if let Err(error) = followed {
            tracing::warn!(error = chain(&error), "nodes not judged again");
            tokio::time::sleep(RETRY_AFTER).await;
            continue;
        }
        tokio::select! {
            () = app.wakers.nodes_changed.notified() => {}
            _ = desired.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Notes all nodes of the clusters where other parameters are assigned than before; at the start all there are.
async fn note_reassigned(app: &App, judged_by: &mut JudgedBy) -> seawall_store::Result<()> {
    let assignments = app.store.assignments_around(&ScopePath::root()).await?;
    if judged_by.assignments.as_ref() == Some(&assignments) {
        return Ok(());
    }
    for scope in leaves(app).await? {
        let policies = assigned(app, &scope).await?;
        if judged_by.policies.get(&scope) != Some(&policies) {
            let names = app.store.node_names(&scope).await?;
            app.wakers.nodes_changed(&scope, names);
            judged_by.policies.insert(scope, policies);
        }
    }
    judged_by.assignments = Some(assignments);
    Ok(())
}

async fn judge_noted(app: &App) -> seawall_store::Result<()> {
    loop {
        let Some((scope, mut names)) = locked(&app.wakers.nodes).pop_first() else { return Ok(()) };
        let judged = judge_all(app, &scope, &mut names).await;
        if judged.is_err() {
            app.wakers.nodes_changed(&scope, names);
            return judged;
        }
    }
}

/// Takes out of `names` what is done.
async fn judge_all(
    app: &App,
    scope: &ScopePath,
    names: &mut BTreeSet<String>,
) -> seawall_store::Result<()> {
    let selection = app.content.assigned(&assigned(app, scope).await?);
    let exemptions = super::in_force(app, scope).await?;
    while let Some(name) = names.first() {
        judge(app, &selection, Excuses(&exemptions), scope, name).await?;
        names.pop_first();
    }
    super::recheck(app, scope, &exemptions).await;
    Ok(())
}

async fn judge(
    app: &App,
    selection: &Selection,
    excuses: Excuses<'_>,
    scope: &ScopePath,
    name: &str,
) -> seawall_store::Result<()> {
    let node = app.store.node(scope, name).await?;
    let mut said = judge_stored(selection, &node);
    for finding in &mut said.findings {
        excuses.apply_control(finding);
    }
    // One that changed meanwhile was noted again.
    if let Some(changed) = app.store.judge_node(&node, said).await? {
        app.wakers.ingested(changed);
    }
    Ok(())
}
