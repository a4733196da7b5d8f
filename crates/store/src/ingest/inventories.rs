//! Inventories of images and nodes: kept whole for matching, and by package for lists.
use super::Writer;
use crate::cell::clip;
use crate::db::Sql;
use crate::error::Result;
use crate::image::{self, PackageVersion, package_identity};
use crate::list;
use crate::noun::document_of;
use crate::put::{PAYLOAD_VERSION, put_new};
use crate::store::NewChange;
use seawall_model::Id;
use seawall_model::asset::Asset;
use seawall_model::package::{Inventory, Package, Target};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub(super) async fn store(writer: &mut Writer<'_>, inventory: &Inventory) -> Result<()> {
    let payload = document_of("inventory", inventory)?;
    let digest = hex::encode(Sha256::digest(&payload));
    let (target, image) = match &inventory.target {
        Target::Image { image } => {
            let scope = writer.agent.scope.clone();
            let image = image::describe(writer.tx, &scope, image, inventory).await?;
            writer.changed.images.push(image.id);
            (format!("image:{}", image.id), Some(image.id))
        }
        Target::Node { name } => {
            let system = inventory.distro.as_ref().map(|distro| {
                let version = distro.version.as_deref().unwrap_or_default();
                format!("{} {version}", distro.id).trim().to_owned()
            });
            super::nodes::asset(writer, name, system).await?;
            (format!("node:{}", clip(name)), None)
        }
        Target::Directory { path } => (format!("directory:{}", clip(path)), None),
    };
    let sql = "SELECT id, digest FROM inventories WHERE scope = $1 AND target = $2";
    let sql = Sql::new(sql).text(&writer.agent.scope).text(&target);
    let before = writer.tx.row("look for an inventory", sql).await?;
    if before.as_ref().is_some_and(|row| row.text(1) == digest) {
        return Ok(());
    }
    let id = match &before {
        Some(row) => list::id(row, 0)?,
        None => writer.tx.new_id(),
    };
    let sql = "INSERT INTO inventories (id, version, scope, target, image, digest, at, payload) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE \
               SET version = excluded.version, image = excluded.image, digest = excluded.digest, \
               at = excluded.at, payload = excluded.payload";
    let now = writer.tx.now;
    let sql = Sql::new(sql).text(id).int(PAYLOAD_VERSION).text(&writer.agent.scope).text(target);
    let sql = sql.opt_text(image).text(digest).int(now).text(payload);
    writer.tx.execute("write an inventory", sql).await?;
    hold(writer, id, image, &inventory.packages).await?;
    writer.changed.inventories.push(id);
    Ok(())
}

/// Replaces the packages that the inventory holds.
async fn hold(
    writer: &mut Writer<'_>,
    inventory: Id,
    image: Option<Id>,
    packages: &[Package],
) -> Result<()> {
    let sql = Sql::new("DELETE FROM holdings WHERE inventory = $1").text(inventory);
    writer.tx.execute("let packages go", sql).await?;
    // By identity, so that two writers meet in one order.
    let mut versions = BTreeMap::new();
    for package in packages {
        let identity = package_identity(package.ecosystem, &package.name, &package.version);
        versions.entry(identity).or_insert_with(|| PackageVersion {
            id: writer.tx.new_id(),
            ecosystem: package.ecosystem,
            name: package.name.clone(),
            version: package.version.clone(),
            images: 0,
            nodes: 0,
        });
    }
    let identities: Vec<&String> = versions.keys().collect();
    let identities = serde_json::json!(identities);
    let versions: Vec<PackageVersion> = versions.into_values().collect();
    put_new(writer.tx, &versions, "identity").await?;
    let sql = format!(
        "INSERT INTO holdings (package, inventory, scope, image) \
         SELECT p.id, $2, $3, $4 FROM packages p WHERE p.identity IN {}",
        writer.tx.db().texts(1)
    );
    let sql = Sql::new(sql).text(identities).text(inventory);
    let sql = sql.text(&writer.agent.scope).opt_text(image);
    writer.tx.execute("hold packages", sql).await?;
    Ok(())
}

impl Writer<'_> {
    /// An asset came, changed or went.
    pub(super) fn note_asset(&mut self, asset: &Asset) {
        self.changed.assets.push(asset.id);
        self.tx.changed(NewChange {
            noun: "asset",
            id: asset.id,
            revision: u64::try_from(self.tx.now).unwrap_or_default(),
            scope: asset.scope.clone(),
            namespace: asset.namespace.clone(),
            image: None,
        });
    }
}
