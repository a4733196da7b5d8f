//! Images, their packages, and where they run; inventories for matching again without pulling.
use crate::cell::{self, clip, without_nul};
use crate::db::{Arg, Row, Sql};
use crate::error::{Error, Result};
use crate::list::{self, Reads, decode, fetch, fetch_where, read_where, select_of};
use crate::noun::{Narrowing, document_of};
use crate::put::{PAYLOAD_VERSION, id_array, put};
use crate::store::{NewChange, Store, Tx};
use crate::visible::{Visible, push_clause, push_grants};
use seawall_model::asset::{Agent, RunningContainer};
use seawall_model::finding::{Detail, Finding};
use seawall_model::image::{ImageRef, Layer};
use seawall_model::package::{Distro, Ecosystem, Inventory, Package};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis, Problem, Severity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An image within one scope: name and digest together, so that what is said of one name never leaks to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Image {
    pub id: Id,
    pub scope: ScopePath,
    pub name: String,
    pub digest: Option<String>,
    pub config_digest: Option<String>,
    pub index_digest: Option<String>,
    pub platform: Option<String>,
    pub distro: Option<Distro>,
    pub layers: Vec<Layer>,
    /// `None` until an inventory came: unknown is not zero.
    pub package_count: Option<u64>,
    /// Unhealthy vulnerability findings; `None` until the packages were matched.
    pub counts: Option<SeverityCounts>,
    /// Those with a fix.
    pub fixable: Option<u64>,
    /// Containers of this image that run now, as far as the reader may see them; the first hundred.
    pub running: Vec<RunningPlace>,
    /// All of them.
    pub running_count: u64,
    pub first: Millis,
    pub last: Millis,
    /// When an inventory last came.
    pub scanned: Option<Millis>,
    pub coverage_problems: Vec<Problem>,
    pub revision: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SeverityCounts {
    pub critical: u64,
    pub high: u64,
    pub medium: u64,
    pub low: u64,
    pub info: u64,
    pub unknown: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RunningPlace {
    #[serde(flatten)]
    pub container: RunningContainer,
    /// Display name.
    pub cluster: String,
    pub node: String,
}

/// A package of one image with the findings on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ImagePackage {
    #[serde(flatten)]
    pub package: Package,
    pub counts: SeverityCounts,
}

/// A package version across the estate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PackageVersion {
    pub id: Id,
    pub ecosystem: Ecosystem,
    pub name: String,
    pub version: String,
    /// Images and nodes that hold it, as far as the reader may see them.
    pub images: u64,
    pub nodes: u64,
}

/// A stored inventory, with the id that [`crate::Findings::replace_vulnerabilities`] takes.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredInventory {
    pub id: Id,
    pub scope: ScopePath,
    pub inventory: Inventory,
}

pub trait Images {
    async fn inventory(&self, id: Id) -> Result<Option<StoredInventory>>;
    /// Ids of all inventories after `after`, oldest first, at most `limit`: the walk of a re-match.
    async fn inventories_after(&self, after: Option<Id>, limit: u32) -> Result<Vec<Id>>;
    /// `None` when the image is unknown or not visible; empty until an inventory came.
    async fn image_packages(
        &self,
        visible: &Visible,
        image: Id,
    ) -> Result<Option<Vec<ImagePackage>>>;
}

/// Places listed per image; `running_count` tells how many there are.
const MAX_PLACES: i64 = 100;

/// `SHA-256(ecosystem, name, version)`: names may be longer than an index entry.
pub(crate) fn package_identity(ecosystem: Ecosystem, name: &str, version: &str) -> String {
    let mut hash = Sha256::new();
    for part in [ecosystem.purl_type(), name, version] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

impl SeverityCounts {
    fn add(&mut self, severity: Severity, count: u64) {
        let slot = match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
            Severity::Unknown => &mut self.unknown,
        };
        *slot += count;
    }
}

