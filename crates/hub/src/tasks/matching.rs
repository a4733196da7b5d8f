//! Stored inventories are held against the advisory index: new ones at once, all of them when the index changed.
use super::{RETRY_AFTER, locked};
use crate::api::extract::chain;
use crate::app::App;
use crate::excuse::Excuses;
use seawall_model::Id;
use seawall_model::package::Target;
use seawall_store::{Findings, Images, StoredInventory};
use seawall_vuln::{IndexSet, match_inventory};
use std::sync::Arc;
use std::time::Duration;

/// How often the index directory is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Ids read at once while walking all inventories.
const PAGE: u32 = 200;

pub(super) async fn run(app: App) {
    // Whatever was not matched when the hub last ended is matched now.
    let mut walk_all = true;
    loop {
        walk_all |= app.advisories.reload();
        if let Some(index) = app.advisories.index() {
            let outcome = match walk_all {
                true => every(&app, &index).await,
                false => new(&app, &index).await,
            };
            match outcome {
                Ok(()) => walk_all = false,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "inventories not matched");
                    tokio::time::sleep(RETRY_AFTER).await;
                    continue;
                }
            }
        }
        let noted = app.wakers.inventories_changed.notified();
        let _ = tokio::time::timeout(LOOK_EVERY, noted).await;
    }
}

async fn new(app: &App, index: &Arc<IndexSet>) -> seawall_store::Result<()> {
    loop {
        let Some(id) = locked(&app.wakers.inventories).pop_first() else { return Ok(()) };
        if let Err(error) = one(app, index, id).await {
            locked(&app.wakers.inventories).insert(id);
            return Err(error);
        }
    }
}

async fn every(app: &App, index: &Arc<IndexSet>) -> seawall_store::Result<()> {
    let mut after = None;
    loop {
        let ids = app.store.inventories_after(after, PAGE).await?;
        let Some(last) = ids.last().copied() else { return Ok(()) };
        for id in ids {
            one(app, index, id).await?;
        }
        after = Some(last);
    }
}

async fn one(app: &App, index: &Arc<IndexSet>, id: Id) -> seawall_store::Result<()> {
    // Gone since it was noted: replaced by a newer one, which has its own note.
    let Some(stored) = app.store.inventory(id).await? else { return Ok(()) };
    let StoredInventory { scope, inventory, .. } = stored;
    let resource = match &inventory.target {
        Target::Image { image } => image.name.clone(),
        Target::Node { name } => name.clone(),
        Target::Directory { path } => path.clone(),
    };
    let index = index.clone();
    // Thousands of packages take tens of milliseconds of one core.
    let matched = tokio::task::spawn_blocking(move || match_inventory(&inventory, &index));
    let mut report = matched.await.expect("matching does not panic");
    let exemptions = super::in_force(app, &scope).await?;
    for finding in &mut report.findings {
        Excuses(&exemptions).apply_vulnerability(&resource, finding);
    }
    let changes = app.store.replace_vulnerabilities(id, report.findings, report.problems).await?;
    super::recheck(app, &scope, &exemptions).await;
    app.wakers.findings_changed(scope, changes);
    Ok(())
}
