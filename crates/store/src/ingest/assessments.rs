//! Assessments of Kubernetes objects: one asset and all its findings each; and the end of a full listing.
use super::Writer;
use crate::asset::{OBJECT, StoredAsset};
use crate::cell::clip;
use crate::error::Result;
use crate::finding::{self, Draft, Subject};
use crate::list::{self, select_of};
use crate::node;
use crate::put::{put, remove};
use crate::verdict::{self, Settled};
use seawall_model::Millis;
use seawall_model::asset::Asset;
use seawall_model::finding::{ObjectAssessment, Resource};
use seawall_model::image::ImageRef;

/// The object's UID; objects read from files have none.
fn key(resource: &Resource) -> String {
    let namespace = resource.namespace.as_deref().unwrap_or_default();
    let named = || format!("{}/{namespace}/{}", resource.kind, resource.name);
    resource.uid.clone().unwrap_or_else(named).replace('\0', "\u{fffd}")
}

pub(super) async fn store(writer: &mut Writer<'_>, mut assessment: ObjectAssessment) -> Result<()> {
    let uid = key(&assessment.resource);
    let mut sql = select_of::<Asset>().text(&writer.agent.scope).text(clip(&uid)).text(OBJECT);
    sql.push("t.scope = $1 AND t.uid = $2 AND t.origin = $3");
    let row = writer.tx.row("look for an asset", sql).await?;
    let before: Option<Asset> = row.as_ref().map(list::decode).transpose()?;
    if assessment.deleted {
        return match before {
            Some(asset) => end(writer, asset).await,
            None => Ok(()),
        };
    }
    let settled = Settled::of(&mut assessment);
    let ObjectAssessment { resource, owner, labels, images, findings, observed, .. } = assessment;
    let image = |name| ImageRef { name, ..ImageRef::default() };
    let asset = Asset {
        id: before.as_ref().map_or_else(|| writer.tx.new_id(), |before| before.id),
        scope: writer.agent.scope.clone(),
        cluster: writer.cluster_uid.clone(),
        uid: uid.clone(),
        api_version: resource.api_version,
        kind: resource.kind,
        namespace: resource.namespace,
        name: resource.name,
        owner,
        images: images.into_iter().map(image).collect(),
        labels,
        coverage_problems: None,
        first_seen: before.as_ref().map_or(observed, |before| before.first_seen),
        last_seen: observed,
    };
    let unmoved = before
        .as_ref()
        .is_some_and(|before| Asset { last_seen: before.last_seen, ..asset.clone() } == *before);
    if !unmoved {
        writer.note_asset(&asset);
    }
    if is_node(&asset) && before.is_none_or(|before| before.labels != asset.labels) {
        writer.changed.nodes.insert(asset.name.clone());
    }
    let subject = subject(writer, &asset);
    let namespace = asset.namespace.clone();
    put(writer.tx, &[StoredAsset { asset, origin: OBJECT }]).await?;
    let drafts = findings.into_iter().map(|finding| Draft::control(finding, &uid)).collect();
    let settle = verdict::replace(writer.tx, &subject, namespace.as_deref(), &uid, Some(&settled));
    writer.changed.satisfied.extend(settle.await?);
    let changes = finding::replace(writer.tx, &subject, drafts, &settled).await?;
    writer.changed.findings.extend(changes);
    Ok(())
}

fn is_node(asset: &Asset) -> bool {
    asset.kind == "Node" && asset.api_version == "v1"
}

fn subject(writer: &Writer<'_>, asset: &Asset) -> Subject {
    Subject {
        name: format!("asset:{}", asset.id),
        scope: asset.scope.clone(),
        cluster: Some(writer.agent.cluster.clone()),
        image: None,
    }
}

/// The object is gone, and its findings with it.
async fn end(writer: &mut Writer<'_>, asset: Asset) -> Result<()> {
    let subject = subject(writer, &asset);
    let namespace = asset.namespace.as_deref();
    let settle = verdict::replace(writer.tx, &subject, namespace, &asset.uid, None);
    writer.changed.satisfied.extend(settle.await?);
    let changes = finding::replace(writer.tx, &subject, Vec::new(), &Settled::default()).await?;
    writer.changed.findings.extend(changes);
    remove::<Asset>(writer.tx, &[asset.id]).await?;
    if is_node(&asset) {
        node::end(writer.tx, &asset.scope, &asset.name, &mut writer.changed).await?;
    }
    writer.note_asset(&asset);
    Ok(())
}

/// Ends every object that was last assessed before `since`, by the agent's own clock.
pub(super) async fn sync(writer: &mut Writer<'_>, since: Millis) -> Result<()> {
    let mut sql = select_of::<Asset>().text(&writer.agent.scope).text(OBJECT).int(since);
    sql.push("t.scope = $1 AND t.origin = $2 AND t.last < $3 ORDER BY t.id");
    let rows = writer.tx.rows("look for assets that are gone", sql).await?;
    for row in &rows {
        end(writer, list::decode(row)?).await?;
    }
    Ok(())
}