/// Lists where each image runs, as far as `visible` shows it.
pub(crate) async fn fill_running(
    store: &Store,
    visible: &Visible,
    items: &mut [Image],
) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let ids = id_array(items.iter().map(|image| image.id));
    let mut sql = Sql::new(format!(
        "SELECT image, payload, cluster, node, total FROM (\
         SELECT t.image, t.payload, t.cluster, t.node, t.agent, t.container, \
         count(*) OVER (PARTITION BY t.image) AS total, \
         row_number() OVER (PARTITION BY t.image ORDER BY t.cluster, t.node, t.agent, t.container) AS place \
         FROM running t WHERE t.image IN {} AND ",
        store.db().texts(1)
    ))
    .text(ids);
    push_clause(store.db(), &mut sql, visible, Narrowing::Namespace);
    sql.push(") AS places WHERE place <= ").bind(Arg::Int(Some(MAX_PLACES)));
    sql.push(" ORDER BY image, place");
    let mut places: HashMap<String, (u64, Vec<RunningPlace>)> = HashMap::new();
    for row in store.db().rows("read running containers", sql).await? {
        let container = container(&row.text(1))?;
        let place = RunningPlace { container, cluster: row.text(2), node: row.text(3) };
        let image = places.entry(row.text(0)).or_default();
        image.0 = row.uint(4);
        image.1.push(place);
    }
    for image in items {
        (image.running_count, image.running) =
            places.remove(&image.id.to_string()).unwrap_or_default();
    }
    Ok(())
}

fn container(payload: &str) -> Result<RunningContainer> {
    serde_json::from_str(payload).map_err(|source| Error::Payload {
        noun: "running container",
        id: String::new(),
        version: PAYLOAD_VERSION,
        source,
    })
}

/// Counts the images and nodes that hold each package version, as far as `visible` shows them.
pub(crate) async fn fill_holders(
    store: &Store,
    visible: &Visible,
    items: &mut [PackageVersion],
) -> Result<()> {
    let ids = id_array(items.iter().map(|package| package.id));
    let mut sql = Sql::new(format!(
        "SELECT h.package, count(h.image), count(*) - count(h.image) FROM holdings h \
         WHERE h.package IN {} AND ",
        store.db().texts(1)
    ))
    .text(ids);
    push_grants(store.db(), &mut sql, visible, Narrowing::Holdings, "h");
    sql.push(" GROUP BY h.package");
    let rows = store.db().rows("count the holders of packages", sql).await?;
    let counts: HashMap<String, (u64, u64)> =
        rows.iter().map(|row| (row.text(0), (row.uint(1), row.uint(2)))).collect();
    for package in items {
        (package.images, package.nodes) =
            counts.get(&package.id.to_string()).copied().unwrap_or_default();
    }
    Ok(())
}

/// Whether two references mean one image: the same name, and a digest in common or none known on one side.
fn same_image(image: &Image, other: &ImageRef) -> bool {
    let own = own_ref(image);
    let digests = [&other.digest, &other.config_digest, &other.index_digest];
    let mut known = digests.into_iter().flatten().peekable();
    image.name == other.name
        && (known.peek().is_none()
            || own.key_digest().is_none()
            || known.any(|digest| own.has_digest(digest)))
}

fn own_ref(image: &Image) -> ImageRef {
    ImageRef {
        name: image.name.clone(),
        digest: image.digest.clone(),
        index_digest: image.index_digest.clone(),
        config_digest: image.config_digest.clone(),
    }
}

pub(crate) fn note(tx: &mut Tx, image: &Image) {
    tx.changed(NewChange {
        noun: "image",
        id: image.id,
        revision: image.revision,
        scope: image.scope.clone(),
        namespace: None,
        image: Some(image.id),
    });
}

/// The images of a scope with these names, newest last.
async fn images_named(
    tx: &mut Tx,
    scope: &ScopePath,
    names: impl IntoIterator<Item = &str>,
) -> Result<Vec<Image>> {
    let names: BTreeSet<String> = names.into_iter().map(clip).collect();
    let mut sql = select_of::<Image>().text(scope).text(json!(names));
    let texts = tx.db().texts(2);
    sql.push(&format!("t.scope = $1 AND t.name IN {texts} ORDER BY t.id"));
    sql.push(tx.db().for_update());
    tx.rows("read images by name", sql).await?.iter().map(decode).collect()
}

