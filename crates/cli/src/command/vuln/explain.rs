//! `seawall vuln explain`: why a flaw is reported of a target, or why it is not.
use crate::command::image_source::ImageSource;
use crate::command::{db, report_file, target};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format, escape};
use anyhow::Context;
use seawall_model::finding::{Compared, Qualifier, VulnFinding};
use seawall_model::package::Inventory;
use seawall_scan::Report;
use seawall_vuln::{Answer, Explanation, explain};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Expect that it is not reported: exit 1 if it is
    #[arg(long)]
    not: bool,
    /// CVE, GHSA or a record's own id
    id: String,
    /// Image, root file system, or a report of either as JSON
    target: String,
    /// Only this package, such as pkg:pypi/django@3.2.1
    #[arg(long, value_name = "PURL")]
    package: Option<String>,
    #[command(flatten)]
    source: ImageSource,
    /// Index directory [default: $SEAWALL_DB, else below the user's cache]
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    #[arg(long, value_name = "F", default_value = "table")]
    format: Format,
    /// Open no socket
    #[arg(long)]
    offline: bool,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let directory = db::directory(self.db.clone())?;
        let index = seawall_feeds::open(&directory).map_err(Failure::could_not_run)?;
        let (inventory, findings) = match self.report()? {
            // What was excused then is excused still; what matches now is told by the index of today.
            Some(report) => report.into_parts(),
            None => {
                let inventory = self.inventory()?;
                let report = Report::new(inventory, &index);
                output::print_problems(&report.problems, self.format);
                report.into_parts()
            }
        };
        let purl = self.package.as_deref();
        let told = explain(&self.id, purl, &inventory, &index, &findings)
            .context("the index is damaged")
            .map_err(Failure::could_not_run)?;
        match self.format {
            Format::Json => output::print_json(&told)?,
            Format::Table => output::print(&text(&told))?,
        }
        Ok(if self.not && !told.findings.is_empty() { Exit::Findings } else { Exit::Pass })
    }

    /// The report that the target is, if it is one.
    fn report(&self) -> Result<Option<Report>, Failure> {
        let path = Path::new(&self.target);
        let is_one =
            path.extension().is_some_and(|extension| extension == "json") && path.is_file();
        is_one.then(|| report_file::read(path)).transpose()
    }

    fn inventory(&self) -> Result<Inventory, Failure> {
        target::inventory(
            &self.target,
            self.source.clone(),
            target::Reading { offline: self.offline, no_cache: false },
        )
    }
}

fn text(told: &Explanation) -> String {
    let findings = told.findings.iter().map(finding);
    findings.chain(told.answers.iter().map(answer)).collect::<Vec<_>>().join("\n")
}

fn finding(finding: &VulnFinding) -> String {
    let VulnFinding { id, package, matched, fix, .. } = finding;
    let versions: Vec<&str> = fix.versions.iter().map(|fix| fix.version.as_str()).collect();
    let fix = match versions.is_empty() {
        true => "no fix is known".to_owned(),
        false => format!("fixed in {}", versions.join(", ")),
    };
    let record = format!(
        "{} of {}, segment {}, rule {}",
        matched.record, matched.feed, matched.segment, matched.rule
    );
    let head = format!("{id} is reported of {}: {fix}\n", package.purl);
    escape_lines(&(head + &details(Some(&record), &matched.compared, &matched.qualifiers)))
}

fn answer(answer: &Answer) -> String {
    let why = serde_json::to_value(answer.why).ok();
    let why = why.as_ref().and_then(|why| why.as_str()).unwrap_or_default().replace('_', " ");
    let package = answer.package.as_ref().map(|purl| format!("{purl}: ")).unwrap_or_default();
    let record = answer.record.as_ref().map(|record| match &answer.segment {
        Some(segment) => format!("{record}, segment {segment}"),
        None => record.clone(),
    });
    let head = format!("{package}{why}: {}\n", answer.message);
    escape_lines(&(head + &details(record.as_deref(), &answer.compared, &answer.qualifiers)))
}

fn details(record: Option<&str>, compared: &[Compared], qualifiers: &[Qualifier]) -> String {
    let record = record.map(|record| format!("  record {record}\n"));
    let compared = compared
        .iter()
        .map(|own| format!("  {} {} {} ({})\n", own.installed, own.order, own.bound, own.kind));
    let qualifiers = qualifiers.iter().map(|own| {
        let asked = own.required.as_deref().unwrap_or("none");
        let installed = own.installed.as_deref().unwrap_or("none");
        let holds = if own.holds { "holds" } else { "does not hold" };
        format!("  {} {asked}, here {installed}: {holds}\n", own.kind)
    });
    record.into_iter().chain(compared).chain(qualifiers).collect()
}

fn escape_lines(text: &str) -> String {
    text.lines().map(|line| escape(line) + "\n").collect()
}
