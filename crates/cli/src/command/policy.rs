//! `seawall policy`: the tests that stand in control files, controls as native policies, and users' policies on a
//! recorded review.
mod export;
mod review;
mod verify;

use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use anyhow::Context;
use regex::Regex;
use seawall_posture::Catalogue;
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Run the tests of the control files below a directory
    Test {
        dir: PathBuf,
        /// Only tests whose `CONTROL > NAME` this matches
        #[arg(long, value_name = "REGEX")]
        run: Option<Regex>,
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Write controls as policies that the API server judges by itself
    Export(export::Args),
    /// Answer one admission review by policies in files, as the API server would
    Review(review::Args),
    /// Run suites of tests of Gatekeeper's templates and constraints, as `gator verify` does
    Verify(verify::Args),
}

impl Verb {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Test { dir, run, format } => test(&dir, run, format),
            Self::Export(args) => args.run(),
            Self::Review(args) => args.run(),
            Self::Verify(args) => args.run(),
        }
    }
}

fn test(dir: &Path, run: Option<Regex>, format: Format) -> Outcome {
    let files = files(dir)?;
    let shared = seawall_content::permissions();
    let shared = shared.iter().map(|entry| (entry.path, entry.text));
    let pairs = shared.chain(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let (catalogue, problems) = Catalogue::load(pairs, frameworks());
    output::print_problems(&problems, format);
    let wanted = |name: &str| run.as_ref().is_none_or(|pattern| pattern.is_match(name));
    let results: Vec<_> = catalogue
        .controls
        .iter()
        .flat_map(|control| seawall_posture::test(control))
        .filter(|result| wanted(&format!("{} > {}", result.control, result.name)))
        .collect();
    let failed = results.iter().filter(|result| !result.failures.is_empty()).count();
    match format {
        Format::Json => {
            let json = |result: &seawall_posture::CaseResult| {
                serde_json::json!({"control": result.control, "file": result.file, "line": result.line,
                        "name": result.name, "passed": result.failures.is_empty(), "failures": result.failures})
            };
            output::print_json(&results.iter().map(json).collect::<Vec<_>>())?;
        }
        Format::Table => {
            let mut text = String::new();
            for result in &results {
                let verdict = if result.failures.is_empty() { "ok  " } else { "FAIL" };
                let title = format!("{verdict} {} > {}", result.control, result.name);
                text += &format!("{}\n", output::escape(&title));
                for failure in &result.failures {
                    text += &format!("       {}\n", output::escape(failure));
                }
            }
            text += &format!("{} passed, {failed} failed\n", results.len() - failed);
            output::print(&text)?;
        }
    }
    if problems.iter().any(|problem| problem.kind == seawall_model::problem::ProblemKind::Error) {
        return Err(Failure::usage(anyhow::anyhow!("some controls did not load; see above")));
    }
    if results.is_empty() {
        let error = anyhow::anyhow!("no test found in {}", dir.display());
        return Err(Failure::usage(match run {
            Some(pattern) => error.context(format!("`{pattern}` matches nothing")),
            None => error,
        }));
    }
    Ok(if failed == 0 { Exit::Pass } else { Exit::Findings })
}
/// The frameworks in the binary, which controls name.
pub(crate) fn frameworks() -> Vec<(&'static str, &'static str)> {
    seawall_content::frameworks().into_iter().map(|entry| (entry.path, entry.text)).collect()
}

/// The controls below `dir`: path and text.
fn files(dir: &Path) -> Result<Vec<(String, String)>, Failure> {
    let paths = crate::files::below(dir, &["yaml", "yml"])?;
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    paths.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(run: Option<&str>, passes: bool) {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/controls").into();
        let run = run.map(|pattern| Regex::new(pattern).unwrap());
        let outcome = Verb::Test { dir, run, format: Format::Table }.run();
        assert_eq!(outcome.is_ok(), passes, "{outcome:?}");
    }

    #[test]
    fn a_run_without_tests_is_no_success() {
        check(None, true);
        check(Some("^SW-C-000[13] > .*zero"), true);
        check(Some("^zero"), false);
    }
}