/// Finds the image of `wanted` among `there`, or makes it; learns digests that were unknown.
fn resolve<'a>(
    tx: &Tx,
    there: &'a mut Vec<Image>,
    scope: &ScopePath,
    wanted: &ImageRef,
) -> &'a mut Image {
    let clean = |digest: &Option<String>| digest.clone().map(without_nul);
    let wanted = &ImageRef {
        name: without_nul(wanted.name.clone()),
        digest: clean(&wanted.digest),
        index_digest: clean(&wanted.index_digest),
        config_digest: clean(&wanted.config_digest),
    };
    let found = there.iter().rposition(|image| same_image(image, wanted));
    let position = found.unwrap_or_else(|| {
        there.push(Image {
            id: tx.new_id(),
            scope: scope.clone(),
            name: wanted.name.clone(),
            digest: None,
            config_digest: None,
            index_digest: None,
            platform: None,
            distro: None,
            layers: Vec::new(),
            package_count: None,
            counts: None,
            fixable: None,
            running: Vec::new(),
            running_count: 0,
            first: tx.now,
            last: tx.now,
            scanned: None,
            coverage_problems: Vec::new(),
            revision: 0,
        });
        there.len() - 1
    });
    let image = &mut there[position];
    image.digest = image.digest.take().or_else(|| wanted.digest.clone());
    image.config_digest = image.config_digest.take().or_else(|| wanted.config_digest.clone());
    image.index_digest = image.index_digest.take().or_else(|| wanted.index_digest.clone());
    image
}

/// Makes `containers` all that runs on the agent's node. Returns the images whose places changed.
pub(crate) async fn replace_running(
    tx: &mut Tx,
    agent: &Agent,
    containers: &[RunningContainer],
) -> Result<Vec<Id>> {
    let names: Vec<&str> =
        containers.iter().map(|container| container.image.name.as_str()).collect();
    let mut images = images_named(tx, &agent.scope, names).await?;
    let before: Vec<Image> = images.clone();
    let mut rows = BTreeMap::new();
    for container in containers {
        let image = resolve(tx, &mut images, &agent.scope, &container.image).id;
        let payload = document_of("running container", container)?;
        rows.insert(clip(&container.id), (image, container.namespace.clone(), payload));
    }
    let sql =
        Sql::new("SELECT container, image, payload FROM running WHERE agent = $1").text(agent.id);
    let old = tx.rows("read running containers", sql).await?;
    let mut old: BTreeMap<String, (String, String)> = old
        .iter()
        .map(|row| (row.text(0), (row.opt_text(1).unwrap_or_default(), row.text(2))))
        .collect();
    // Images one of whose containers came, changed or went.
    let mut touched: BTreeSet<Id> = BTreeSet::new();
    for (container, (image, _, payload)) in &rows {
        match old.remove(container) {
            Some((was, text)) if was == image.to_string() && text == *payload => {}
            Some((was, _)) => touched.extend(was.parse().ok().into_iter().chain([*image])),
            None => {
                touched.insert(*image);
            }
        }
    }
    touched.extend(old.values().filter_map(|(image, _)| image.parse::<Id>().ok()));

    let known: HashMap<Id, &Image> = before.iter().map(|image| (image.id, image)).collect();
    for image in &mut images {
        image.last = tx.now;
        let settled = known.get(&image.id).is_some_and(|old| own_ref(old) == own_ref(image));
        if touched.contains(&image.id) || !settled {
            touched.insert(image.id);
            image.revision += 1;
        }
    }
    put(tx, &images).await?;
    if !touched.is_empty() {
        write_running(tx, agent, &rows, &touched).await?;
        let gone = touched.iter().filter(|id| !images.iter().any(|image| image.id == **id));
        let gone: Vec<Id> = gone.copied().collect();
        let condition = format!("t.id IN {}", tx.db().texts(1));
        let gone: Vec<Image> = fetch_where(tx, &condition, id_array(gone)).await?;
        for image in images.iter().chain(&gone).filter(|image| touched.contains(&image.id)) {
            note(tx, image);
        }
    }
    Ok(touched.into_iter().collect())
}

