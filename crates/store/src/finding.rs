//! Findings: replaced per resource, so that what is missing is gone.
use crate::asset;
use crate::cell::{self, clip, without_nul};
use crate::db::{Arg, Sql};
use crate::error::Result;
use crate::image::{self, StoredInventory};
use crate::list::{self, fetch_where};
use crate::noun::Narrowing;
use crate::put::{id_array, put, remove};
use crate::store::{NewChange, Store, Tx};
use crate::verdict::Settled;
use crate::visible::{Visible, push_clause};
use seawall_model::asset::Cluster;
use seawall_model::finding::{
    ControlFinding, Detail, Finding, FindingKind, FixStatus, State, VulnFinding,
};
use seawall_model::package::Target;
use seawall_model::scope::ScopePath;
use seawall_model::severity::Severity;
use seawall_model::{Id, Millis, Problem};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// One finding appeared (`before` is `None`), changed (also in more than its state), or went (`after` is `None`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingChange {
    pub id: Id,
    pub scope: ScopePath,
    pub kind: FindingKind,
    /// Control or flaw id.
    pub rule: String,
    /// Key of the recommendation: the control id, or `update:<ecosystem>/<package>`.
    pub work: String,
    pub title: String,
    pub resource: String,
    pub before: Option<State>,
    pub after: Option<State>,
}

/// The part of a finding that a score needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingState {
    pub scope: ScopePath,
    pub kind: FindingKind,
    pub rule: String,
    pub resource_key: String,
    pub resource: String,
    pub severity: Severity,
    pub state: State,
    /// `mitigated` or `risk_accepted` where the state is exempt.
    pub exemption: Option<String>,
}

pub trait Findings {
    /// Replaces every vulnerability finding of the image or node that the inventory describes, and the image's counts.
    /// `problems` are what matching could not decide.
    async fn replace_vulnerabilities(
        &self,
        inventory: Id,
        findings: Vec<VulnFinding>,
        problems: Vec<Problem>,
    ) -> Result<Vec<FindingChange>>;
    /// Writes findings back whose state or exemption a reconciler changed, and raises their revisions. Those that are gone
    /// or have another revision than was read are left out: another verdict came meanwhile.
    async fn put_findings(&self, findings: Vec<Finding>) -> Result<Vec<FindingChange>>;
    /// All findings at and below `scope`, light, but those of controls that are satisfied: [`Verdicts`] has them.
    async fn finding_states(
        &self,
        visible: &Visible,
        scope: &ScopePath,
        kind: Option<FindingKind>,
    ) -> Result<Vec<FindingState>>;
    /// How many resources at and below `scope` fail at least one of `controls`, by namespace; each counts once. Of all
    /// kinds where `kinds` is empty. Exempt findings do not fail.
    async fn failing_resources(
        &self,
        visible: &Visible,
        scope: &ScopePath,
        controls: &[&str],
        kinds: &[String],
    ) -> Result<Vec<(Option<String>, u64)>>;
}

/// A finding as written: whose set it belongs to, and the image by whose running places a narrowed grant sees it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredFinding {
    pub(crate) finding: Finding,
    #[serde(skip)]
    pub(crate) subject: Option<String>,
    #[serde(skip)]
    pub(crate) image: Option<Id>,
}

/// The recommendation a finding belongs to.
pub(crate) fn work(finding: &Finding) -> String {
    match &finding.detail {
        Detail::Control(_) => clip(&finding.rule),
        Detail::Vulnerability(flaw) => {
            let purl = flaw.package.purl.strip_prefix("pkg:").unwrap_or_default();
            let ecosystem = match purl.split('/').next().unwrap_or_default() {
                "deb" => "debian",
                "golang" => "go",
                other => other,
            };
            clip(&format!("update:{ecosystem}/{}", flaw.package.name))
        }
    }
}

/// A finding before it has an identity in the store.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) key: String,
    pub(crate) namespace: Option<String>,
    pub(crate) resource: String,
    pub(crate) resource_key: String,
    pub(crate) detail: Detail,
}

/// Where a set of findings belongs.
#[derive(Debug)]
pub(crate) struct Subject {
    /// `asset:ID`, `inventory:ID` or `node:SCOPE NAME` without the space.
    pub(crate) name: String,
    pub(crate) scope: ScopePath,
    pub(crate) cluster: Option<String>,
    pub(crate) image: Option<Id>,
}

/// Text between the parts of a key; part of none of them.
const BETWEEN: &str = "\u{1f}";

