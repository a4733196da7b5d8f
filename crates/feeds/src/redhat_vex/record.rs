//! One document becomes an advisory for each flaw it is about.
use super::document::{Csaf, Head, Score, Vulnerability};
use super::product::{Component, Place, Products};
use crate::export::MALFORMED;
use crate::records::{advisory, affected, all, below, is_cve};
use crate::time::time;
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Only, Range, RangeEnd, Rating};
use seawall_model::finding::FixStatus;
use seawall_model::package::Ecosystem;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Errata that an advisory links to: those of hundreds of products would say nothing more.
const REFERENCES: usize = 16;
/// What package URLs call a source package.
const SOURCE: &str = "src";

/// The flaws of one document, with what was left out by class.
pub(super) struct Parsed {
    pub(super) advisories: Vec<Advisory>,
    pub(super) left: Vec<&'static str>,
}

/// The error is the class that the document is dropped under.
pub(super) fn parse(text: &[u8]) -> Result<Parsed, &'static str> {
    let csaf: Csaf = serde_json::from_slice(text).map_err(|_| MALFORMED)?;
    let Csaf { document: head, product_tree, vulnerabilities } = csaf;
    if head.tracking.id.is_empty() {
        return Err(MALFORMED);
    }
    if head.tracking.status.as_deref() == Some("deleted") {
        return Err("deleted");
    }
    let tree = product_tree.unwrap_or_default();
    let products = Products::of(&tree);
    let flaws = vulnerabilities.unwrap_or_default();
    let mut parsed = Parsed { advisories: Vec::new(), left: Vec::new() };
    for flaw in &flaws {
        let entries = entries(flaw, &products, &mut parsed.left);
        if !entries.is_empty() {
            let alone = flaws.len() == 1;
            parsed.advisories.push(record(&head, flaw, entries, alone));
        }
    }
    match (parsed.advisories.is_empty(), parsed.left.first()) {
        (true, Some(class)) => Err(class),
        (true, None) => Err("no product's status"),
        (false, _) => Ok(parsed),
    }
}

/// `alone`: else the record's name says which of its flaws it is.
fn record(head: &Head, flaw: &Vulnerability, affected: Vec<Affected>, alone: bool) -> Advisory {
    let cve = flaw.cve.clone().filter(|id| is_cve(id));
    let id = match &cve {
        Some(cve) if !alone => format!("{}#{cve}", head.tracking.id),
        _ => head.tracking.id.clone(),
    };
    let own = flaw.references.iter().filter(|own| own.category.as_deref() == Some("self"));
    let errata = flaw.remediations.iter().filter(|own| own.category == "vendor_fix");
    let urls =
        own.filter_map(|own| own.url.clone()).chain(errata.filter_map(|own| own.url.clone()));
    let mut seen = BTreeSet::new();
    let references = urls.filter(|url| seen.insert(url.clone())).take(REFERENCES).collect();
    let word = head.aggregate_severity.as_ref().and_then(|own| own.text.as_deref());
    let whole = word.or_else(|| impact(flaw)).and_then(|word| word.parse().ok());
    let tracking = &head.tracking;
    let published = flaw.release_date.as_ref().or(tracking.initial_release_date.as_ref());
    Advisory {
        cves: cve.into_iter().collect(),
        title: flaw.title.clone().or_else(|| head.title.clone()),
        severity: whole.unwrap_or(Severity::Unknown),
        cvss: vector(flaw),
        references,
        published: published.and_then(|text| time(text)),
        modified: tracking.current_release_date.as_deref().and_then(time),
        affected,
        ..advisory(id)
    }
}

/// What is said of a package in a product.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Fixed(String),
    Affected(u8),
    Investigated,
    Never(Option<String>),
}

/// Everything but the architecture, which is joined.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    place: Place,
    module: Option<String>,
    said: Said,
    /// Source packages are asked about apart from what is installed.
    is_source: bool,
    level: Option<Severity>,
    cvss: Option<String>,
}

fn entries(
    flaw: &Vulnerability,
    products: &Products<'_>,
    left: &mut Vec<&'static str>,
) -> Vec<Affected> {
    let remedies = remedies(flaw);
    let reasons: HashMap<&str, &str> = flaw
        .flags
        .iter()
        .flat_map(|flag| flag.product_ids.iter().map(|id| (id.as_str(), flag.label.as_str())))
        .collect();
    let ratings = Ratings::of(flaw);
    let mut found: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
    for (status, id) in statements(flaw) {
        let component = match products.component(id) {
            Ok(component) => component,
            Err(class) => {
                left.push(class);
                continue;
            }
        };
        let said = match (status, &component.version) {
            ("fixed", Some(version)) => Said::Fixed(version.clone()),
            ("fixed", None) => {
                left.push("fixed in no version");
                continue;
            }
            ("known_not_affected", _) => {
                Said::Never(reasons.get(id).map(|&reason| reason.to_owned()))
            }
            ("known_affected", _) => Said::Affected(remedies.get(id).copied().unwrap_or_default()),
            ("under_investigation", _) => Said::Investigated,
            _ => {
                left.push("status not used");
                continue;
            }
        };
        let (level, cvss) = ratings.of_product(id);
        let Component { name, arch, module, place, .. } = component;
        let is_source = arch.as_deref() == Some(SOURCE);
        let key = Key { name, place, module, said, is_source, level, cvss };
        found.entry(key).or_default().extend(arch);
    }
    found.into_iter().map(|(key, arches)| entry(key, arches)).collect()
}

