//! What controls that need several objects say of a watched cluster, kept up to date.
//!
//! ```text
//! changed object ─kind, join─► (control, namespace) ─parse what it reads─► World ─judge─► verdicts of subjects
//! ```
//!
//! Owned by whoever owns the [`Objects`]; told of every change, and asked for work when changes have been gathered.
//! A namespace is judged at a time, so that the parsed objects of one namespace are in memory, and what is read of all.
mod open;
mod reads;
mod verdicts;

pub use verdicts::Verdict;

use crate::assigned::{Assigned, Bound, Place};
use crate::catalogue::{Chosen, Selection};
use crate::control::group_version;
use crate::native::Join;
use crate::objects::Objects;
use crate::owners::represented;
use crate::rbac::{Access, Change, Name};
use crate::world::{Index, Object, Rights, Subject, World};
use open::{Again, Open};
use reads::{Reads, Whole, answering, holds, leaders};
use seawall_model::finding::{ControlFinding, State};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use verdicts::Verdicts;

const RBAC: &str = "rbac.authorization.k8s.io";
const RBAC_KINDS: [&str; 4] = ["ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"];

/// The scope of controls that see everything at once; no namespace has such a name.
const WHOLE: &str = "*";

/// State of the controls of one selection that need several objects.
#[derive(Debug)]
pub struct Live {
    controls: Vec<Chosen>,
    rights: Rights,
    /// `1.N` of the cluster.
    kubernetes: Option<String>,
    /// (group, kind) that cannot be read, and why.
    unseen: BTreeMap<(String, String), String>,
    open: Open,
    verdicts: Verdicts,
    /// Controls by the (group, kind) that they look at, as far as such objects came.
    concerned: HashMap<(String, String), Vec<usize>>,
}

impl Live {
    pub fn new(selection: &Selection, kubernetes: Option<String>) -> Self {
        let controls = selection.across();
        let access = controls
            .first()
            .map_or_else(Access::default, |first| Access::new(&first.control.library.risks));
        let mut open = Open::default();
        // What belongs to no object is judged although nothing changes.
        let whole = controls.iter().enumerate().filter(|(_, own)| own.control.is_of_the_whole());
        whole.for_each(|(index, _)| open.again(index, Again::Every));
        Self {
            controls,
            rights: Rights::new(access, Vec::new()),
            kubernetes,
            unseen: BTreeMap::new(),
            open,
            verdicts: Verdicts::default(),
            concerned: HashMap::new(),
        }
    }

    /// An object came, changed or went; `objects` are as they are after it.
    pub fn changed(&mut self, objects: &Objects, before: Option<&Value>, after: Option<&Value>) {
        self.keep_rights(before, after);
        let same = before.zip(after).is_some_and(|(before, after)| seen(before) == seen(after));
        for value in [before, after].into_iter().flatten() {
            let object = Object::new(value);
            let columns = objects.columns_of(object.uid());
            if columns.is_some_and(|columns| represented(objects, columns)) {
                continue;
            }
            for index in self.concerned(object.group(), object.kind()) {
                self.mark(index, object, same, objects);
            }
        }
    }

    /// Objects of a kind cannot be read any more, or can be again.
    pub fn set_unseen(&mut self, api_version: &str, kind: &str, reason: Option<&str>) {
        let group = group_version(api_version).0;
        let key = (group.to_owned(), kind.to_owned());
        let before = match reason {
            Some(reason) => self.unseen.insert(key, reason.to_owned()),
            None => self.unseen.remove(&key),
        };
        if before.as_deref() == reason {
            return;
        }
        for (index, own) in self.controls.iter().enumerate() {
            match own.control.looks_at(group, kind) {
                true if own.control.is_of_the_whole() => self.open.again(index, Again::Every),
                true => self.open.everywhere(index),
                false => {}
            }
        }
    }

    /// Judges by what is assigned from now on: where a subject's parameters are others than before, its scope is judged
    /// again, by that control alone.
    pub fn assign(&mut self, objects: &Objects, assigned: &Assigned) {
        for index in 0..self.controls.len() {
            let Some(before) = self.controls[index].assign(assigned) else { continue };
            for scope in self.reassigned(objects, index, &before) {
                match scope.as_str() {
                    WHOLE => self.open.again(index, Again::Every),
                    scope => self.open.scope(index, scope),
                }
            }
        }
    }

    /// Scopes in which a control judges a subject by other parameters than when `before` was assigned.
    fn reassigned(&self, objects: &Objects, index: usize, before: &[Bound]) -> Vec<String> {
        let control = &self.controls[index];
        let differs = |key: &Arc<str>| match (objects.columns_of(key), self.verdict(key)) {
            (Some(columns), _) => control.differs_from(before, &Place::of_columns(columns)),
            (None, Some(verdict)) => {
                control.differs_from(before, &Place::of_resource(verdict.resource, &[]))
            }
            (None, None) => false,
        };
        let scopes = self.verdicts.scopes_with_subjects(index);
        let concerned = scopes.filter(|(_, subjects)| subjects.iter().any(differs));
        concerned.map(|(scope, _)| scope.clone()).collect()
    }

