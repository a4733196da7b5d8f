//! The smallest set of updates that removes most: packages and the base image, greedily by what each still removes.
use seawall_model::finding::{FixStatus, State, VulnFinding};
use seawall_vuln::Scheme;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Updates told; whoever has more to do reads the findings.
const MOST: usize = 5;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) what: What,
    /// Findings that it removes and no update before it did.
    pub(super) fixes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// Those of its layers whose fixes are out.
    BaseImage,
    Package {
        /// The source package, where the fix is its version.
        name: String,
        installed: Vec<String>,
        to: String,
    },
}

impl Update {
    pub(super) fn text(&self) -> String {
        let fixes = match self.fixes {
            1 => "1 finding".to_owned(),
            fixes => format!("{fixes} findings"),
        };
        match &self.what {
            What::BaseImage => format!("the base image, to one with today's packages: {fixes}"),
            What::Package { name, installed, to } => {
                format!("{name} {} to {to}: {fixes}", installed.join(", "))
            }
        }
    }
}

/// What holds and has a fix, by what removes it.
pub(super) fn updates(findings: &[VulnFinding]) -> Vec<Update> {
    let mut choices: BTreeMap<What, BTreeSet<usize>> = BTreeMap::new();
    let mut packages: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if finding.state != State::Unhealthy || finding.fix.status != FixStatus::Available {
            continue;
        }
        let package = &finding.package;
        if package.layer.as_ref().is_some_and(|layer| layer.base) {
            choices.entry(What::BaseImage).or_default().insert(index);
        }
        let kind = package.purl.split('/').next().unwrap_or_default();
        let name = package.origin.as_deref().unwrap_or(&package.name);
        packages.entry((kind, name)).or_default().push(index);
    }
    for ((_, name), indexes) in packages {
        let own = || indexes.iter().map(|index| &findings[*index]);
        let installed: BTreeSet<&str> = own().map(|finding| &*finding.package.version).collect();
        let Some(to) = own().filter_map(next).reduce(higher) else { continue };
        let installed = installed.into_iter().map(str::to_owned).collect();
        let what = What::Package { name: name.to_owned(), installed, to: to.1.to_owned() };
        choices.entry(what).or_default().extend(indexes);
    }
    greedy(choices)
}

/// The lowest fix over what is installed: a record may name one for each branch.
fn next(finding: &VulnFinding) -> Option<(Scheme, &str)> {
    let scheme: Scheme = finding.matched.scheme.parse().ok()?;
    let over = |version: &&str| {
        let compared = finding.matched.compared.first();
        let installed = compared.map_or(finding.package.version.as_str(), |own| &own.installed);
        scheme.compare(version, installed) == Some(Ordering::Greater)
    };
    let fixes = finding.fix.versions.iter().map(|fix| fix.version.as_str());
    Some((scheme, fixes.filter(over).reduce(|a, b| lower(scheme, a, b))?))
}

fn lower<'a>(scheme: Scheme, a: &'a str, b: &'a str) -> &'a str {
    if scheme.compare(b, a) == Some(Ordering::Less) { b } else { a }
}

fn higher<'a>(a: (Scheme, &'a str), b: (Scheme, &'a str)) -> (Scheme, &'a str) {
    if a.0.compare(b.1, a.1) == Some(Ordering::Greater) { b } else { a }
}

fn greedy(mut choices: BTreeMap<What, BTreeSet<usize>>) -> Vec<Update> {
    let mut updates = Vec::new();
    while updates.len() < MOST {
        // Of those that remove as many the first by name, so that the text stays the same.
        let best = choices.iter().rev().max_by_key(|(_, left)| left.len());
        let Some((what, removed)) = best.filter(|(_, left)| !left.is_empty()) else { break };
        let (what, removed) = (what.clone(), removed.clone());
        choices.remove(&what);
        for left in choices.values_mut() {
            left.retain(|index| !removed.contains(index));
        }
        updates.push(Update { what, fixes: removed.len() });
    }
    updates
}

#[test]
fn what_removes_most_comes_first() {
    let package = |name: &str| What::Package {
        name: name.to_owned(),
        installed: vec!["1".to_owned()],
        to: "2".to_owned(),
    };
    let choices = [
        (What::BaseImage, vec![0, 1, 2]),
        (package("a"), vec![0, 1]),
        (package("b"), vec![2, 3, 4]),
        (package("c"), vec![5]),
    ];
    let choices = choices.map(|(what, indexes)| (what, indexes.into_iter().collect()));
    let told: Vec<String> =
        greedy(choices.into_iter().collect()).iter().map(Update::text).collect();
    let base = "the base image, to one with today's packages: 3 findings";
    assert_eq!(told, [base, "b 1 to 2: 2 findings", "c 1 to 2: 1 finding"]);
}