impl Draft {
    pub(crate) fn control(finding: ControlFinding, resource_key: &str) -> Self {
        Self {
            key: without_nul([finding.control.as_str(), resource_key].join(BETWEEN)),
            namespace: finding.resource.namespace.clone(),
            resource: format!("{}/{}", finding.resource.kind, finding.resource.name),
            resource_key: resource_key.to_owned(),
            detail: Detail::Control(finding),
        }
    }

    fn flaw(flaw: VulnFinding, resource: &str, resource_key: &str) -> Self {
        let package = &flaw.package;
        let layer = package.layer.as_ref().map_or("", |layer| layer.diff_id.as_str());
        let owner = package.owner.as_deref().unwrap_or_default();
        Self {
            key: without_nul(
                [flaw.id.as_str(), &package.purl, layer, owner, resource_key].join(BETWEEN),
            ),
            namespace: None,
            resource: resource.to_owned(),
            resource_key: resource_key.to_owned(),
            detail: Detail::Vulnerability(flaw),
        }
    }

    fn finding(self, id: Id, first: Millis, now: Millis, subject: &Subject) -> Finding {
        let Self { key, namespace, resource, resource_key, detail } = self;
        let mut finding = Finding {
            id,
            scope: subject.scope.clone(),
            kind: FindingKind::Control,
            key,
            rule: String::new(),
            title: String::new(),
            severity: Severity::Unknown,
            state: State::Unknown,
            reason: None,
            cluster: subject.cluster.clone(),
            namespace,
            resource,
            resource_key,
            package: None,
            fix_available: false,
            kev: false,
            epss: None,
            first,
            last: now,
            revision: 1,
            detail,
        };
        match &finding.detail {
            Detail::Control(control) => {
                finding.rule.clone_from(&control.control);
                finding.title.clone_from(&control.title);
                (finding.severity, finding.state) = (control.severity, control.state);
                finding.reason.clone_from(&control.reason);
                finding.fix_available = !control.fix.is_empty();
            }
            Detail::Vulnerability(flaw) => {
                finding.kind = FindingKind::Vulnerability;
                finding.rule.clone_from(&flaw.id);
                finding.title = flaw.title.clone().unwrap_or_else(|| flaw.id.clone());
                (finding.severity, finding.state) = (flaw.severity.level, flaw.state);
                finding.package = Some(flaw.package.name.clone());
                finding.fix_available = flaw.fix.status == FixStatus::Available;
                finding.kev = flaw.kev.is_some();
                finding.epss = flaw.epss.as_ref().map(|epss| epss.score);
            }
        }
        finding
    }
}

fn change(before: Option<&Finding>, after: Option<&Finding>) -> Option<FindingChange> {
    let finding = after.or(before)?;
    Some(FindingChange {
        id: finding.id,
        scope: finding.scope.clone(),
        kind: finding.kind,
        rule: finding.rule.clone(),
        work: work(finding),
        title: finding.title.clone(),
        resource: finding.resource.clone(),
        before: before.map(|before| before.state),
        after: after.map(|after| after.state),
    })
}

fn note(tx: &mut Tx, finding: &Finding, image: Option<Id>) {
    tx.changed(NewChange {
        noun: "finding",
        id: finding.id,
        revision: finding.revision,
        scope: finding.scope.clone(),
        namespace: finding.namespace.clone(),
        image,
    });
}

/// The finding of a control that is in order now, or cannot concern the object any more.
fn settled(before: &Finding, state: State, reason: Option<&str>, now: Millis) -> Finding {
    let mut after = before.clone();
    (after.state, after.reason, after.fix_available) = (state, reason.map(str::to_owned), false);
    if let Detail::Control(control) = &mut after.detail {
        (control.state, control.reason) = (state, reason.map(str::to_owned));
        (control.message, control.exemption) = (None, None);
        control.evidence.clear();
        control.fix.clear();
    }
    if after != *before {
        (after.last, after.revision) = (now, before.revision + 1);
    }
    after
}