async fn write_running(
    tx: &mut Tx,
    agent: &Agent,
    rows: &BTreeMap<String, (Id, Option<String>, String)>,
    touched: &BTreeSet<Id>,
) -> Result<()> {
    let sql = Sql::new("DELETE FROM running WHERE agent = $1").text(agent.id);
    tx.execute("forget running containers", sql).await?;
    let values: Vec<Value> = rows
        .iter()
        .map(|(container, (image, namespace, payload))| {
            let namespace = namespace.as_deref().map(clip);
            json!([container, image, namespace, payload])
        })
        .collect();
    let sql = format!(
        "INSERT INTO running (agent, scope, cluster, node, container, image, namespace, payload) \
         SELECT $2, $3, $4, $5, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3 FROM {}",
        tx.db().elements(1)
    );
    let sql = Sql::new(sql)
        .text(Value::Array(values))
        .text(agent.id)
        .text(&agent.scope)
        .text(&agent.cluster)
        .text(&agent.name);
    tx.execute("write running containers", sql).await?;
    let sql = format!(
        "UPDATE images SET running = CASE WHEN EXISTS \
         (SELECT 1 FROM running u WHERE u.image = images.id) THEN 1 ELSE 0 END WHERE id IN {}",
        tx.db().texts(1)
    );
    let sql = Sql::new(sql).text(id_array(touched.iter().copied()));
    tx.execute("note which images run", sql).await?;
    Ok(())
}

/// Counts the open findings of the image anew; `problems` replaces what coverage says.
pub(crate) async fn recount(tx: &mut Tx, image: Id, problems: Option<Vec<Problem>>) -> Result<()> {
    let Some(mut image) = fetch::<Image>(tx, &Visible::system(), image).await? else {
        return Ok(());
    };
    let sql = "SELECT severity, count(*), CAST(sum(fixable) AS BIGINT) FROM findings \
               WHERE image = $1 AND kind = 'vulnerability' AND state = 'unhealthy' GROUP BY severity";
    let rows = tx.rows("count an image's findings", Sql::new(sql).text(image.id)).await?;
    let (mut counts, mut fixable) = (SeverityCounts::default(), 0);
    for row in &rows {
        counts.add(cell::severity(row.int(0)), row.uint(1));
        fixable += row.uint(2);
    }
    let before = (image.counts, image.fixable, image.coverage_problems.clone());
    (image.counts, image.fixable) = (Some(counts), Some(fixable));
    if let Some(problems) = problems {
        image.coverage_problems = problems;
    }
    if before != (image.counts, image.fixable, image.coverage_problems.clone()) {
        image.revision += 1;
        put(tx, std::slice::from_ref(&image)).await?;
        note(tx, &image);
    }
    Ok(())
}

/// Scope and image of a stored inventory.
pub(crate) struct InventoryPlace {
    pub(crate) scope: ScopePath,
    pub(crate) image: Option<Id>,
}

pub(crate) async fn inventory_place(tx: &mut Tx, id: Id) -> Result<Option<InventoryPlace>> {
    let sql = Sql::new("SELECT scope, image FROM inventories WHERE id = $1").text(id);
    let Some(row) = tx.row("read an inventory's place", sql).await? else { return Ok(None) };
    let image = row.opt_text(1).and_then(|image| image.parse().ok());
    Ok(Some(InventoryPlace { scope: list::parsed("inventory", &row.text(0))?, image }))
}

const READ_INVENTORY: &str = "SELECT id, version, scope, payload FROM inventories WHERE id = $1";

