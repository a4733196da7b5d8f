//! Where excuses of a scan come from: ignore files, VEX documents, the hub.
use crate::command::objects::hub;
use crate::command::objects::settings::{self, IGNORE_FILE};
use crate::exit::Failure;
use crate::files;
use anyhow::{Context, anyhow};
use seawall_model::Problem;
use seawall_model::time::{Clock, SystemClock};
use seawall_scan::Exemptions;
use std::path::{Path, PathBuf};

/// trivy's own, which are read where ours are.
const TRIVY_FILES: [&str; 2] = [".trivyignore", ".trivyignore.yaml"];

#[derive(clap::Args)]
pub(super) struct Excuses {
    /// Exemptions: seawall-ignore.yaml or .trivyignore [default: those beside the target and in the working directory]
    #[arg(long, value_name = "FILE")]
    ignore_file: Option<PathBuf>,
    /// VEX documents (OpenVEX, CSAF, CycloneDX) that excuse what is not affected or fixed; attached: those that lie at
    /// the image in its registry, whose signatures are not checked (repeatable)
    #[arg(long, value_name = "FILE|DIR|attached")]
    vex: Vec<String>,
    /// Take the exemptions of this hub too, with the API token in $SEAWALL_TOKEN; $SEAWALL_HUB_CA pins its CA
    #[arg(long, value_name = "URL")]
    hub: Option<String>,
}

impl Excuses {
    /// Whether documents at the image count.
    pub(super) fn attached(&self) -> bool {
        self.vex.iter().any(|place| place == "attached")
    }

    /// Everything that lies in files and the hub. An invalid file is a mistake of the call, and nothing is applied.
    pub(super) fn load(
        &self,
        beside: &[PathBuf],
        offline: bool,
    ) -> Result<(Exemptions, Vec<Problem>), Failure> {
        if offline && self.hub.is_some() {
            return Err(Failure::usage(anyhow!(
                "`--offline` opens no socket, and a hub is behind one"
            )));
        }
        let mut exemptions = Exemptions::new(SystemClock.now());
        for file in self.ignore_files(beside) {
            let text = settings::read(&file)?;
            let name = file.display().to_string();
            let added = match is_trivys(&file) {
                true => exemptions.add_trivyignore(&name, &text),
                false => exemptions.add_ignore_file(&name, &text),
            };
            added.context("the ignore file is invalid").map_err(Failure::usage)?;
        }
        for place in self.vex.iter().filter(|place| *place != "attached") {
            for file in vex_files(Path::new(place))? {
                let bytes = std::fs::read(&file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                let added = exemptions.add_vex(&file.display().to_string(), &bytes);
                added.context("the VEX document is invalid").map_err(Failure::usage)?;
            }
        }
        let mut problems = Vec::new();
        if let Some(hub) = &self.hub {
            let (stored, told) = hub::everywhere(hub)?;
            exemptions.add_hub(&stored);
            problems.extend(told);
        }
        Ok((exemptions, problems))
    }

    fn ignore_files(&self, beside: &[PathBuf]) -> Vec<PathBuf> {
        if let Some(named) = &self.ignore_file {
            return vec![named.clone()];
        }
        let stdin = PathBuf::from("-");
        let places: Vec<PathBuf> = beside.iter().cloned().chain([stdin]).collect();
        let [first, second] = TRIVY_FILES;
        settings::found(&places, &[IGNORE_FILE, first, second])
    }
}

fn is_trivys(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".trivyignore"))
}

/// The file, or every JSON file below the directory: one that is no VEX document is a mistake.
fn vex_files(place: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let found = files::below(place, &["json"])?;
    match found.is_empty() {
        true => Err(Failure::usage(anyhow!("{} holds no VEX document", place.display()))
            .with_help("documents end in .json")),
        false => Ok(found),
    }
}
