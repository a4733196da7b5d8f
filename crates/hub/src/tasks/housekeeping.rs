//! What is over is removed: sessions, tokens, idempotency keys, old rows of the change feed, decisions and gaps, pods of
//! cluster agents that are gone.
use crate::api::extract::chain;
use crate::app::App;
use crate::auth::session::SESSION_IDLE;
use crate::ca::AGENT_CERTIFICATE_LIFE;
use seawall_model::Millis;
use seawall_store::{Agents, Assignments, Changes, Idempotency, Sessions, Tokens};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(10 * 60);
/// An expired token stays in its list this long, so that its owner sees why a program stopped.
const TOKEN_GRACE: Millis = 30 * 24 * 60 * 60 * 1000;
/// Rows of the change feed: a page that was away longer loads everything anew.
const KEPT_CHANGES: u64 = 100_000;
/// Decisions and gaps are events, and events are kept for 90 days (platform.md, "Retention"): long enough to see over a
/// quarter what a stricter policy would refuse.
const KEPT_ADMISSION: Millis = 90 * 24 * 60 * 60 * 1000;

pub(super) async fn run(app: App) {
    loop {
        if let Err(error) = clean(&app).await {
            tracing::warn!(error = chain(&error), "housekeeping failed");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn clean(app: &App) -> seawall_store::Result<()> {
    app.store.purge_sessions(SESSION_IDLE).await?;
    app.store.purge_tokens(TOKEN_GRACE).await?;
    app.store.purge_requests().await?;
    app.store.prune_changes(KEPT_CHANGES).await?;
    app.store.prune_admission(app.now() - KEPT_ADMISSION).await?;
    // Longer than its certificate: it has not even renewed.
    let silent_since = app.now() - AGENT_CERTIFICATE_LIFE.as_millis() as Millis;
    for agent in app.store.retire_agents(silent_since).await? {
        tracing::info!(agent = %agent.id, name = agent.name, "silent cluster agent retired");
        app.live.revoke(agent.id);
    }
    Ok(())
}
