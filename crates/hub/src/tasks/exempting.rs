//! Findings follow the exemptions: what is granted excuses them, what ended does so no longer.
use super::{RETRY_AFTER, locked};
use crate::api::extract::chain;
use crate::app::App;
use crate::excuse::Excuses;
use seawall_model::exemption::Exemption;
use seawall_model::finding::Finding;
use seawall_model::scope::ScopePath;
use seawall_store::{Exemptions, FindingChange, Findings, Query, Reads, Visible};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often ends and match counts are looked at without a hint.
const LOOK_EVERY: Duration = Duration::from_secs(30);
const PAGE: u32 = 500;

pub(super) async fn run(app: App) {
    // At the start every finding is looked at: an exemption may have ended while nobody looked.
    locked(&app.wakers.exemptions).insert(ScopePath::root());
    loop {
        let scopes = std::mem::take(&mut *locked(&app.wakers.exemptions));
        if let Err(error) = reconcile(&app, &scopes).await {
            tracing::warn!(error = chain(&error), "exemptions not applied");
            locked(&app.wakers.exemptions).extend(scopes);
            tokio::time::sleep(RETRY_AFTER).await;
            continue;
        }
        let noted = app.wakers.exemptions_changed.notified();
        let _ = tokio::time::timeout(LOOK_EVERY, noted).await;
    }
}

/// Exemptions that count at `scope`: given there or above, granted and not over.
pub(crate) async fn in_force(
    app: &App,
    scope: &ScopePath,
) -> seawall_store::Result<Vec<Exemption>> {
    let exemptions = app.store.exemptions_in_force(scope).await?;
    let now = app.now();
    Ok(exemptions.into_iter().filter(|exemption| exemption.expires > now).collect())
}

async fn reconcile(app: &App, scopes: &BTreeSet<ScopePath>) -> seawall_store::Result<()> {
    let ended = app.store.expire_exemptions().await?;
    let scopes: BTreeSet<ScopePath> =
        scopes.iter().cloned().chain(ended.into_iter().map(|exemption| exemption.scope)).collect();
    for scope in &scopes {
        // A scope above does this one's work.
        if !scopes.iter().any(|other| other != scope && scope.is_within(other)) {
            apply(app, scope).await?;
        }
    }
    app.store.recount_exemptions().await?;
    Ok(())
}

/// Judges the findings below `scope` that are unhealthy or exempt again.
async fn apply(app: &App, scope: &ScopePath) -> seawall_store::Result<()> {
    let filter = format!("scope:{}* state:unhealthy,exempt", scope.as_str());
    let mut query =
        Query { filter, sort: Some("first".to_owned()), limit: PAGE, ..Query::default() };
    let mut in_force: BTreeMap<ScopePath, Vec<Exemption>> = BTreeMap::new();
    loop {
        let page = app.store.list::<Finding>(&Visible::system(), &query).await?;
        let mut changed = Vec::new();
        for mut finding in page.items {
            if !in_force.contains_key(&finding.scope) {
                let exemptions = super::in_force(app, &finding.scope).await?;
                in_force.insert(finding.scope.clone(), exemptions);
            }
            if Excuses(&in_force[&finding.scope]).apply(&mut finding) {
                changed.push(finding);
            }
        }
        if !changed.is_empty() {
            let mut by_scope: BTreeMap<ScopePath, Vec<FindingChange>> = BTreeMap::new();
            for change in app.store.put_findings(changed).await? {
                by_scope.entry(change.scope.clone()).or_default().push(change);
            }
            for (scope, changes) in by_scope {
                app.wakers.findings_changed(scope, changes);
            }
        }
        let Some(next) = page.next else { return Ok(()) };
        query.after = Some(next);
    }
}