    pub fn has_work(&self) -> bool {
        !self.open.is_empty()
    }

    /// Keys of all subjects, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.verdicts.keys()
    }

    /// What is said of a subject: by UID, or by `Kind/namespace/name` of what no object stands for.
    pub fn verdict(&self, key: &str) -> Option<Verdict<'_>> {
        self.verdicts.of(key, &self.controls)
    }

    /// Judges what is open, of up to `scopes` namespaces. Returns the keys of the subjects of which something else is
    /// said now.
    pub fn flush(&mut self, objects: &Objects, scopes: usize) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        let whole = self.open.take_whole();
        if !whole.is_empty() {
            self.judge_whole(objects, whole, &mut told);
        }
        let known = || {
            let namespaces = objects.namespaces().into_iter().map(|name| name.to_string());
            namespaces.chain([String::new()])
        };
        let told_of = |index| self.verdicts.scopes(index);
        let scoped = self.open.take_scopes(scopes, known, told_of);
        if !scoped.is_empty() {
            self.judge_scopes(objects, scoped, &mut told);
        }
        told
    }

    /// The controls that look at a kind; learnt once for each.
    fn concerned(&mut self, group: &str, kind: &str) -> Vec<usize> {
        let key = (group.to_owned(), kind.to_owned());
        let controls = &self.controls;
        let looking = || {
            let looks = |index: &usize| controls[*index].control.looks_at(group, kind);
            (0..controls.len()).filter(looks).collect()
        };
        self.concerned.entry(key).or_insert_with(looking).clone()
    }

    fn keep_rights(&mut self, before: Option<&Value>, after: Option<&Value>) {
        let rbac = |value: &&Value| {
            let object = Object::new(value);
            object.group() == RBAC && RBAC_KINDS.contains(&object.kind())
        };
        let (before, after) = (before.filter(rbac), after.filter(rbac));
        let Some(either) = after.or(before) else { return };
        let object = Object::new(either);
        let namespace = Some(object.namespace()).filter(|name| !name.is_empty());
        let (kind, name) = (object.kind(), object.name());
        let change = match after {
            Some(after) => Change::Set(after),
            None => Change::Gone { kind, namespace, name },
        };
        let Rights { mut access, mut problems, .. } =
            std::mem::replace(&mut self.rights, Rights::new(Access::default(), Vec::new()));
        let about = Name { namespace: namespace.map(Into::into), name: name.into() };
        problems.retain(|problem| !problem.starts_with(&format!("{kind} {about}:")));
        let (_, told) = access.update([change]);
        problems
            .extend(told.into_iter().filter(|told| !problems.contains(told)).collect::<Vec<_>>());
        self.rights = Rights::new(access, problems);
    }

    /// What one object means for one control. `same`: it has been here, and nothing has changed that [`Join::Names`] is
    /// about.
    fn mark(&mut self, index: usize, object: Object<'_>, same: bool, objects: &Objects) {
        let control = &self.controls[index].control;
        let (group, kind) = (object.group(), object.kind());
        let subject = control.subject_kinds().contains(&(group, kind));
        let joins: Vec<Join> = control
            .inputs()
            .iter()
            .filter(|input| input.reads(group, kind))
            .map(|input| input.join)
            .filter(|join| match join {
                Join::Holding(texts) => holds(object.value(), texts),
                Join::Names => !same,
                Join::First(fits) => fits(object.value()),
                _ => true,
            })
            .collect();
        if !subject && joins.is_empty() {
            return;
        }
        if control.is_of_the_whole() {
            let every = joins.iter().any(|join| !matches!(join, Join::When(_)));
            let again =
                if every { Again::Every } else { Again::Where(vec![object.value().clone()]) };
            return self.open.again(index, again);
        }
        let abroad = |join: &Join| match join {
            Join::Namespace => false,
            Join::Through(through) => leaders(objects, through)
                .iter()
                .any(|leader| (through.leads)(leader, object.value())),
            Join::Every | Join::When(_) | Join::Holding(_) | Join::Names | Join::First(_) => true,
        };
        if joins.iter().any(abroad) {
            return self.open.everywhere(index);
        }
        self.open.scope(index, scope_of(object));
        // What belongs to no namespace is near to all of them.
        if self.verdicts.scopes(index).iter().any(String::is_empty) {
            self.open.scope(index, "");
        }
    }

    fn judge_whole(
        &mut self,
        objects: &Objects,
        whole: BTreeMap<usize, Again>,
        told: &mut BTreeSet<String>,
    ) {
        let mut reads = Whole::default();
        for index in whole.keys() {
            let control = &self.controls[*index].control;
            let subjects = control.subject_kinds();
            let none = |(group, kind): &(&str, &str)| objects.of_kind(group, kind, None).is_empty();
            // Where nothing is judged, nothing is read for it.
            if subjects.is_empty() || !subjects.iter().all(none) {
                reads.add(control.inputs(), subjects);
            }
        }
        let values = reads.load(objects);
        // Told as they are judged: all findings of a large cluster at once are many times what is kept of them.
        let mut verdicts = std::mem::take(&mut self.verdicts);
        let world = self.equipped(World::new(&values, true));
        for (index, again) in whole {
            let own = &self.controls[index];
            let subjects = own.control.subjects(&world);
            let wanted = |subject: &Subject<'_>| again.concerns(subject, own.control.inputs());
            verdicts.record(index, WHOLE, judge(own, &subjects, &world, wanted), told);
        }
        self.verdicts = verdicts;
    }

    fn judge_scopes(
        &mut self,
        objects: &Objects,
        scoped: BTreeMap<String, BTreeSet<usize>>,
        told: &mut BTreeSet<String>,
    ) {
        let mut verdicts = std::mem::take(&mut self.verdicts);
        let scoped = self.with_subjects(objects, scoped, &mut verdicts, told);
        let reads = Reads::of(scoped.values().flatten().map(|index| &self.controls[*index]));
        let (values, led) = reads.shared(objects);
        let base = Index::new(&values);
        for (scope, controls) in scoped {
            let own = reads.near(objects, &scope, &led);
            let world = self.equipped(World::above(&base, &own));
            for index in controls {
                let control = &self.controls[index];
                let mut subjects = control.control.subjects(&world);
                subjects.retain(|subject| {
                    subject.object.is_some_and(|object| scope_of(object) == scope)
                });
                verdicts.record(index, &scope, judge(control, &subjects, &world, |_| true), told);
            }
        }
        self.verdicts = verdicts;
    }

    /// Only the controls that have something to judge in a namespace, so that nothing is read for the others.
    fn with_subjects(
        &self,
        objects: &Objects,
        mut scoped: BTreeMap<String, BTreeSet<usize>>,
        verdicts: &mut Verdicts,
        told: &mut BTreeSet<String>,
    ) -> BTreeMap<String, BTreeSet<usize>> {
        for (scope, controls) in &mut scoped {
            controls.retain(|index| {
                let kinds = self.controls[*index].control.subject_kinds();
                let is_there = |(group, kind): &(&str, &str)| {
                    !answering(objects, group, kind, Some(scope)).is_empty()
                };
                let some = kinds.iter().any(is_there);
                if !some {
                    verdicts.record(*index, scope, Vec::new(), told);
                }
                some
            });
        }
        scoped.retain(|_, controls| !controls.is_empty());
        scoped
    }

    fn equipped<'w>(&'w self, world: World<'w>) -> World<'w> {
        let mut world = world.with_kubernetes(self.kubernetes.as_deref()).with_rights(&self.rights);
        for ((group, kind), reason) in &self.unseen {
            world = world.with_unseen(group, kind, reason);
        }
        world
    }
}