pub(crate) async fn read_inventory(tx: &mut Tx, id: Id) -> Result<Option<StoredInventory>> {
    let row = tx.row("read an inventory", Sql::new(READ_INVENTORY).text(id)).await?;
    row.as_ref().map(stored_inventory).transpose()
}

fn stored_inventory(row: &Row) -> Result<StoredInventory> {
    let inventory = serde_json::from_str(&row.text(3)).map_err(|source| Error::Payload {
        noun: "inventory",
        id: row.text(0),
        version: row.int(1),
        source,
    })?;
    let scope = list::parsed("inventory", &row.text(2))?;
    Ok(StoredInventory { id: list::id(row, 0)?, scope, inventory })
}

/// An inventory of an image: finds or makes the image, and takes over what the inventory says of it.
pub(crate) async fn describe(
    tx: &mut Tx,
    scope: &ScopePath,
    reference: &ImageRef,
    inventory: &Inventory,
) -> Result<Image> {
    let mut images = images_named(tx, scope, [reference.name.as_str()]).await?;
    let now = tx.now;
    let image = resolve(tx, &mut images, scope, reference);
    image.platform.clone_from(&inventory.platform);
    image.distro.clone_from(&inventory.distro);
    image.layers.clone_from(&inventory.layers);
    image.package_count = Some(inventory.packages.len() as u64);
    (image.scanned, image.last) = (Some(now), now);
    image.coverage_problems.clone_from(&inventory.problems);
    image.revision += 1;
    let image = image.clone();
    put(tx, std::slice::from_ref(&image)).await?;
    note(tx, &image);
    Ok(image)
}

impl Images for Store {
    async fn inventory(&self, id: Id) -> Result<Option<StoredInventory>> {
        let row = self.db().row("read an inventory", Sql::new(READ_INVENTORY).text(id)).await?;
        row.as_ref().map(stored_inventory).transpose()
    }

    async fn inventories_after(&self, after: Option<Id>, limit: u32) -> Result<Vec<Id>> {
        let sql = "SELECT id FROM inventories WHERE id > $1 ORDER BY id LIMIT $2";
        let after = after.map_or_else(String::new, |after| after.to_string());
        let rows = self.db().rows("walk inventories", Sql::new(sql).text(after).int(limit.into()));
        rows.await?.iter().map(|row| list::id(row, 0)).collect()
    }

    async fn image_packages(
        &self,
        visible: &Visible,
        image: Id,
    ) -> Result<Option<Vec<ImagePackage>>> {
        let Some(image) = self.get::<Image>(visible, image).await? else { return Ok(None) };
        let sql =
            "SELECT id, version, scope, payload FROM inventories WHERE scope = $1 AND target = $2";
        let sql = Sql::new(sql).text(&image.scope).text(format!("image:{}", image.id));
        let row = self.db().row("read an image's inventory", sql).await?;
        let Some(stored) = row.as_ref().map(stored_inventory).transpose()? else {
            return Ok(Some(Vec::new()));
        };
        let findings: Vec<Finding> =
            read_where(self.db(), "t.image = $1 AND t.state = 'unhealthy'", image.id).await?;
        let mut counts: HashMap<PackageKey, SeverityCounts> = HashMap::new();
        for finding in &findings {
            if let Detail::Vulnerability(flaw) = &finding.detail {
                let package = &flaw.package;
                let layer = package.layer.as_ref().map(|layer| layer.index);
                let key = (package.purl.clone(), layer, package.owner.clone());
                counts.entry(key).or_default().add(finding.severity, 1);
            }
        }
        let packages = stored.inventory.packages.into_iter().map(|package| {
            let key = (package.purl.clone(), package.layer, package.owner.clone());
            ImagePackage { counts: counts.get(&key).copied().unwrap_or_default(), package }
        });
        Ok(Some(packages.collect()))
    }
}

/// What tells package instances of one image apart: purl, layer, owner.
type PackageKey = (String, Option<u32>, Option<String>);
