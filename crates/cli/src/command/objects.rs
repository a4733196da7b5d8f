//! What `scan manifests` and `scan cluster` share: which controls, what is excused, and how the result leaves.
pub(super) mod files;
mod forms;
pub(super) mod hub;
mod parallel;
mod policies;
pub(super) mod settings;

use self::files::Input;
use self::forms::Form;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use crate::sink::{self, Sink};
use anyhow::{Context, anyhow};
use seawall_model::problem::ProblemKind;
use seawall_model::{Problem, Severity};
use seawall_posture::exemption::Exemptions;
use seawall_posture::manifests::{self, Manifests};
use seawall_posture::policies::UserPolicies;
use seawall_posture::report::{About, Asked, Cluster, Report, Shown};
use seawall_posture::{Catalogue, Selection};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Options {
    /// Only this framework (repeatable), such as pss-baseline@1.30 [default: every stable control]
    #[arg(long, value_name = "NAME[@VERSION]")]
    framework: Vec<String>,
    /// Only this control (repeatable)
    #[arg(long, value_name = "ID")]
    control: Vec<String>,
    /// Users' own policies: files or directories of ValidatingAdmissionPolicies, with bindings and params (repeatable)
    #[arg(long, value_name = "FILE|DIR")]
    policy: Vec<PathBuf>,
    /// Parameters of controls: YAML of `ID: {name: value}`
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// The Kubernetes version the objects are meant for, which frameworks then go by
    #[arg(long, value_name = "1.N", value_parser = kubernetes_version)]
    kubernetes_version: Option<String>,
    /// Exemptions [default: seawall-ignore.yaml beside the target]
    #[arg(long, value_name = "FILE")]
    ignore_file: Option<PathBuf>,
    /// The form of the result, to stdout or a file (repeatable): table, json, sarif, junit, csv, html, policyreport or
    /// openreports [default: table]
    #[arg(long, value_name = "F[=FILE]")]
    format: Vec<Sink<Form>>,
    /// Show only these severities, such as critical,high
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    severity: Vec<Severity>,
    /// Exit 1 on an unhealthy finding at or over this severity; `unknown`: on any
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<Severity>,
    /// Exit 0 although something could not be judged
    #[arg(long)]
    allow_incomplete: bool,
    /// Show healthy and not applicable findings too, in forms that leave them out
    #[arg(long)]
    all: bool,
    /// Print the fixes as a unified diff
    #[arg(long, conflicts_with = "fix")]
    pub(super) diff: bool,
    /// Write the fixes into the files; with stdin print the fixed manifests
    #[arg(long)]
    pub(super) fix: bool,
    /// Take the exemptions of this hub too, with the API token in $SEAWALL_TOKEN; $SEAWALL_HUB_CA pins its CA
    #[arg(long, value_name = "URL")]
    hub: Option<String>,
}

/// What the options make of catalogue and files, before anything is judged.
pub(super) struct Prepared {
    catalogue: Catalogue,
    pub(super) selection: Selection,
    exemptions: Exemptions,
    pub(super) policies: UserPolicies,
    /// Worth telling beside the result.
    problems: Vec<Problem>,
    sinks: Vec<Sink<Form>>,
}

/// What is judged, beside the objects.
#[derive(Default)]
pub(super) struct Target<'a> {
    /// As shown.
    pub(super) name: String,
    /// As the server says; an option wins.
    pub(super) kubernetes: Option<String>,
    pub(super) namespaces: &'a [String],
    pub(super) cluster: Option<Cluster>,
}

impl Options {
    /// Everything that can be wrong with the call is told before the first object is read. `beside`: paths where an
    /// ignore file may lie; `stdin`: whether objects come from there.
    pub(super) fn prepare(&self, beside: &[PathBuf], stdin: bool) -> Result<Prepared, Failure> {
        let sinks = self.sinks(stdin)?;
        let entries = seawall_content::controls();
        let controls = entries.iter().map(|entry| (entry.path, entry.text));
        let (catalogue, mut problems) =
            Catalogue::load(controls, crate::command::policy::frameworks());
        let request = seawall_posture::Request {
            frameworks: self.framework.clone(),
            controls: self.control.clone(),
            kubernetes: self.kubernetes_version.clone(),
            params: settings::params(self.params.as_deref())?,
        };
        let selection = catalogue.select(&request).map_err(|problem| {
            let failure = Failure::usage(anyhow!("{}", problem.message));
            match problem.help {
                Some(help) => failure.with_help(help),
                None => failure,
            }
        })?;
        let (mut exemptions, warnings) = settings::exemptions(self.ignore_file.as_deref(), beside)?;
        problems.extend(warnings);
        if let Some(hub) = &self.hub {
            let (stored, told) = hub::exemptions(hub)?;
            exemptions.add(stored);
            problems.extend(told);
        }
        let (policies, told) = policies::load(&self.policy, self.kubernetes_version.as_deref())?;
        problems.extend(told);
        Ok(Prepared { catalogue, selection, exemptions, policies, problems, sinks })
    }