/// Status and product. A document that gives none says as much by its remedies.
fn statements(flaw: &Vulnerability) -> Vec<(&str, &str)> {
    match &flaw.product_status {
        Some(statuses) => statuses
            .iter()
            .flat_map(|(status, ids)| ids.iter().map(move |id| (status.as_str(), id.as_str())))
            .collect(),
        None => flaw
            .remediations
            .iter()
            .flat_map(|own| {
                let status = match own.category.as_str() {
                    "vendor_fix" => Some("fixed"),
                    "no_fix_planned" | "none_available" => Some("known_affected"),
                    _ => None,
                };
                own.product_ids.iter().filter_map(move |id| Some((status?, id.as_str())))
            })
            .collect(),
    }
}

/// Why there is no fix, in the order of [`Said::Affected`]. Source: Red Hat, "CVE fix states" as VEX details.
const UNFIXED: [FixStatus; 5] = [
    FixStatus::None,
    FixStatus::WillNotFix,
    FixStatus::EndOfLife,
    FixStatus::Deferred,
    FixStatus::UnderInvestigation,
];

fn remedies(flaw: &Vulnerability) -> HashMap<&str, u8> {
    let mut found = HashMap::new();
    for own in &flaw.remediations {
        let details = own.details.as_deref().unwrap_or_default();
        let place = match (own.category.as_str(), details) {
            (_, "Out of support scope") => 2,
            (_, "Fix deferred") => 3,
            (_, "Under investigation") => 4,
            ("no_fix_planned", _) | (_, "Will not fix") => 1,
            _ => continue,
        };
        found.extend(own.product_ids.iter().map(|id| (id.as_str(), place)));
    }
    found
}

/// How bad it is in each product, where that differs from the whole.
struct Ratings<'f> {
    levels: HashMap<&'f str, Severity>,
    vectors: HashMap<&'f str, &'f str>,
    several: bool,
}

impl<'f> Ratings<'f> {
    fn of(flaw: &'f Vulnerability) -> Self {
        let (mut levels, mut vectors) = (HashMap::new(), HashMap::new());
        for threat in flaw.threats.iter().filter(|own| own.category == "impact") {
            let level = threat.details.as_deref().and_then(|word| word.parse::<Severity>().ok());
            let ids = threat.product_ids.iter().flatten();
            levels.extend(ids.filter_map(|id| Some((id.as_str(), level?))));
        }
        for score in &flaw.scores {
            let vector = score_vector(score);
            let ids = score.products.iter().flatten();
            vectors.extend(ids.filter_map(|id| Some((id.as_str(), vector?))));
        }
        let differs = levels.values().collect::<BTreeSet<_>>().len() > 1;
        let several = differs || vectors.values().collect::<BTreeSet<_>>().len() > 1;
        Self { levels, vectors, several }
    }

    fn of_product(&self, id: &str) -> (Option<Severity>, Option<String>) {
        if !self.several {
            return (None, None);
        }
        (self.levels.get(id).copied(), self.vectors.get(id).map(|&vector| vector.to_owned()))
    }
}

/// The first word for its impact.
fn impact(flaw: &Vulnerability) -> Option<&str> {
    let mut impacts = flaw.threats.iter().filter(|own| own.category == "impact");
    impacts.find_map(|own| own.details.as_deref())
}

fn vector(flaw: &Vulnerability) -> Option<String> {
    flaw.scores.iter().find_map(score_vector).map(str::to_owned)
}

/// Of the newest version of CVSS.
fn score_vector(score: &Score) -> Option<&str> {
    let versions = [&score.cvss_v4, &score.cvss_v3, &score.cvss_v2];
    versions.into_iter().flatten().find_map(|own| own.vector.as_deref())
}

fn entry(key: Key, arches: BTreeSet<String>) -> Affected {
    let Key { name, place, module, said, is_source, level, cvss } = key;
    let Place { release, cpe, channel } = place;
    let (range, unfixed) = match said {
        // An rpm says its source without an epoch.
        Said::Fixed(version) if is_source => {
            let plain = version.split_once(':').map_or(version.as_str(), |(_, plain)| plain);
            (below(plain), FixStatus::None)
        }
        Said::Fixed(version) => (below(&version), FixStatus::None),
        Said::Affected(place) => {
            (all(), UNFIXED.get(usize::from(place)).copied().unwrap_or(FixStatus::None))
        }
        Said::Investigated => (all(), FixStatus::UnderInvestigation),
        Said::Never(reason) => {
            (Range { introduced: None, end: RangeEnd::NotAffected(reason) }, FixStatus::None)
        }
    };
    let undecidable = unfixed == FixStatus::UnderInvestigation
        || (module.as_deref() == Some("*") && !matches!(range.end, RangeEnd::NotAffected(_)));
    let only = Only { arches: arches.into_iter().collect(), module, cpe, channel, flavour: None };
    let severity = level.map(|level| Rating { level, cvss });
    let plain = affected(Ecosystem::RedHat, Some(&release), &name, vec![range]);
    Affected { only, severity, unfixed, undecidable, ..plain }
}
