//! What agents answered at admission, and when nobody did.
use super::Writer;
use crate::cell::clip;
use crate::error::Result;
use crate::put::put;
use crate::store::NewChange;
use seawall_model::admission::{Decision, Gap, StoredDecision, StoredGap};

pub(super) async fn store_decisions(
    writer: &mut Writer<'_>,
    decisions: Vec<Decision>,
) -> Result<()> {
    let stored: Vec<StoredDecision> = decisions
        .into_iter()
        .map(|mut decision| {
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

pub(super) async fn store_gap(writer: &mut Writer<'_>, gap: Gap) -> Result<()> {
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