/// Makes `drafts` all that is out of order of the subject. A finding whose control is `settled` now stays, in its new
/// state; others are gone. Unchanged findings keep revision and only move their `last`.
pub(crate) async fn replace(
    tx: &mut Tx,
    subject: &Subject,
    drafts: Vec<Draft>,
    settled_by: &Settled,
) -> Result<Vec<FindingChange>> {
    let now = tx.now;
    let there: Vec<Finding> = fetch_where(tx, "t.subject = $1", &subject.name).await?;
    let mut there: HashMap<String, Finding> =
        there.into_iter().map(|finding| (finding.key.clone(), finding)).collect();
    let (mut seen, mut written, mut unchanged, mut changes) =
        (BTreeSet::new(), Vec::new(), Vec::new(), Vec::new());
    for mut draft in drafts {
        // One control may judge one resource twice; neither verdict may be lost.
        let plain = draft.key.clone();
        let mut twin = 1;
        while !seen.insert(draft.key.clone()) {
            twin += 1;
            draft.key = format!("{plain}{BETWEEN}{twin}");
        }
        let before = there.remove(&draft.key);
        let id = before.as_ref().map_or_else(|| tx.new_id(), |before| before.id);
        let first = before.as_ref().map_or(now, |before| before.first);
        let mut after = draft.finding(id, first, now, subject);
        if let Some(before) = &before {
            (after.last, after.revision) = (before.last, before.revision);
            if after == *before {
                unchanged.push(id);
                continue;
            }
            (after.last, after.revision) = (now, before.revision + 1);
        }
        changes.extend(change(before.as_ref(), Some(&after)));
        note(tx, &after, subject.image);
        let name = Some(subject.name.clone());
        written.push(StoredFinding { finding: after, subject: name, image: subject.image });
    }
    let mut others: Vec<Finding> = there.into_values().collect();
    others.sort_unstable_by_key(|finding| finding.id);
    let mut gone: Vec<Finding> = Vec::new();
    for before in others {
        let Some((state, reason)) = settled_by.of_control(&before.rule) else {
            gone.push(before);
            continue;
        };
        let after = settled(&before, state, reason, now);
        if after == before {
            unchanged.push(before.id);
            continue;
        }
        changes.extend(change(Some(&before), Some(&after)));
        note(tx, &after, subject.image);
        let name = Some(subject.name.clone());
        written.push(StoredFinding { finding: after, subject: name, image: subject.image });
    }
    put(tx, &written).await?;
    gone.sort_unstable_by_key(|finding| finding.id);
    for finding in &mut gone {
        changes.extend(change(Some(finding), None));
        finding.revision += 1;
        note(tx, finding, subject.image);
    }
    let ids: Vec<Id> = gone.iter().map(|finding| finding.id).collect();
    remove::<Finding>(tx, &ids).await?;
    if !unchanged.is_empty() {
        let sql = format!("UPDATE findings SET last = $2 WHERE id IN {}", tx.db().texts(1));
        let sql = Sql::new(sql).text(id_array(unchanged)).int(now);
        tx.execute("note findings seen again", sql).await?;
    }
    Ok(changes)
}

impl Findings for Store {
    async fn replace_vulnerabilities(
        &self,
        inventory: Id,
        findings: Vec<VulnFinding>,
        problems: Vec<Problem>,
    ) -> Result<Vec<FindingChange>> {
        let mut tx = self.begin().await?;
        let Some(place) = image::inventory_place(&mut tx, inventory).await? else {
            return Ok(Vec::new());
        };
        tx.lock(place.scope.as_str()).await?;
        // Read again: a newer one may have come while waiting.
        let Some(stored) = image::read_inventory(&mut tx, inventory).await? else {
            return Ok(Vec::new());
        };
        let clusters: Vec<Cluster> = fetch_where(&mut tx, "t.scope = $1", &stored.scope).await?;
        let subject = Subject {
            name: format!("inventory:{inventory}"),
            scope: stored.scope.clone(),
            cluster: clusters.first().map(|cluster| cluster.name.clone()),
            image: place.image,
        };
        let (resource, resource_key) = names(&stored);
        let drafts =
            findings.into_iter().map(|flaw| Draft::flaw(flaw, &resource, &resource_key)).collect();
        let changes = replace(&mut tx, &subject, drafts, &Settled::default()).await?;
        let problems = stored.inventory.problems.into_iter().chain(problems).collect();
        match (place.image, &stored.inventory.target) {
            (Some(image), _) => image::recount(&mut tx, image, Some(problems)).await?,
            (None, Target::Node { name }) => {
                asset::node_matched(&mut tx, &stored.scope, name, problems).await?;
            }
            (None, _) => {}
        }
        tx.commit().await?;
        Ok(changes)
    }