/// What [`Join::Names`] is about, besides what never changes.
fn seen(object: &Value) -> (Option<&Value>, Option<&Value>) {
    (object.pointer("/metadata/ownerReferences"), object.pointer("/spec/replicas"))
}

/// The namespace an object belongs to: its own; of a Namespace, that one; empty for what belongs to none.
fn scope_of<'w>(object: Object<'w>) -> &'w str {
    match (object.group(), object.kind()) {
        ("", "Namespace") => object.name(),
        _ => object.namespace(),
    }
}

/// One control's subjects, each with its finding; none for those that need not be judged again.
type Judged = Vec<(String, Option<ControlFinding>)>;

fn judge(
    own: &Chosen,
    subjects: &[Subject<'_>],
    world: &World<'_>,
    wanted: impl Fn(&Subject<'_>) -> bool,
) -> Judged {
    let one = |subject: &Subject<'_>| {
        let key = key(subject);
        if !wanted(subject) {
            return (key, None);
        }
        let mut finding = own.among(subject, world);
        let resource = &subject.resource;
        let unseen = world.unseen(group_version(&resource.api_version).0, &resource.kind);
        if let Some(reason) = unseen.filter(|_| subject.object.is_some()) {
            finding.state = State::Unknown;
            finding.reason = Some(reason.to_owned());
            finding.message = Some(format!("{} objects cannot be read any more", resource.kind));
            finding.evidence.clear();
            finding.fix.clear();
        }
        (key, Some(finding))
    };
    subjects.iter().map(one).collect()
}

fn key(subject: &Subject<'_>) -> String {
    let resource = &subject.resource;
    match &resource.uid {
        Some(uid) => uid.clone(),
        None => {
            let namespace = resource.namespace.as_deref().unwrap_or_default();
            format!("{}/{namespace}/{}", resource.kind, resource.name)
        }
    }
}
