//! The packages of many targets, each once.
use super::changes::changed_names;
use crate::index::IndexSet;
use crate::matcher::{Place, keyed_by, match_inventory};
use crate::products::Products;
use roaring::RoaringBitmap;
use seawall_model::finding::VulnFinding;
use seawall_model::package::{Distro, Ecosystem, Inventory, Package, Target};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Number of a package in an [`Estate`].
pub type PackageId = u32;

/// Packages that matching tells apart, with the targets that hold each. Numbers of targets are the caller's.
#[derive(Default)]
pub struct Estate {
    ids: HashMap<Kind, PackageId>,
    kinds: Vec<Kept>,
    by_name: HashMap<(Ecosystem, String), Vec<PackageId>>,
    surroundings: BTreeSet<Arc<Surroundings>>,
}

struct Kept {
    kind: Kind,
    targets: RoaringBitmap,
}

/// All that matching looks at; two packages of one kind have the same findings but for layer, owner and locations.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    ecosystem: Ecosystem,
    name: String,
    version: String,
    purl: String,
    arch: Option<String>,
    source: Option<(String, String)>,
    module: Option<String>,
    around: Arc<Surroundings>,
}

/// What of a target decides about its packages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Surroundings {
    /// `ID`, `VERSION_ID`.
    distro: Option<(String, Option<String>)>,
    repositories: Vec<String>,
    /// A kernel's headers matter where a kernel runs.
    runs: bool,
}

/// What a new index says otherwise of one package.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'e> {
    pub package: PackageId,
    /// Targets that hold it.
    pub targets: &'e RoaringBitmap,
    /// Findings that there were not. Of layer, owner and locations they say nothing: those are each target's.
    pub raised: Vec<VulnFinding>,
    /// Findings that there are no more.
    pub resolved: Vec<VulnFinding>,
    /// Findings of before that say something else now, such as a fix or another severity.
    pub altered: Vec<VulnFinding>,
}

impl Estate {
    /// Notes what a target holds. A target that is noted again has to be [forgotten](Self::forget) first.
    pub fn add(&mut self, target: u32, inventory: &Inventory) {
        let around = self.around(inventory);
        let foreign = foreign(inventory);
        for package in &inventory.packages {
            if is_judged(package, &foreign) {
                let id = self.intern(package, &around);
                self.kinds[id as usize].targets.insert(target);
            }
        }
    }

    /// Drops what a target holds: it is gone, or was scanned anew.
    pub fn forget(&mut self, target: u32, inventory: &Inventory) {
        let around = self.around(inventory);
        for package in &inventory.packages {
            if let Some(id) = self.ids.get(&Kind::of(package, &around)) {
                self.kinds[*id as usize].targets.remove(target);
            }
        }
    }

    /// Packages that matching tells apart.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The number of a package in a target of that inventory, if it was noted.
    pub fn id(&self, package: &Package, inventory: &Inventory) -> Option<PackageId> {
        let around = Arc::new(Surroundings::of(inventory));
        self.ids.get(&Kind::of(package, &around)).copied()
    }