    async fn put_findings(&self, findings: Vec<Finding>) -> Result<Vec<FindingChange>> {
        let mut tx = self.begin().await?;
        let condition = format!("t.id IN {}", tx.db().texts(1));
        let ids = id_array(findings.iter().map(|finding| finding.id));
        let there: Vec<Finding> = fetch_where(&mut tx, &condition, ids.clone()).await?;
        let there: HashMap<Id, Finding> =
            there.into_iter().map(|finding| (finding.id, finding)).collect();
        let images = format!("SELECT id, image FROM findings WHERE id IN {}", tx.db().texts(1));
        let images: HashMap<String, Option<String>> = tx
            .rows("read the images of findings", Sql::new(images).text(ids))
            .await?
            .iter()
            .map(|row| (row.text(0), row.opt_text(1)))
            .collect();
        let (mut written, mut changes, mut recount) = (Vec::new(), Vec::new(), BTreeSet::new());
        for mut after in findings {
            let Some(before) = there.get(&after.id) else { continue };
            if after.revision != before.revision {
                continue;
            }
            // The caller decides the verdict; when it was last seen is known better here.
            after.last = before.last;
            if after == *before {
                continue;
            }
            after.revision += 1;
            let image = images.get(&after.id.to_string()).cloned().flatten();
            let image: Option<Id> = image.and_then(|image| image.parse().ok());
            recount.extend(image);
            changes.extend(change(Some(before), Some(&after)));
            note(&mut tx, &after, image);
            written.push(after);
        }
        put(&mut tx, &written).await?;
        for image in recount {
            image::recount(&mut tx, image, None).await?;
        }
        tx.commit().await?;
        Ok(changes)
    }

    async fn failing_resources(
        &self,
        visible: &Visible,
        scope: &ScopePath,
        controls: &[&str],
        kinds: &[String],
    ) -> Result<Vec<(Option<String>, u64)>> {
        let (rules, named) = (self.db().texts(3), self.db().texts(4));
        let mut sql = Sql::new(format!(
            "SELECT t.namespace, count(DISTINCT t.scope || ' ' || t.resource_key) FROM findings t \
             WHERE t.scope >= $1 AND t.scope < $2 AND t.kind = 'control' AND t.state = 'unhealthy' \
             AND t.rule IN {rules} AND ($5 = 0 OR EXISTS (SELECT 1 FROM {named} k \
             WHERE substr(t.resource, 1, length(k.value) + 1) = k.value || '/')) AND "
        ));
        let (controls, names) = (serde_json::json!(controls), serde_json::json!(kinds));
        sql = sql.text(scope).text(scope.upper()).text(controls).text(names);
        sql = sql.uint(kinds.len() as u64);
        push_clause(self.db(), &mut sql, visible, Narrowing::NamespaceOrRunning);
        sql.push(" GROUP BY t.namespace ORDER BY t.namespace");
        let rows = self.db().rows("count failing resources", sql).await?;
        Ok(rows.iter().map(|row| (row.opt_text(0), row.uint(1))).collect())
    }

    async fn finding_states(
        &self,
        visible: &Visible,
        scope: &ScopePath,
        kind: Option<FindingKind>,
    ) -> Result<Vec<FindingState>> {
        let mut sql = Sql::new(
            "SELECT t.scope, t.kind, t.rule, t.resource_key, t.resource, t.severity, t.state, \
             t.category FROM findings t WHERE t.scope >= $1 AND t.scope < $2 \
             AND NOT (t.kind = 'control' AND t.state = 'healthy') AND ",
        )
        .text(scope)
        .text(scope.upper());
        push_clause(self.db(), &mut sql, visible, Narrowing::NamespaceOrRunning);
        if let Some(kind) = kind {
            let kind = match kind {
                FindingKind::Control => "control",
                FindingKind::Vulnerability => "vulnerability",
            };
            sql.push(" AND t.kind = ").bind(Arg::Text(Some(kind.to_owned())));
        }
        sql.push(" ORDER BY t.id");
        let rows = self.db().rows("read finding states", sql).await?;
        let state = |row: &crate::db::Row| {
            Ok(FindingState {
                scope: list::parsed("finding", &row.text(0))?,
                kind: list::word("finding", &row.text(1))?,
                rule: row.text(2),
                resource_key: row.text(3),
                resource: row.text(4),
                severity: cell::severity(row.int(5)),
                state: list::word("finding", &row.text(6))?,
                exemption: row.opt_text(7),
            })
        };
        rows.iter().map(state).collect()
    }
}

/// What findings of the inventory call their resource: name for people, key for joins.
fn names(stored: &StoredInventory) -> (String, String) {
    match &stored.inventory.target {
        Target::Image { image } => {
            let key = image.key_digest().unwrap_or(&image.name).to_owned();
            (image.name.clone(), key)
        }
        Target::Node { name } => (name.clone(), name.clone()),
        Target::Directory { path } => (path.clone(), path.clone()),
    }
}
