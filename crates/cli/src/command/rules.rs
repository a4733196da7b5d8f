//! `seawall rules`: check, list and test event rules.
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use anyhow::Context;
use seawall_model::attack::{Tactic, Technique};
use seawall_model::problem::ProblemKind;
use seawall_model::{Problem, Severity};
use seawall_rules::RuleSet;
use seawall_rules::attack::Attack;
use serde::Serialize;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Load rules files in order as one set and report what is wrong, with its place
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Warnings fail too
        #[arg(long)]
        strict: bool,
        /// Name rules that offer no condition the kernel could filter by
        #[arg(long)]
        cost: bool,
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// List rules: id, name, severity, techniques, state; without files those of the catalogue
    List {
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Only rules of this ATT&CK tactic
        #[arg(long, value_name = "T")]
        tactic: Option<Tactic>,
        /// Only rules on this event source
        #[arg(long, value_name = "S")]
        source: Option<String>,
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Run the tests that stand in rules files; without files those of the catalogue
    Test {
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
}

#[derive(Serialize)]
struct Row {
    id: Option<String>,
    rule: String,
    severity: Severity,
    source: String,
    mitre: Vec<Technique>,
    tactics: Vec<Tactic>,
    state: &'static str,
}

impl Verb {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Check { files, strict, cost, format } => check(&files, strict, cost, format),
            Self::List { files, tactic, source, format } => {
                list(&files, tactic, source.as_deref(), format)
            }
            Self::Test { files, format } => test(&files, format),
        }
    }
}

/// The rules in the binary.
pub(crate) fn catalogue() -> (RuleSet, Vec<Problem>) {
    let catalogue = seawall_content::detections();
    let texts: Vec<_> = catalogue.iter().map(|entry| (entry.path, entry.text)).collect();
    RuleSet::load(&texts)
}

/// The files in order as one set; without any, the catalogue. A file that cannot be read is exit 3.
pub(crate) fn load(files: &[PathBuf]) -> Result<(RuleSet, Vec<Problem>), Failure> {
    if files.is_empty() {
        return Ok(catalogue());
    }
    let mut texts = Vec::new();
    for file in files {
        // Bytes that are no UTF-8 become visible marks: the loader names their place.
        let bytes =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        texts.push((file.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
    }
    let texts: Vec<_> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Ok(RuleSet::load(&texts))
}

/// Whether the set has an error, or under `strict` a warning.
pub(crate) fn broken(problems: &[Problem], strict: bool) -> bool {
    problems.iter().any(|problem| {
        problem.kind == ProblemKind::Error || strict && problem.kind == ProblemKind::Warning
    })
}

fn check(files: &[PathBuf], strict: bool, cost: bool, format: Format) -> Outcome {
    let (rules, mut problems) = load(files)?;
    if cost {
        problems.extend(rules.costs());
    }
    output::print_problems(&problems, format);
    if broken(&problems, strict) {
        let errors = problems.iter().filter(|problem| problem.kind == ProblemKind::Error).count();
        let warnings =
            problems.iter().filter(|problem| problem.kind == ProblemKind::Warning).count();
        let message =
            format!("{errors} errors, {warnings} warnings in {} rules", rules.rules().len());
        return Err(Failure::usage(anyhow::anyhow!(message)));
    }
    match format {
        Format::Table => output::print(&format!("{} rules load\n", rules.rules().len()))?,
        Format::Json => output::print_json(
            &serde_json::json!({"rules": rules.rules().len(), "problems": problems}),
        )?,
    }
    Ok(Exit::Pass)
}

fn list(
    files: &[PathBuf],
    tactic: Option<Tactic>,
    source: Option<&str>,
    format: Format,
) -> Outcome {
    let (rules, problems) = load(files)?;
    output::print_problems(&problems, format);
    let (attack, _) = Attack::parse("attack.yaml", seawall_content::ATTACK);
    let row = |rule: &seawall_rules::Rule| Row {
        id: rule.id.clone(),
        rule: rule.name.clone(),
        severity: rule.priority.severity(),
        source: rule.source.clone(),
        tactics: attack.tactics_of(&rule.mitre),
        mitre: rule.mitre.clone(),
        state: rule.state.as_str(),
    };
    let wanted = |row: &Row| {
        tactic.is_none_or(|tactic| row.tactics.contains(&tactic))
            && source.is_none_or(|source| row.source == source)
    };
    let rows: Vec<Row> = rules.rules().iter().map(row).filter(wanted).collect();
    match format {
        Format::Json => output::print_json(&rows)?,
        Format::Table => output::print(&rows_table(&rows))?,
    }
    if broken(&problems, false) {
        return Err(Failure::usage(anyhow::anyhow!("some rules did not load; see above")));
    }
    Ok(Exit::Pass)
}

fn rows_table(rows: &[Row]) -> String {
    let cells = |row: &Row| {
        let mitre: Vec<&str> = row.mitre.iter().map(Technique::as_str).collect();
        vec![
            row.id.clone().unwrap_or("-".to_owned()),
            row.severity.to_string(),
            row.state.to_owned(),
            mitre.join(","),
            row.rule.clone(),
        ]
    };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    output::table(&["ID", "SEVERITY", "STATE", "TECHNIQUES", "RULE"], &rows)
}

fn test(files: &[PathBuf], format: Format) -> Outcome {
    let (rules, problems) = load(files)?;
    output::print_problems(&problems, format);
    if broken(&problems, false) {
        return Err(Failure::usage(anyhow::anyhow!("some rules did not load; see above")));
    }
    let results = rules.test();
    let failed = results.iter().filter(|result| !result.passed()).count();
    match format {
        Format::Json => {
            let json = |result: &seawall_rules::TestResult| {
                serde_json::json!({"rule": result.rule, "id": result.id, "test": result.test, "file": result.file,
                    "line": result.place.line, "passed": result.passed(), "failure": result.failure})
            };
            output::print_json(&results.iter().map(json).collect::<Vec<_>>())?;
        }
        Format::Table => {
            let mut text = String::new();
            for result in &results {
                let verdict = if result.passed() { "ok  " } else { "FAIL" };
                let title = format!("{verdict} {} > {}", result.rule, result.test);
                text += &format!("{}\n", output::escape(&title));
                for line in &result.failure {
                    text += &format!("       {}\n", output::escape(line));
                }
            }
            text += &format!("{} passed, {failed} failed\n", results.len() - failed);
            output::print(&text)?;
        }
    }
    Ok(if failed == 0 { Exit::Pass } else { Exit::Findings })
}
