//! `seawall policy export --vap`: controls as ValidatingAdmissionPolicies, which the API server judges by itself.
use crate::command::policy;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use anyhow::Context;
use seawall_model::Problem;
use seawall_model::admission::PolicyAction;
use seawall_posture::export::{Exported, export};
use seawall_posture::{Catalogue, Request, Selection};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// As v1 ValidatingAdmissionPolicies with their bindings, for Kubernetes 1.30 and later
    #[arg(long, required = true)]
    vap: bool,
    /// Control files [default: the built-in controls]
    #[arg(value_name = "FILE", conflicts_with_all = ["control", "framework"])]
    files: Vec<PathBuf>,
    /// Only this control (repeatable)
    #[arg(long, value_name = "ID")]
    control: Vec<String>,
    /// Only this framework (repeatable), such as pss-baseline@1.30 [default: every stable control]
    #[arg(long, value_name = "NAME[@VERSION]")]
    framework: Vec<String>,
    /// What a failing object means
    #[arg(long, value_enum, default_value = "audit")]
    action: Action,
    /// Write one file per control into this directory instead of printing them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Action {
    /// Allowed; an audit annotation says what failed
    Audit,
    /// Allowed with a warning
    Warn,
    /// Refused
    Deny,
}

impl From<Action> for PolicyAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Audit => Self::Audit,
            Action::Warn => Self::Warn,
            Action::Deny => Self::Deny,
        }
    }
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let (selection, problems) = self.selection()?;
        output::print_problems(&problems, Format::Table);
        let (exported, left) = export(&selection, self.action.into());
        output::print_problems(&left, Format::Table);
        match &self.out {
            Some(dir) => write(dir, &exported)?,
            None => {
                let texts = exported.iter().map(text).collect::<anyhow::Result<Vec<_>>>();
                output::print(&texts.map_err(Failure::could_not_run)?.concat())?;
            }
        }
        let complete = problems.is_empty() && left.is_empty();
        Ok(if complete { Exit::Pass } else { Exit::Incomplete })
    }

    fn selection(&self) -> Result<(Selection, Vec<Problem>), Failure> {
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            Ok((path.display().to_string(), text))
        };
        let own: Vec<(String, String)> = self
            .files
            .iter()
            .map(read)
            .collect::<anyhow::Result<_>>()
            .map_err(Failure::could_not_run)?;
        let entries = if own.is_empty() {
            seawall_content::controls()
        } else {
            seawall_content::permissions()
        };
        let built_in = entries.iter().map(|entry| (entry.path, entry.text));
        let own = own.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let (catalogue, problems) = Catalogue::load(built_in.chain(own), policy::frameworks());
        let mut controls = self.control.clone();
        if !self.files.is_empty() {
            controls.extend(catalogue.controls.iter().map(|control| control.id.clone()));
            if controls.is_empty() {
                output::print_problems(&problems, Format::Table);
                return Err(Failure::usage(anyhow::anyhow!("no control was read; see above")));
            }
        }
        let frameworks = self.framework.clone();
        let request = Request { frameworks, controls, ..Request::default() };
        let selection = catalogue.select(&request).map_err(|problem| {
            let failure = Failure::usage(anyhow::anyhow!("{}", problem.message));
            match problem.help {
                Some(help) => failure.with_help(help),
                None => failure,
            }
        })?;
        Ok((selection, problems))
    }
}

/// Policy and binding as two YAML documents.
fn text(exported: &Exported) -> anyhow::Result<String> {
    let mut text = String::new();
    for document in [&exported.policy, &exported.binding] {
        text += "---\n";
        text += &serde_saphyr::to_string(document)
            .with_context(|| format!("cannot write {}", exported.control))?;
    }
    Ok(text)
}

fn write(dir: &Path, exported: &[Exported]) -> Result<(), Failure> {
    let written = || -> anyhow::Result<()> {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        for one in exported {
            let path = dir.join(format!("{}.yaml", one.control.to_lowercase()));
            std::fs::write(&path, text(one)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    };
    written().map_err(Failure::could_not_run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_exported() {
        let args = |controls: &[&str]| Args {
            vap: true,
            files: Vec::new(),
            control: controls.iter().map(ToString::to_string).collect(),
            framework: Vec::new(),
            action: Action::Deny,
            out: None,
        };
        let (selection, problems) = args(&[]).selection().unwrap();
        assert_eq!(problems, []);
        let (exported, _) = export(&selection, PolicyAction::Deny);
        assert!(exported.len() >= 4);
        for one in &exported {
            let text = text(one).unwrap();
            // Read as the API server reads YAML, `yes` and `0644` included.
            let read: Vec<_> = seawall_posture::yaml::documents(&text)
                .into_iter()
                .filter_map(|(_, _, document)| seawall_posture::yaml::parse(document).unwrap())
                .map(|node| node.to_json())
                .collect();
            assert_eq!(read, [one.policy.clone(), one.binding.clone()], "{text}");
        }
        assert!(args(&["SW-C-9999"]).selection().is_err());
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &exported).unwrap();
        assert!(dir.path().join("sw-c-0001.yaml").is_file());
    }
}