    /// What the advisories of `new` say otherwise than those of `old`, of every package of some target. What is known
    /// of a flaw beside them, as that it is exploited, is no property of a package and not asked here.
    pub fn rescan(&self, old: &IndexSet, new: &IndexSet) -> Vec<Change<'_>> {
        let mut asked: BTreeSet<PackageId> = BTreeSet::new();
        let segments = |index: &IndexSet| -> BTreeSet<(Ecosystem, Option<String>)> {
            let own = index.segments().map(|segment| segment.meta());
            own.map(|meta| (meta.ecosystem, meta.release.clone())).collect()
        };
        let all: BTreeSet<_> = segments(old).union(&segments(new)).cloned().collect();
        for (ecosystem, release) in all {
            let of = |index: &'_ IndexSet| {
                index.segment(ecosystem, release.as_deref()).map(std::ptr::from_ref)
            };
            if of(old) == of(new) {
                continue;
            }
            let (before, after) = (
                old.segment(ecosystem, release.as_deref()),
                new.segment(ecosystem, release.as_deref()),
            );
            for name in changed_names(before, after) {
                let ids = self.by_name.get(&(ecosystem, name)).into_iter().flatten();
                asked.extend(ids.filter(|id| self.lies_in(**id, release.as_deref(), old, new)));
            }
        }
        // Which product a repository belongs to decides of all packages from there.
        if old.products().map(Products::digest) != new.products().map(Products::digest) {
            let kinds = (0..).zip(&self.kinds);
            let own = kinds.filter(|(_, kept)| kept.kind.ecosystem == Ecosystem::RedHat);
            asked.extend(own.map(|(id, _)| id));
        }
        let changes = asked.into_iter().filter_map(|id| self.compare(id, old, new));
        changes.collect()
    }

    /// Whether a package is judged by that release in either index.
    fn lies_in(
        &self,
        id: PackageId,
        release: Option<&str>,
        old: &IndexSet,
        new: &IndexSet,
    ) -> bool {
        let kept = &self.kinds[id as usize];
        let inventory = kept.kind.inventory();
        let package = &inventory.packages[0];
        [old, new].into_iter().any(|index| {
            matches!(Place::of(package, &inventory, index), Place::Segment(_, own) if own.as_deref() == release)
        })
    }

    fn compare(&self, id: PackageId, old: &IndexSet, new: &IndexSet) -> Option<Change<'_>> {
        let kept = &self.kinds[id as usize];
        if kept.targets.is_empty() {
            return None;
        }
        let inventory = kept.kind.inventory();
        let by_id = |index: &IndexSet| -> BTreeMap<String, VulnFinding> {
            let findings = match_inventory(&inventory, index).findings;
            findings.into_iter().map(|finding| (finding.id.clone(), finding)).collect()
        };
        let (mut before, after) = (by_id(old), by_id(new));
        let (mut raised, mut altered) = (Vec::new(), Vec::new());
        for (id, finding) in after {
            match before.remove(&id) {
                None => raised.push(finding),
                Some(known) if known != finding => altered.push(finding),
                Some(_) => {}
            }
        }
        let resolved: Vec<VulnFinding> = before.into_values().collect();
        let same = raised.is_empty() && altered.is_empty() && resolved.is_empty();
        let change = Change { package: id, targets: &kept.targets, raised, resolved, altered };
        (!same).then_some(change)
    }

    fn around(&mut self, inventory: &Inventory) -> Arc<Surroundings> {
        let around = Surroundings::of(inventory);
        if let Some(known) = self.surroundings.get(&around) {
            return known.clone();
        }
        let around = Arc::new(around);
        self.surroundings.insert(around.clone());
        around
    }

    fn intern(&mut self, package: &Package, around: &Arc<Surroundings>) -> PackageId {
        let kind = Kind::of(package, around);
        if let Some(id) = self.ids.get(&kind) {
            return *id;
        }
        let id =
            PackageId::try_from(self.kinds.len()).expect("fewer than 2^32 packages fit memory");
        for name in names(package) {
            self.by_name.entry((package.ecosystem, name)).or_default().push(id);
        }
        self.ids.insert(kind.clone(), id);
        self.kinds.push(Kept { kind, targets: RoaringBitmap::new() });
        id
    }
}

/// Names that rows on it may stand under.
fn names(package: &Package) -> BTreeSet<String> {
    let (name, _) = keyed_by(package);
    let source = package.source.as_ref().map(|source| source.name.clone());
    source.into_iter().chain([name.into_owned()]).collect()
}

/// OS packages of other vendors: what they own the language's advisories judge.
fn foreign(inventory: &Inventory) -> BTreeSet<&str> {
    let foreign =
        inventory.packages.iter().filter(|own| own.ecosystem.is_of_distro() && own.third_party);
    foreign.map(|package| package.name.as_str()).collect()
}

fn is_judged(package: &Package, foreign: &BTreeSet<&str>) -> bool {
    let owned = package.owner.as_deref().is_some_and(|owner| !foreign.contains(owner));
    let of_other_vendor = package.ecosystem.is_of_distro() && package.third_party;
    !(owned || of_other_vendor)
}

impl Surroundings {
    fn of(inventory: &Inventory) -> Self {
        let distro = inventory.distro.as_ref();
        Self {
            distro: distro.map(|distro| (distro.id.clone(), distro.version.clone())),
            repositories: inventory.repositories.clone(),
            runs: !matches!(inventory.target, Target::Image { .. }),
        }
    }
}

impl Kind {
    fn of(package: &Package, around: &Arc<Surroundings>) -> Self {
        let source = package.source.as_ref();
        Self {
            ecosystem: package.ecosystem,
            name: package.name.clone(),
            version: package.version.clone(),
            purl: package.purl.clone(),
            arch: package.arch.clone(),
            source: source.map(|source| (source.name.clone(), source.version.clone())),
            module: package.module.clone(),
            around: around.clone(),
        }
    }

    /// A target that holds it alone.
    fn inventory(&self) -> Inventory {
        use seawall_model::image::ImageRef;
        use seawall_model::package::SourcePackage;
        let Surroundings { distro, repositories, runs } = self.around.as_ref();
        let target = match runs {
            true => Target::Node { name: String::new() },
            false => Target::Image { image: ImageRef::default() },
        };
        let package = Package {
            ecosystem: self.ecosystem,
            name: self.name.clone(),
            version: self.version.clone(),
            purl: self.purl.clone(),
            arch: self.arch.clone(),
            source: self.source.clone().map(|(name, version)| SourcePackage { name, version }),
            locations: Vec::new(),
            owner: None,
            layer: None,
            third_party: false,
            module: self.module.clone(),
        };
        Inventory {
            target,
            distro: distro.clone().map(|(id, version)| Distro { id, version, name: None }),
            platform: None,
            layers: Vec::new(),
            packages: vec![package],
            repositories: repositories.clone(),
            problems: Vec::new(),
            extractor_version: 0,
        }
    }
}
