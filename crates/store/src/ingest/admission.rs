//! What agents answered at admission, and when nobody did.
use super::Writer;
use crate::cell::clip;
use crate::error::Result;
use crate::put::put;
use crate::store::NewChange;
use seawall_model::Millis;
use seawall_model::admission::{Decision, Gap, StoredDecision, StoredGap};

/// No agent comes back with its spool after longer than this: an older time is a wrong clock.
const OLDEST: Millis = 30 * 24 * 60 * 60 * 1000;
/// A clock that is ahead must not lead every list for ever.
const AHEAD: Millis = 5 * 60 * 1000;

/// An agent's time within its bounds around receipt.
pub(super) fn bounded(time: Millis, now: Millis) -> Millis {
    time.clamp(now - OLDEST, now + AHEAD)
}

pub(super) async fn store_decisions(
    writer: &mut Writer<'_>,
    decisions: Vec<Decision>,
) -> Result<()> {
    let now = writer.tx.now;
    let stored: Vec<StoredDecision> = decisions
        .into_iter()
        .map(|mut decision| {
            decision.time = bounded(decision.time, now);
            decision.agent = clip(&writer.agent.name);
            StoredDecision {
                id: writer.tx.new_id(),
                scope: writer.agent.scope.clone(),
                cluster: writer.agent.cluster.clone(),
                decision,
            }
        })
        .collect();
    put(writer.tx, &stored).await?;
    for StoredDecision { id, scope, decision, .. } in stored {
        writer.tx.changed(NewChange {
            noun: "decision",
            id,
            revision: 1,
            scope,
            namespace: decision.resource.namespace,
            image: None,
        });
    }
    Ok(())
}

/// A gap does not end before it begins.
pub(super) async fn store_gap(writer: &mut Writer<'_>, mut gap: Gap) -> Result<()> {
    let now = writer.tx.now;
    gap.from = bounded(gap.from, now);
    gap.to = bounded(gap.to, now).max(gap.from);
    let stored = StoredGap {
        id: writer.tx.new_id(),
        scope: writer.agent.scope.clone(),
        cluster: writer.agent.cluster.clone(),
        gap,
    };
    put(writer.tx, std::slice::from_ref(&stored)).await?;
    let StoredGap { id, scope, .. } = stored;
    let (namespace, image) = (None, None);
    writer.tx.changed(NewChange { noun: "gap", id, revision: 1, scope, namespace, image });
    Ok(())
}
