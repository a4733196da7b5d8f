//! `seawall scan manifests`: controls on Kubernetes objects in files.
mod files;

use self::files::Input;
use crate::command::policy;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use anyhow::Context;
use seawall_model::Severity;
use seawall_model::problem::ProblemKind;
use seawall_posture::manifests::{self, Manifests, Report};
use seawall_posture::{Catalogue, Request, Selection};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files, directories, or - for stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only this framework (repeatable), such as pss-baseline@1.30 [default: every stable control]
    #[arg(long, value_name = "NAME[@VERSION]")]
    framework: Vec<String>,
    /// Only this control (repeatable)
    #[arg(long, value_name = "ID")]
    control: Vec<String>,
    /// The Kubernetes version the objects are meant for, which frameworks then go by
    #[arg(long, value_name = "1.N", value_parser = kubernetes_version)]
    kubernetes_version: Option<String>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Show only these severities, such as critical,high
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    severity: Vec<Severity>,
    /// Exit 1 on an unhealthy finding at or over this severity; `unknown`: on any
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<Severity>,
    /// Exit 0 although something could not be judged
    #[arg(long)]
    allow_incomplete: bool,
    /// Show healthy and not applicable findings too
    #[arg(long)]
    all: bool,
    /// Print the fixes as a unified diff
    #[arg(long, conflicts_with = "fix")]
    diff: bool,
    /// Write the fixes into the files; with stdin print the fixed manifests
    #[arg(long)]
    fix: bool,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let selection = self.selection()?;
        let (inputs, unreadable) = files::inputs(&self.paths)?;
        let mut read = manifests::read(inputs.iter().map(Input::file));
        read.problems.extend(unreadable);
        if self.diff {
            return self.diff(&read, &selection);
        }
        if self.fix {
            return self.fix(inputs, &read, &selection, &mut std::io::stdout().lock());
        }
        let report = self.report(&read, &selection);
        self.print(&report)?;
        Ok(self.exit(&report))
    }

    fn selection(&self) -> Result<Selection, Failure> {
        let entries = seawall_content::controls();
        let controls = entries.iter().map(|entry| (entry.path, entry.text));
        let (catalogue, problems) = Catalogue::load(controls, policy::frameworks());
        output::print_problems(&problems, self.format);
        let request = Request {
            frameworks: self.framework.clone(),
            controls: self.control.clone(),
            kubernetes: self.kubernetes_version.clone(),
            ..Request::default()
        };
        catalogue.select(&request).map_err(|problem| {
            let failure = Failure::usage(anyhow::anyhow!("{}", problem.message));
            match problem.help {
                Some(help) => failure.with_help(help),
                None => failure,
            }
        })
    }

    fn report(&self, read: &Manifests, selection: &Selection) -> Report {
        let target: Vec<String> =
            self.paths.iter().map(|path| path.display().to_string()).collect();
        Report::new(read, selection, &target.join(" "), self.kubernetes_version.clone())
    }

    fn print(&self, report: &Report) -> Result<(), Failure> {
        match self.format {
            Format::Json => output::print_json(report)?,
            Format::Table => {
                let rows: Vec<_> =
                    report.rows(&self.severity, self.all).into_iter().map(cells).collect();
                let header = ["CONTROL", "SEVERITY", "STATE", "RESOURCE", "PLACE", "MESSAGE"];
                let mut text = if rows.is_empty() {
                    String::new()
                } else {
                    output::table(&header, &rows) + "\n"
                };
                let secure =
                    report.scores.secure.map_or("none".to_owned(), |score| format!("{score:.1}"));
                text += &format!(
                    "{} objects, {} judged; secure score {secure}\n",
                    report.counts.objects, report.counts.judged
                );
                output::print(&text)?;
            }
        }
        output::print_problems(&report.problems, self.format);
        Ok(())
    }

    fn exit(&self, report: &Report) -> Exit {
        if self.fail_on.is_some_and(|level| report.fails(level)) {
            Exit::Findings
        } else if report.incomplete() && !self.allow_incomplete {
            Exit::Incomplete
        } else {
            Exit::Pass
        }
    }

    /// stdout is the diff; the exit code is that of the state as it is.
    fn diff(&self, read: &Manifests, selection: &Selection) -> Outcome {
        let (repaired, left) = manifests::repair(read, selection);
        for file in &repaired {
            output::print(&manifests::diff(file))?;
        }
        output::print_problems(&left, self.format);
        let report = self.report(read, selection);
        output::print_problems(&report.problems, self.format);
        Ok(self.exit(&report))
    }

    /// With stdin its manifests go to stdout, fixed or as they came; the exit code is that of the state afterwards.
    fn fix(
        &self,
        mut inputs: Vec<Input>,
        read: &Manifests,
        selection: &Selection,
        stdout: &mut impl Write,
    ) -> Outcome {
        let (repaired, left) = manifests::repair(read, selection);
        for input in &mut inputs {
            let fixed = repaired.iter().find(|file| file.path == input.name);
            if let Some(file) = fixed {
                input.bytes = file.after.clone().into_bytes();
            }
            if input.name == "-" {
                output::quiet(input.print(stdout))?;
            } else if let Some(file) = fixed {
                crate::files::write(Path::new(&file.path), &file.after)
                    .with_context(|| format!("cannot write {}", file.path))?;
                eprintln!("fixed {}", output::escape(&file.path));
            }
        }
        output::print_problems(&left, self.format);
        let mut after = manifests::read(inputs.iter().map(Input::file));
        let unread = read.problems.iter().filter(|problem| problem.code == files::UNREADABLE);
        after.problems.extend(unread.cloned());
        let report = self.report(&after, selection);
        let gaps: Vec<_> = report
            .problems
            .iter()
            .filter(|problem| problem.kind >= ProblemKind::Gap)
            .cloned()
            .collect();
        output::print_problems(&gaps, self.format);
        Ok(self.exit(&report))
    }
}

