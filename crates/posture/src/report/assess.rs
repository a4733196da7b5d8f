//! Every object held against every control, once.
use super::About;
use super::row::name;
use crate::catalogue::Selection;
use crate::manifests::{Manifests, Object, owned};
use crate::owners::{self, Role};
use crate::pointer;
use crate::policies::Known;
use crate::score::Weight;
use crate::workload::{self, WORKLOADS};
use crate::world::{self, World};
use crate::yaml::{self, Node};
use seawall_model::Problem;
use seawall_model::finding::{ControlFinding, Resource};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// One finding, and what it is of.
pub(super) struct Assessed {
    pub(super) finding: ControlFinding,
    /// Index among the manifests' objects.
    pub(super) object: Option<usize>,
    /// Two objects of one name in two files are two resources.
    pub(super) key: String,
    pub(super) weight: Weight,
}

#[derive(Default)]
pub(super) struct Assessment {
    pub(super) findings: Vec<Assessed>,
    pub(super) problems: Vec<Problem>,
    pub(super) judged: u64,
    pub(super) owned: u64,
    /// By `apiVersion Kind`.
    pub(super) not_applicable: BTreeMap<String, u64>,
}

/// What controls say of one object alone.
#[derive(Debug)]
pub struct Judged(Option<Vec<ControlFinding>>);

/// The objects of a scan, each of which may be judged apart from the others, in any order.
#[derive(Debug)]
pub struct Asked<'a> {
    pub(super) manifests: &'a Manifests,
    pub(super) selection: &'a Selection,
    /// Of each object.
    roles: Vec<Role>,
}

impl<'a> Asked<'a> {
    pub fn new(manifests: &'a Manifests, selection: &'a Selection) -> Self {
        Self { manifests, selection, roles: owned::roles(&manifests.objects) }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.roles.len()
    }

    pub fn is_empty(&self) -> bool {
        self.roles.is_empty()
    }

    /// Judges the object at `index`, which is below [`Self::len`]. One that another answers for is not judged.
    pub fn judge(&self, index: usize) -> Judged {
        let object = &self.manifests.objects[index];
        Judged(match self.is_owned(index) {
            true => self.selection.knows(&object.value).then(Vec::new),
            false => self.selection.evaluate(&object.value, object.source()),
        })
    }

    fn is_owned(&self, index: usize) -> bool {
        matches!(self.roles[index], Role::Represented { .. } | Role::Skipped)
    }
}

/// `judged`: of every object, in order.
pub(super) fn assess(
    asked: &Asked<'_>,
    judged: impl IntoIterator<Item = Judged>,
    about: &About<'_>,
) -> Assessment {
    let Asked { manifests, selection, roles } = asked;
    let mut assessment = Assessment::default();
    let values = manifests.objects.iter().map(|object| &object.value);
    let known = Known::new(values, about.cluster.is_some(), about.policies);
    for (index, (object, judged)) in manifests.objects.iter().zip(judged).enumerate() {
        let owned = asked.is_owned(index);
        if let Some(policies) = about.policies.filter(|_| !owned) {
            let found = policies.judge(&object.value, object.source(), &known);
            assessment.add(found, Some((index, object)));
        }
        match judged.0 {
            Some(_) if owned => assessment.owned += 1,
            Some(mut found) => {
                assessment.judged += 1;
                if matches!(roles[index], Role::Injected { .. }) {
                    owners::mark_injected(&mut found);
                }
                assessment.add(found, Some((index, object)));
            }
            None => {
                let resource = workload::resource(&object.value);
                let kind = format!("{} {}", resource.api_version, resource.kind);
                *assessment.not_applicable.entry(kind).or_default() += 1;
                assessment.problems.extend(other_version(object));
            }
        }
    }
    among(manifests, selection, about, &mut assessment);
    if let Some(cluster) = &about.cluster {
        assessment.add(cluster.unseen(selection), None);
        let objects = manifests.objects.iter().map(|object| &object.value);
        assessment.add(cluster.facts(selection, about.target, objects), None);
    }
    assessment
}

