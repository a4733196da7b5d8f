//! Excuses for findings: ignore files, VEX documents, the hub's exemptions.
//!
//! Invariant: an excused finding stays, as `exempt`, with who and why. One that has expired or excuses nothing is told,
//! and an invalid file refuses the scan: half of its excuses would be taken for all.
mod attached;
mod entry;
mod hub;
mod ignore;
mod purl;
mod trivyignore;
mod vex;

pub use attached::{AttachedError, AttachedVex, attached_vex};

use crate::formats;
use crate::report::Report;
use entry::Entry;
use seawall_model::finding::{ExemptionRef, State};
use seawall_model::{Millis, Problem, exemption};
use vex::Document;

/// A file that excuses nothing because of what it holds: every mistake with its place.
#[derive(Debug, thiserror::Error)]
#[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Invalid {
    pub problems: Vec<Problem>,
}

/// Excuses in the order they were added; the first that fits a finding excuses it. Files come before VEX documents.
#[derive(Debug)]
pub struct Exemptions {
    entries: Vec<Entry>,
    documents: Vec<Document>,
    warnings: Vec<Problem>,
    /// Against which expiry is held, epoch milliseconds.
    now: Millis,
}

impl Exemptions {
    /// `now`: the moment of the scan.
    pub fn new(now: Millis) -> Self {
        Self { entries: Vec::new(), documents: Vec::new(), warnings: Vec::new(), now }
    }

    /// Reads `seawall-ignore.yaml`; its entries for controls are passed over.
    pub fn add_ignore_file(&mut self, file: &str, text: &str) -> Result<(), Invalid> {
        let read = ignore::read(file, text).map_err(|problems| Invalid { problems })?;
        self.entries.extend(read.entries);
        self.warnings.extend(read.warnings);
        Ok(())
    }

    /// Reads `.trivyignore`, or its YAML form by the file's name.
    pub fn add_trivyignore(&mut self, file: &str, text: &str) -> Result<(), Invalid> {
        let read = trivyignore::read(file, text);
        self.entries.extend(read.map_err(|problem| Invalid { problems: vec![problem] })?);
        Ok(())
    }

    /// Reads one OpenVEX, CSAF or CycloneDX document.
    pub fn add_vex(&mut self, file: &str, bytes: &[u8]) -> Result<(), Invalid> {
        let read = vex::read(file, bytes);
        self.documents.push(read.map_err(|problem| Invalid { problems: vec![problem] })?);
        Ok(())
    }

    /// Reads one that lies at the image it is about, which a statement then need not name.
    pub fn add_attached(&mut self, attached: &AttachedVex) -> Result<(), Invalid> {
        self.add_vex(&attached.name, &attached.bytes)?;
        let added = self.documents.pop().map(Document::attached);
        self.documents.extend(added);
        Ok(())
    }

    /// Those that the hub holds for everything.
    pub fn add_hub(&mut self, stored: &[exemption::Exemption]) {
        self.entries.extend(stored.iter().filter_map(hub::entry));
    }

    /// Makes every finding that is excused `exempt`, and tells what expired, excuses nothing or contradicts.
    pub fn apply(&self, report: &mut Report) {
        let target = report.target.clone();
        let name = formats::target_name(&target.target);
        let mut used = vec![false; self.entries.len()];
        let mut told: Vec<vex::Told> =
            self.documents.iter().map(|_| vex::Told::default()).collect();
        for finding in &mut report.findings {
            if !matches!(finding.state, State::Unhealthy | State::Unknown) {
                continue;
            }
            let fitting = self.entries.iter().enumerate().find(|(_, entry)| {
                entry.expires.is_none_or(|expires| self.now < expires) && entry.fits(finding, name)
            });
            let excuse = match fitting {
                Some((index, entry)) => {
                    used[index] = true;
                    Some(entry.reference())
                }
                None => self.by_vex(finding, &target, &mut told),
            };
            if let Some(excuse) = excuse {
                finding.state = State::Exempt;
                finding.exemption = Some(excuse);
            }
        }
        report.recount();
        let mut problems = self.warnings.clone();
        problems.extend(
            self.entries.iter().zip(used).filter_map(|(entry, used)| entry.problem(used, self.now)),
        );
        problems.extend(
            self.documents.iter().zip(told).flat_map(|(document, told)| document.problems(&told)),
        );
        report.add(problems);
    }

    /// The latest statement that speaks of the finding decides, whichever document it stands in.
    fn by_vex(
        &self,
        finding: &seawall_model::finding::VulnFinding,
        target: &crate::report::ReportTarget,
        told: &mut [vex::Told],
    ) -> Option<ExemptionRef> {
        let speaking = self.documents.iter().enumerate().filter_map(|(index, document)| {
            Some((index, document, document.statement(finding, target)?))
        });
        let (index, document, statement) = speaking.max_by_key(|(_, _, statement)| statement.at)?;
        told[index].count(statement.status, &finding.id);
        statement.status.excuses().then(|| document.reference(statement, finding))
    }
}
