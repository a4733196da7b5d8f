//! `seawall sbom`: the bill of materials of an image or a directory.
use crate::command::image_source::ImageSource;
use crate::command::target::{self, Reading};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::sink::{self, Sink};
use anyhow::anyhow;
use seawall_model::problem::ProblemKind;
use seawall_scan::sbom::{SbomForm, write};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Image or directory: REGISTRY/NAME:TAG, docker-archive:FILE, oci-archive:FILE, oci-layout:DIR, containerd:IMAGE,
    /// a path, or - for stdin
    target: String,
    #[command(flatten)]
    source: ImageSource,
    /// cyclonedx, spdx or json, to stdout or a file (repeatable)
    #[arg(long, value_name = "F[=FILE]", default_value = "cyclonedx")]
    format: Vec<Sink<Form>>,
    /// Read every layer, also those read before
    #[arg(long)]
    no_cache: bool,
    /// Open no socket
    #[arg(long)]
    offline: bool,
    /// Exit 0 although something could not be read
    #[arg(long)]
    allow_incomplete: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    #[value(name = "cyclonedx")]
    CycloneDx,
    Spdx,
    Json,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        sink::check(&self.format)?;
        let reading = Reading { offline: self.offline, no_cache: self.no_cache };
        let inventory = target::inventory(&self.target, self.source, reading)?;
        let made = output::made();
        sink::write(&self.format, |form| {
            let form = match form {
                Form::CycloneDx => SbomForm::CycloneDx,
                Form::Spdx => SbomForm::Spdx,
                Form::Json => SbomForm::Json,
            };
            Ok(write(&inventory, form, made)?)
        })?;
        output::print_problems(&inventory.problems, sink::of_problems(&self.format, Form::Json));
        let worst = inventory.problems.iter().map(|problem| problem.kind).max();
        match worst {
            Some(ProblemKind::Error) => {
                Err(Failure::could_not_run(anyhow!("a layer was refused; see above")))
            }
            Some(ProblemKind::Gap) if !self.allow_incomplete => Ok(Exit::Incomplete),
            _ => Ok(Exit::Pass),
        }
    }
}