/// What several objects together say. Objects of one call see each other.
fn among(
    manifests: &Manifests,
    selection: &Selection,
    about: &About<'_>,
    assessment: &mut Assessment,
) {
    let values = manifests.objects.iter().map(|object| &object.value);
    let mut world = World::new(values, about.cluster.as_ref().is_some_and(|cluster| cluster.whole))
        .with_kubernetes(about.kubernetes.as_deref());
    for unseen in about.cluster.iter().flat_map(|cluster| &cluster.unseen) {
        world = world.with_unseen(unseen.group(), &unseen.kind, &unseen.reason);
    }
    let indexes: HashMap<*const Value, usize> = manifests
        .objects
        .iter()
        .enumerate()
        .map(|(index, object)| (std::ptr::from_ref(&object.value), index))
        .collect();
    // A finding knows its resource and place, which two objects of one call share only if they are one.
    let mut of: HashMap<(Resource, Option<(String, u32)>), usize> = HashMap::new();
    for (index, object) in manifests.objects.iter().enumerate() {
        let place = object.source().map(|source| (source.file.clone(), source.line));
        of.entry((workload::resource(&object.value), place)).or_insert(index);
    }
    let source = |object: &world::Object<'_>| {
        let index = indexes.get(&std::ptr::from_ref(object.value()))?;
        manifests.objects[*index].source().cloned()
    };
    for finding in selection.evaluate_world(&world, &source) {
        let place = finding.source.as_ref().map(|source| (source.file.clone(), source.line));
        let index = of.get(&(finding.resource.clone(), place)).copied();
        assessment.add(vec![finding], index.map(|index| (index, &manifests.objects[index])));
    }
}

impl Assessment {
    fn add(&mut self, findings: Vec<ControlFinding>, object: Option<(usize, &Object)>) {
        let weight = object.map_or(Weight::ONE, |(_, object)| Weight::of(&object.value));
        for finding in findings {
            let key = match object {
                Some((index, _)) => index.to_string(),
                None => format!("{} {}", finding.resource.api_version, name(&finding.resource)),
            };
            let object = object.map(|(index, _)| index);
            self.findings.push(Assessed { finding, object, key, weight });
        }
    }
}

/// A workload of a version the API server no longer or not yet serves deserves a word.
fn other_version(object: &Object) -> Option<Problem> {
    let resource = crate::workload::resource(&object.value);
    let known = WORKLOADS.iter().find(|kind| kind.kind == resource.kind)?;
    let message = format!(
        "{} {} is not judged: only {} is known",
        resource.api_version, resource.kind, known.api_version
    );
    let problem = Problem::warning("unknown-version", message).item(resource.name);
    Some(match object.source() {
        Some(source) => problem.file(&source.file).at(source.line, 1),
        None => problem,
    })
}

/// Of each finding the line of its first evidence, or of what of its path there is. Documents are read again, each
/// once for all findings that follow each other in it.
pub(super) fn lines(
    manifests: &Manifests,
    findings: &[ControlFinding],
    objects: &[Option<usize>],
) -> Vec<Option<u32>> {
    let mut read: Option<(usize, Option<Node>)> = None;
    let line = |(finding, object): (&ControlFinding, &Option<usize>)| {
        let object = manifests.objects.get((*object)?)?;
        let source = object.source()?;
        let Some(evidence) = finding.evidence.first() else { return Some(source.line) };
        let document = manifests.document_of(object);
        let start = document.text.as_ptr() as usize;
        if read.as_ref().is_none_or(|(known, _)| *known != start) {
            read = Some((start, yaml::parse(document.text).ok().flatten()));
        }
        let mut node = read.as_ref()?.1.as_ref()?;
        for token in pointer::tokens(object.pointer()) {
            node = node.member(&token)?;
        }
        for token in pointer::tokens(&evidence.path) {
            match node.member(&token) {
                Some(member) => node = member,
                None => break,
            }
        }
        Some(document.line + node.line - 1)
    };
    findings.iter().zip(objects).map(line).collect()
}
