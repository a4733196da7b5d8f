//! VEX documents: what somebody says of a flaw in a product.
//!
//! `not_affected` and `fixed` excuse; `affected` and `under_investigation` are told. Of several statements that speak of
//! one finding the latest counts.
mod csaf;
mod cyclonedx;
mod openvex;

use super::purl;
use crate::report::ReportTarget;
use seawall_model::finding::{ExemptionRef, VulnFinding};
use seawall_model::{Millis, Problem};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of one document; those of whole distributions have 20 MB.
const MAX_DOCUMENT: usize = 256 << 20;
/// Names of flaws that a note tells.
const EXAMPLES: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    NotAffected,
    Fixed,
    Affected,
    UnderInvestigation,
}

impl Status {
    pub(super) fn excuses(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }

    /// In OpenVEX's words.
    fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::UnderInvestigation => "under_investigation",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// Every name of the flaw.
    pub(super) flaws: BTreeSet<String>,
    pub(super) status: Status,
    /// Justification and impact, as given.
    pub(super) why: String,
    /// Epoch milliseconds.
    pub(super) at: Option<Millis>,
    pub(super) products: Vec<Product>,
}

/// What a statement is of. With subcomponents: of those in that product alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Product {
    /// A purl, or another name.
    pub(super) id: String,
    pub(super) subcomponents: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Document {
    file: String,
    by: Option<String>,
    statements: Vec<Statement>,
    /// Places in `statements` by the names of their flaws.
    by_flaw: BTreeMap<String, Vec<usize>>,
    attached: bool,
}

/// Findings that a document decided, by what it says.
#[derive(Default)]
pub(super) struct Told(BTreeMap<Status, Vec<String>>);

impl Told {
    pub(super) fn count(&mut self, status: Status, flaw: &str) {
        self.0.entry(status).or_default().push(flaw.to_owned());
    }
}

/// Which form a document has.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "@context")]
    context: Option<serde_json::Value>,
    #[serde(rename = "bomFormat")]
    bom_format: Option<String>,
    document: Option<serde::de::IgnoredAny>,
}

/// `Err`: it is none, or malformed.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Document, Problem> {
    let invalid = |message: String| Problem::error("vex-file", message).file(file);
    if bytes.len() > MAX_DOCUMENT {
        return Err(invalid(format!("it is over {} MiB", MAX_DOCUMENT >> 20)));
    }
    let malformed = |error: serde_json::Error| {
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        invalid(format!("it is no valid VEX document: {error}"))
            .at(place(error.line()).max(1), place(error.column()).max(1))
    };
    let head: Head = serde_json::from_slice(bytes).map_err(malformed)?;
    let openvex = head.context.is_some_and(|context| context.to_string().contains("openvex.dev/"));
    let (by, statements) = if openvex {
        openvex::read(bytes).map_err(malformed)?
    } else if head.bom_format.as_deref() == Some("CycloneDX") {
        cyclonedx::read(bytes).map_err(malformed)?
    } else if head.document.is_some() {
        csaf::read(bytes).map_err(malformed)?
    } else {
        return Err(invalid("it is neither OpenVEX, CSAF nor CycloneDX".to_owned()));
    };
    let mut by_flaw: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, statement) in statements.iter().enumerate() {
        for flaw in &statement.flaws {
            by_flaw.entry(flaw.clone()).or_default().push(index);
        }
    }
    Ok(Document { file: file.to_owned(), by, statements, by_flaw, attached: false })
}

impl Document {
    /// As one that lies at the image it is about.
    pub(super) fn attached(self) -> Self {
        Self { attached: true, ..self }
    }

    /// The latest statement that speaks of the finding; of equal dates the last.
    pub(super) fn statement(
        &self,
        finding: &VulnFinding,
        target: &ReportTarget,
    ) -> Option<&Statement> {
        let names = [&finding.id].into_iter().chain(&finding.aliases);
        let mut places: Vec<usize> =
            names.filter_map(|name| self.by_flaw.get(name)).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        let own = places.into_iter().map(|place| &self.statements[place]);
        own.filter(|statement| self.covers(statement, finding, target))
            .max_by_key(|statement| statement.at)
    }

    fn covers(&self, statement: &Statement, finding: &VulnFinding, target: &ReportTarget) -> bool {
        let of_package = |id: &str| purl::covers(id, &finding.package.purl);
        let of_target = |id: &str| purl::is_target(id, target);
        if statement.products.is_empty() {
            return self.attached;
        }
        statement.products.iter().any(|product| match product.subcomponents.as_slice() {
            [] => of_package(&product.id) || of_target(&product.id),
            parts => of_target(&product.id) && parts.iter().any(|part| of_package(part)),
        })
    }

    pub(super) fn reference(&self, statement: &Statement, finding: &VulnFinding) -> ExemptionRef {
        let status = statement.status.as_str();
        let why = match statement.why.is_empty() {
            true => "no reason is given",
            false => &statement.why,
        };
        ExemptionRef {
            id: format!("{}#{}", self.file, finding.id),
            category: "mitigated".to_owned(),
            reason: format!("{status}: {why}"),
            by: self.by.clone(),
            expires: None,
        }
    }

    /// What it says and does not excuse, and statements of nothing.
    pub(super) fn problems(&self, told: &Told) -> Vec<Problem> {
        let told = told.0.iter().filter(|(status, _)| !status.excuses());
        let mut problems: Vec<Problem> = told
            .map(|(status, flaws)| {
                let names: BTreeSet<&str> = flaws.iter().map(String::as_str).collect();
                let shown: Vec<&str> = names.iter().take(EXAMPLES).copied().collect();
                let more = if names.len() > EXAMPLES { ", …" } else { "" };
                let status = status.as_str();
                let message = format!(
                    "VEX says {status} of {} findings: {}{more}",
                    flaws.len(),
                    shown.join(", ")
                );
                Problem::note("vex-confirms", message).file(&self.file)
            })
            .collect();
        let nothing = self.statements.iter().filter(|own| own.products.is_empty()).count();
        if nothing > 0 && !self.attached {
            let message = format!("{nothing} statements name no product and excuse nothing");
            problems.push(Problem::warning("vex-no-product", message).file(&self.file));
        }
        problems
    }
}

/// Epoch milliseconds of a moment in RFC 3339.
fn millis(text: Option<&str>) -> Option<Millis> {
    text?.parse::<jiff::Timestamp>().ok().map(|moment| moment.as_millisecond())
}

/// What is given, joined.
fn sentence(parts: [Option<&str>; 2]) -> String {
    let given = parts.into_iter().flatten().map(str::trim).filter(|part| !part.is_empty());
    given.collect::<Vec<_>>().join(": ")
}
