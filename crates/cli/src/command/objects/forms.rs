//! The forms of a posture report.
use crate::output;
use seawall_posture::report::{self, Report, Row, Shown};
use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    Table,
    Json,
    Sarif,
    Junit,
    Csv,
    Html,
    #[value(name = "policyreport")]
    PolicyReport,
    #[value(name = "openreports")]
    OpenReports,
}

impl Form {
    /// Whether it shows the line of what fails.
    pub(super) fn has_lines(self) -> bool {
        matches!(self, Self::Sarif | Self::Junit | Self::Csv | Self::Html)
    }
}

/// The report as text that ends a line.
pub(super) fn render(report: &Report, form: Form, shown: Shown<'_>) -> io::Result<String> {
    let form = match form {
        Form::Table => return Ok(table(report, shown)),
        Form::Json => report::Form::Json,
        Form::Sarif => report::Form::Sarif,
        Form::Junit => report::Form::Junit,
        Form::Csv => report::Form::Csv,
        Form::Html => report::Form::Html,
        Form::PolicyReport => report::Form::PolicyReport,
        Form::OpenReports => report::Form::OpenReports,
    };
    Ok(report.render(form, shown)?)
}

fn table(report: &Report, shown: Shown<'_>) -> String {
    let rows: Vec<_> = report.rows(shown).into_iter().map(cells).collect();
    let header = ["CONTROL", "SEVERITY", "STATE", "RESOURCE", "PLACE", "MESSAGE"];
    let mut text = match rows.is_empty() {
        true => String::new(),
        false => output::table(&header, &rows) + "\n",
    };
    let number = |score: Option<f64>| score.map_or("none".to_owned(), |s| format!("{s:.1}"));
    let scores = &report.scores;
    for framework in &scores.frameworks {
        if report.frameworks.contains(&framework.framework) {
            text += &format!(
                "{}: compliance {}, risk {}\n",
                framework.framework,
                number(framework.compliance),
                number(framework.risk)
            );
        }
    }
    let counts = &report.counts;
    let states: Vec<String> = ["unhealthy", "unknown", "exempt"]
        .iter()
        .filter_map(|word| Some(format!("{} {word}", counts.states.get(word)?)))
        .collect();
    let states = if states.is_empty() { "nothing unhealthy".to_owned() } else { states.join(", ") };
    text + &format!(
        "{} objects, {} judged; {states}; secure score {}, coverage {}\n",
        counts.objects,
        counts.judged,
        number(scores.secure),
        report.coverage.map_or("none".to_owned(), |part| format!("{:.0} %", part * 100.0)),
    )
}

fn cells(row: Row) -> Vec<String> {
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