/// `1.N` or `v1.N`, without the `v`.
fn kubernetes_version(text: &str) -> Result<String, String> {
    let version = text.strip_prefix('v').unwrap_or(text);
    let minor = version.strip_prefix("1.").filter(|minor| !minor.starts_with('+'));
    match minor.and_then(|minor| minor.parse::<u16>().ok()) {
        Some(minor) => Ok(format!("1.{minor}")),
        None => Err("expected a version such as 1.36".to_owned()),
    }
}

fn cells(row: manifests::Row) -> Vec<String> {
    let message = if row.message.is_empty() { row.title } else { row.message };
    vec![
        row.control,
        row.severity.to_string(),
        row.state.as_str().to_owned(),
        row.resource,
        row.place,
        message,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Call {
        #[command(flatten)]
        args: Args,
    }

    const PRIVILEGED: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, securityContext: {privileged: true}}]}\n";

    #[track_caller]
    fn check(arguments: &[&str], dir: &Path, expected: Exit) {
        let dir = dir.to_str().unwrap();
        let call = Call::parse_from(
            ["scan", "--control", "SW-C-0001", "--fail-on", "low", dir].iter().chain(arguments),
        );
        assert_eq!(call.args.run().unwrap(), expected, "{arguments:?}");
    }

    #[test]
    fn the_exit_code_is_that_of_the_state_after_the_fix() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("a.yaml", PRIVILEGED);
        check(&[], dir.path(), Exit::Findings);
        check(&["--diff"], dir.path(), Exit::Findings);
        check(&["--fix"], dir.path(), Exit::Pass);
        check(&["--fix"], dir.path(), Exit::Pass);
        // Beside what was fixed, what cannot be fixed and what cannot be read count.
        write("a.yaml", PRIVILEGED);
        write("b.yaml", "kind: [");
        check(&["--fix"], dir.path(), Exit::Incomplete);
        write(
            "b.yaml",
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    securityContext: &safe {privileged: true}\n  - name: b\n    securityContext: *safe\n",
        );
        check(&["--fix"], dir.path(), Exit::Findings);
    }

    /// With `--fix` on stdin: what is printed, and the exit code.
    #[track_caller]
    fn check_stdin(text: &str, printed: &str, expected: Exit) {
        let call = Call::parse_from(["scan", "--control", "SW-C-0001", "--fail-on", "low", "-"]);
        let selection = call.args.selection().unwrap();
        let inputs = vec![Input { name: "-".to_owned(), bytes: text.into(), found: false }];
        let read = manifests::read(inputs.iter().map(Input::file));
        let mut stdout = Vec::new();
        assert_eq!(call.args.fix(inputs, &read, &selection, &mut stdout).unwrap(), expected);
        assert_eq!(String::from_utf8(stdout).unwrap(), printed);
    }

    #[test]
    fn stdin_is_printed_fixed_or_as_it_came() {
        let fixed = PRIVILEGED.replace("true", "false");
        check_stdin(PRIVILEGED, &fixed, Exit::Pass);
        check_stdin(&fixed, &fixed, Exit::Pass);
        check_stdin("# nothing\n", "# nothing\n", Exit::Pass);
        check_stdin("kind: [", "kind: [", Exit::Incomplete);
        let mixed = format!("{fixed}---\nkind: [");
        check_stdin(&mixed, &mixed, Exit::Incomplete);
        let anchored = PRIVILEGED
            .replace("{privileged: true}", "&a {privileged: true}")
            .replace("}]}", "}, {name: b, securityContext: *a}]}");
        check_stdin(&anchored, &anchored, Exit::Findings);
    }

    #[test]
    fn kubernetes_versions() {
        for (text, expected) in [
            ("1.36", Some("1.36")),
            ("v1.24", Some("1.24")),
            ("banana", None),
            ("1", None),
            ("1.", None),
            ("1.+2", None),
            ("2.3", None),
            ("1.36.2", None),
            ("", None),
        ] {
            assert_eq!(kubernetes_version(text).ok().as_deref(), expected, "{text}");
        }
    }
}