    /// Where a diff or fixed manifests take stdout, a report needs a file.
    fn sinks(&self, stdin: bool) -> Result<Vec<Sink<Form>>, Failure> {
        sink::check(&self.format)?;
        let taken = self.diff || self.fix && stdin;
        if taken && self.format.iter().any(Sink::is_stdout) {
            let what = if self.diff { "the diff" } else { "the fixed manifests" };
            return Err(Failure::usage(anyhow!("stdout is {what} alone"))
                .with_help("give the report a file, such as `--format json=report.json`"));
        }
        Ok(match self.format.is_empty() && !taken {
            true => vec![Sink::stdout(Form::Table)],
            false => self.format.clone(),
        })
    }

    /// Judges what was read, and repairs it where asked.
    pub(super) fn run(
        &self,
        prepared: &Prepared,
        target: Target<'_>,
        inputs: Vec<Input>,
        read: &Manifests,
    ) -> Outcome {
        let scan = Scan { options: self, prepared, target };
        if self.diff {
            return scan.diff(read);
        }
        if self.fix {
            return scan.fix(inputs, read, &mut std::io::stdout().lock());
        }
        let report = scan.report(read);
        scan.finish(&report, &report.problems)
    }
}

/// One run.
struct Scan<'a> {
    options: &'a Options,
    prepared: &'a Prepared,
    target: Target<'a>,
}

impl Scan<'_> {
    fn report(&self, read: &Manifests) -> Report {
        let ids: Vec<&str> =
            self.prepared.catalogue.controls.iter().map(|control| control.id.as_str()).collect();
        let version = self.options.kubernetes_version.as_ref().or(self.target.kubernetes.as_ref());
        let about = About {
            target: &self.target.name,
            kubernetes: version.cloned(),
            namespaces: self.target.namespaces,
            catalogue: &ids,
            exemptions: self.prepared.exemptions.clone(),
            policies: Some(&self.prepared.policies),
            cluster: self.target.cluster.clone(),
        };
        let asked = Asked::new(read, &self.prepared.selection);
        let mut report = Report::of(&asked, parallel::judge(&asked), &about);
        report.problems.extend(self.prepared.problems.iter().cloned());
        if self.prepared.sinks.iter().any(|sink| sink.format.has_lines()) {
            report.locate(read);
        }
        report
    }

    /// Writes the report, tells `problems` on stderr, and decides the exit code.
    fn finish(&self, report: &Report, problems: &[Problem]) -> Outcome {
        let shown = Shown { severities: &self.options.severity, all: self.options.all };
        sink::write(&self.prepared.sinks, |form| forms::render(report, form, shown))?;
        self.tell(problems);
        Ok(if self.options.fail_on.is_some_and(|level| report.fails(level)) {
            Exit::Findings
        } else if report.incomplete() && !self.options.allow_incomplete {
            Exit::Incomplete
        } else {
            Exit::Pass
        })
    }

    /// Lines, unless stdout is JSON.
    fn tell(&self, problems: &[Problem]) {
        let is_json = |sink: &Sink<Form>| sink.is_stdout() && sink.format == Form::Json;
        let json = self.prepared.sinks.iter().any(is_json);
        output::print_problems(problems, if json { Format::Json } else { Format::Table });
    }

    fn repair(&self, read: &Manifests) -> (Vec<manifests::Repaired>, Vec<Problem>) {
        manifests::repair(read, &self.prepared.selection, &self.prepared.exemptions)
    }

    /// stdout is the diff; the exit code is that of the state as it is.
    fn diff(&self, read: &Manifests) -> Outcome {
        let (repaired, left) = self.repair(read);
        for file in &repaired {
            output::print(&manifests::diff(file))?;
        }
        self.tell(&left);
        let report = self.report(read);
        self.finish(&report, &report.problems)
    }

    /// With stdin its manifests go to stdout, fixed or as they came; report and exit code are of the state afterwards.
    fn fix(&self, mut inputs: Vec<Input>, read: &Manifests, stdout: &mut impl Write) -> Outcome {
        let (repaired, left) = self.repair(read);
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
        self.tell(&left);
        let mut after = manifests::read(inputs.iter().map(Input::file));
        let unread = read.problems.iter().filter(|problem| problem.code == files::UNREADABLE);
        after.problems.extend(unread.cloned());
        let report = self.report(&after);
        let gaps: Vec<_> = report
            .problems
            .iter()
            .filter(|problem| problem.kind >= ProblemKind::Gap)
            .cloned()
            .collect();
        self.finish(&report, &gaps)
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Call {
        #[command(flatten)]
        options: Options,
    }

    const PRIVILEGED: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, securityContext: {privileged: true}}]}\n";

    /// With `--fix` on stdin: what is printed, and the exit code.
    #[track_caller]
    fn check_stdin(text: &str, printed: &str, expected: Exit) {
        let options =
            Call::parse_from(["scan", "--control", "SW-C-0001", "--fail-on", "low", "--fix"])
                .options;
        let prepared = options.prepare(&[], true).unwrap();
        let inputs = vec![Input { name: "-".to_owned(), bytes: text.into(), found: false }];
        let read = manifests::read(inputs.iter().map(Input::file));
        let mut stdout = Vec::new();
        let scan = Scan { options: &options, prepared: &prepared, target: Target::default() };
        assert_eq!(scan.fix(inputs, &read, &mut stdout).unwrap(), expected);
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
