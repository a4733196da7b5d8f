//! Nodes: the asset that a sensor's inventory and facts share, and the findings that controls make of the facts.
use super::Writer;
use crate::asset::{NODE, StoredAsset};
use crate::cell::clip;
use crate::error::Result;
use crate::list::{self, select_of};
use crate::node;
use crate::put::put;
use seawall_model::asset::Asset;
use seawall_model::facts::NodeFacts;
use seawall_model::finding::ObjectAssessment;

/// The node of that name, made or seen again. `system` is its distribution and version, where the record tells.
pub(super) async fn asset(
    writer: &mut Writer<'_>,
    name: &str,
    system: Option<String>,
) -> Result<Asset> {
    let now = writer.tx.now;
    let mut sql = select_of::<Asset>().text(&writer.agent.scope).text(clip(name)).text(NODE);
    sql.push("t.scope = $1 AND t.uid = $2 AND t.origin = $3");
    let row = writer.tx.row("look for a node", sql).await?;
    let before: Option<Asset> = row.as_ref().map(list::decode).transpose()?;
    let asset = Asset {
        id: before.as_ref().map_or_else(|| writer.tx.new_id(), |before| before.id),
        scope: writer.agent.scope.clone(),
        cluster: writer.cluster_uid.clone(),
        uid: name.to_owned(),
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        namespace: None,
        name: name.to_owned(),
        owner: None,
        images: Vec::new(),
        labels: system.map(|system| ("os".to_owned(), system)).into_iter().collect(),
        coverage_problems: before.as_ref().and_then(|before| before.coverage_problems.clone()),
        first_seen: before.as_ref().map_or(now, |before| before.first_seen),
        last_seen: now,
    };
    let settled = before
        .is_some_and(|before| Asset { last_seen: before.last_seen, ..asset.clone() } == before);
    if !settled {
        writer.note_asset(&asset);
    }
    put(writer.tx, &[StoredAsset { asset: asset.clone(), origin: NODE }]).await?;
    Ok(asset)
}

/// Keeps the facts and replaces what controls say of the node and of the control plane's programs on it. Without an
/// assessment nobody judged them, and what was said stays.
pub(super) async fn store(
    writer: &mut Writer<'_>,
    facts: &NodeFacts,
    assessment: Option<Box<ObjectAssessment>>,
) -> Result<()> {
    let system = facts.os.as_ref().map(|os| {
        let version = os.version.as_deref().unwrap_or_default();
        format!("{} {version}", os.id).trim().to_owned()
    });
    let asset = asset(writer, &facts.node, system).await?;
    node::keep(writer.tx, &asset.scope, facts).await?;
    writer.changed.nodes.insert(facts.node.clone());
    let Some(assessment) = assessment else { return Ok(()) };
    let subject = node::subject(&asset.scope, Some(writer.agent.cluster.clone()), &asset.name);
    node::replace(writer.tx, &subject, &asset.uid, Some(*assessment), &mut writer.changed).await
}
