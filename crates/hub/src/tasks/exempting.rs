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

/// How often match counts are looked at without a hint.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The longest wait for the next end: other hubs grant too, and clocks are set.
const NEXT_END_EVERY: Duration = Duration::from_secs(2);
const PAGE: u32 = 500;

pub(super) async fn run(app: App) {
    // At the start every finding is looked at: an exemption may have ended while nobody looked.
    locked(&app.wakers.exemptions).insert(ScopePath::root());
    loop {
        let mut scopes = std::mem::take(&mut *locked(&app.wakers.exemptions));
        if let Err(error) = reconcile(&app, &mut scopes).await {
            tracing::warn!(error = chain(&error), "exemptions not applied");
            locked(&app.wakers.exemptions).extend(scopes);
            tokio::time::sleep(RETRY_AFTER).await;
            continue;
        }
        let _ = tokio::time::timeout(LOOK_EVERY, hint_or_end(&app)).await;
    }
}

/// Returns once something was noted or the time of an exemption is over.
async fn hint_or_end(app: &App) {
    loop {
        let wait = match app.store.next_exemption_end().await {
            Ok(Some(end)) if end <= app.now() => return,
            Ok(Some(end)) => Duration::from_millis(end.saturating_sub(app.now()).unsigned_abs()),
            Ok(None) => NEXT_END_EVERY,
            Err(error) => {
                tracing::warn!(error = chain(&error), "next end of an exemption not read");
                NEXT_END_EVERY
            }
        };
        let noted = app.wakers.exemptions_changed.notified();
        if tokio::time::timeout(wait.min(NEXT_END_EVERY), noted).await.is_ok() {
            return;
        }
    }
}

/// After findings at `scope` were judged by `judged_by` and written: where other exemptions are in force by now, they
/// are judged again. Whoever granted or ended one meanwhile may have looked before they were there.
pub(crate) async fn recheck(app: &App, scope: &ScopePath, judged_by: &[Exemption]) {
    match in_force(app, scope).await {
        Ok(now) if same(judged_by, &now) => {}
        Ok(_) => app.wakers.exemptions_changed(scope.clone()),
        Err(error) => {
            tracing::warn!(error = chain(&error), %scope, "exemptions not read again");
            app.wakers.exemptions_changed(scope.clone());
        }
    }
}

/// Counts of matches may differ: they change no verdict.
fn same(a: &[Exemption], b: &[Exemption]) -> bool {
    a.iter().map(|exemption| exemption.id).eq(b.iter().map(|exemption| exemption.id))
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

/// Adds the scopes of exemptions that ended: they end once, so whoever tries again must know.
async fn reconcile(app: &App, scopes: &mut BTreeSet<ScopePath>) -> seawall_store::Result<()> {
    let ended = app.store.expire_exemptions().await?;
    scopes.extend(ended.into_iter().map(|exemption| exemption.scope));
    for scope in &*scopes {
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
        if !changed.is_empty() && !write(app, changed).await? {
            app.wakers.exemptions_changed(scope.clone());
        }
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    for (scope, judged_by) in &in_force {
        recheck(app, scope, judged_by).await;
    }
    Ok(())
}

/// False where some were judged anew meanwhile and were left alone.
async fn write(app: &App, judged: Vec<Finding>) -> seawall_store::Result<bool> {
    let count = judged.len();
    let written = app.store.put_findings(judged).await?;
    let all = written.len() == count;
    let mut by_scope: BTreeMap<ScopePath, Vec<FindingChange>> = BTreeMap::new();
    for change in written {
        by_scope.entry(change.scope.clone()).or_default().push(change);
    }
    for (scope, changes) in by_scope {
        app.wakers.findings_changed(scope, changes);
    }
    Ok(all)
}
