//! What scans of images, directories and bills of materials share: the index, what is narrowed, excused and shown.
use super::age::Age;
use super::excuses::Excuses;
use super::forms::Form;
use crate::command::{db, report_file};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::sink::{self, Sink};
use anyhow::{Context, anyhow};
use seawall_model::package::{Inventory, Target};
use seawall_model::time::{Clock, SystemClock};
use seawall_model::{Problem, Severity};
use seawall_scan::{
    Display, Exemptions, FailOn, Report, attached_vex, index_age, registry, subscribe,
};
use seawall_vuln::IndexSet;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Judge {
    /// Index directory [default: $SEAWALL_DB, else below the user's cache]
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// Report a gap if the index's newest record is older, such as 7d or 36h
    #[arg(long, value_name = "DURATION")]
    max_index_age: Option<Age>,
    /// The form of the result, to stdout or a file (repeatable): table, json, sarif, junit, gitlab, markdown, cyclonedx,
    /// spdx, csv, html or openvex
    #[arg(long, value_name = "F[=FILE]", default_value = "table")]
    format: Vec<Sink<Form>>,
    /// Show only these severities, such as critical,high
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    severity: Vec<Severity>,
    /// Believe only severities that these feeds give, such as debian-tracker,osv; what another rated is unknown
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    severity_source: Vec<String>,
    /// Channels the target is subscribed to beside those it shows, such as esm-infra
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    channels: Vec<String>,
    /// Exit 1 on a finding at or over a severity (`unknown`: on any), known exploited, or likely exploited, for which
    /// the index must hold EPSS scores
    #[arg(long, value_name = "LEVEL[,kev][,epss=0.5]")]
    fail_on: Option<FailOn>,
    /// Leave out findings that no available fix removes; they decide nothing then
    #[arg(long)]
    ignore_unfixed: bool,
    #[command(flatten)]
    excuses: Excuses,
    /// Show what is exempt too, in forms for people
    #[arg(long)]
    show_exempt: bool,
    /// Leave out what this earlier report in JSON has; it decides nothing then
    #[arg(long, value_name = "REPORT.json")]
    baseline: Option<PathBuf>,
    /// Open no socket
    #[arg(long)]
    pub(super) offline: bool,
    /// Exit 0 although something could not be read
    #[arg(long)]
    allow_incomplete: bool,
}

/// What has to be there before the scan: a damaged file shall not be told after minutes of reading.
pub(super) struct Prepared {
    index: IndexSet,
    exemptions: Exemptions,
    baseline: Option<Report>,
    /// Worth telling beside the result.
    problems: Vec<Problem>,
    wants_attached: bool,
}

impl Prepared {
    /// Takes the documents that lie at the image, if they were asked for.
    pub(super) fn attach(
        &mut self,
        reference: &str,
        target: &Target,
        options: &registry::Options,
    ) -> Result<(), Failure> {
        let Target::Image { image } = target else { return self.refuse_attached() };
        if !self.wants_attached {
            return Ok(());
        }
        let found = attached_vex(reference, image, options).map_err(Failure::could_not_run)?;
        for attached in &found {
            let added = self.exemptions.add_attached(attached);
            added.context("the attached VEX document is invalid").map_err(Failure::usage)?;
        }
        let message = match found.len() {
            0 => "no VEX document is attached to the image".to_owned(),
            count => {
                format!("{count} attached VEX documents count; their signatures were not checked")
            }
        };
        self.problems.push(Problem::note("vex-attached", message));
        Ok(())
    }

    pub(super) fn refuse_attached(&self) -> Result<(), Failure> {
        match self.wants_attached {
            true => {
                Err(Failure::usage(anyhow!("only images of registries have documents attached")))
            }
            false => Ok(()),
        }
    }
}

impl Judge {
    /// `beside`: paths by which an ignore file may lie.
    pub(super) fn prepare(&self, beside: &[PathBuf]) -> Result<Prepared, Failure> {
        sink::check(&self.format)?;
        let (exemptions, problems) = self.excuses.load(beside, self.offline)?;
        let baseline = self.baseline.as_deref().map(report_file::read).transpose()?;
        let directory = db::directory(self.db.clone())?;
        let index = seawall_feeds::open(&directory).map_err(Failure::could_not_run)?;
        let wants_attached = self.excuses.attached();
        Ok(Prepared { index, exemptions, baseline, problems, wants_attached })
    }

    pub(super) fn finish(self, mut inventory: Inventory, prepared: Prepared) -> Outcome {
        subscribe(&mut inventory, &self.channels);
        let mut report = Report::new(inventory, &prepared.index);
        report.add(prepared.problems);
        if !self.severity_source.is_empty() {
            report.trust_severities_of(&self.severity_source);
        }
        prepared.exemptions.apply(&mut report);
        if let Some(fail_on) = &self.fail_on {
            report.add(fail_on.gaps(&report.index));
        }
        if let Some(Age(most)) = self.max_index_age {
            let old = index_age(&report.index, most, SystemClock.now());
            report.add(old.into_iter().collect());
        }
        if self.ignore_unfixed {
            report.ignore_unfixed();
        }
        if let Some(earlier) = &prepared.baseline {
            report.subtract(earlier);
        }
        let display = Display { severities: self.severity, show_exempt: self.show_exempt };
        let made = output::made();
        sink::write(&self.format, |form| {
            Ok(seawall_scan::render(&report, form.into(), &display, made)?)
        })?;
        output::print_problems(&report.problems, sink::of_problems(&self.format, Form::Json));
        match seawall_scan::exit_code(&report, self.fail_on.as_ref(), self.allow_incomplete) {
            0 => Ok(Exit::Pass),
            1 => Ok(Exit::Findings),
            4 => Ok(Exit::Incomplete),
            _ => Err(Failure::could_not_run(anyhow!("a layer was refused; see above"))),
        }
    }
}
