//! One self-contained page: it loads nothing, reads without scripts, prints, and follows light and dark.
mod controls;
mod summary;

use super::{Report, Shown};
use crate::text::markup;
use seawall_model::Problem;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Nothing is loaded or sent, whatever a name in the report might hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn render(report: &Report, shown: Shown<'_>) -> String {
    let body = summary::render(report)
        + &controls::render(report, shown)
        + &problems(&report.problems)
        + "<footer>Secure score: points won by groups of controls. Risk: the weight that fails. Compliance: the mean share of resources that pass. Unknown is never a pass; it lowers coverage. "
        + &format!("Seawall {}.</footer>\n", env!("CARGO_PKG_VERSION"));
    page(&format!("Security posture of {}", report.target), &subtitle(report), &body, SCRIPT)
}

/// A page of ours around `body`, which is markup already; title and subtitle are text.
pub fn page(title: &str, subtitle: &str, body: &str, script: &str) -> String {
    let (title, subtitle) = (markup(title), markup(subtitle));
    let script = match script.is_empty() {
        true => String::new(),
        false => format!("<script>\n{script}</script>\n"),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header><div>\n<div class=\"brand\">Seawall</div>\n<h1>{title}</h1>\n<p>{subtitle}</p>\n</div></header>\n<main>\n{body}</main>\n{script}</body>\n</html>\n"
    )
}

fn subtitle(report: &Report) -> String {
    let mut parts = vec![match report.frameworks.is_empty() {
        true => format!("{} controls", report.rules.len()),
        false => format!("{} controls of {}", report.rules.len(), report.frameworks.join(", ")),
    }];
    let counts = &report.counts;
    parts.push(format!("{} objects, {} judged", counts.objects, counts.judged));
    if let Some(version) = &report.kubernetes {
        parts.push(format!("Kubernetes {version}"));
    }
    parts.join(" · ")
}

/// Rows of problems on a page: past this the page is no place to read them.
const MAX_PROBLEMS: usize = 200;

/// What the scan could not do, as a section; nothing where it did all.
pub fn problems(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let mut text = "<section><h2>Left out, or worth knowing</h2><div class=\"card\"><table><tr><th>Kind</th><th>Where</th><th>What</th></tr>\n".to_owned();
    for problem in problems.iter().take(MAX_PROBLEMS) {
        let kind = format!("{:?}", problem.kind).to_lowercase();
        let place = match (&problem.file, problem.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.clone(),
            (None, _) => problem.item.clone().unwrap_or_default(),
        };
        let help = problem.help.as_ref().map(|help| format!("<br><code>{}</code>", markup(help)));
        text += &format!(
            "<tr><td>{kind}</td><td><code>{}</code></td><td>{}{}</td></tr>\n",
            markup(&place),
            markup(&problem.message),
            help.unwrap_or_default()
        );
    }
    if let Some(more) = problems.len().checked_sub(MAX_PROBLEMS).filter(|more| *more > 0) {
        text += &format!("<tr><td></td><td></td><td>and {more} more, which JSON has</td></tr>\n");
    }
    text + "</table></div></section>\n"
}
