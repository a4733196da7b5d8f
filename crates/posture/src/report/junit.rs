//! JUnit XML: a suite per control, a case per resource; unknown is an error, never a pass.
//!
//! It satisfies both schemas in use: that of Ant, which demands a time, a host and empty outputs, and Jenkins', which
//! knows no further attributes. Source: windyroad/JUnit-Schema `JUnit.xsd`, jenkinsci/xunit-plugin `junit-10.xsd`.
use super::row::{name, told};
use super::{Report, RuleText, Shown};
use crate::text::markup;
use seawall_model::finding::{ControlFinding, State};
use std::collections::BTreeMap;

/// A real time would make each run another text.
pub const TIMESTAMP: &str = "1970-01-01T00:00:00";

pub(super) fn render(report: &Report, shown: Shown<'_>) -> String {
    let mut suites: BTreeMap<&str, Vec<(&ControlFinding, Option<u32>)>> = BTreeMap::new();
    for (finding, line) in report.shown(shown) {
        suites.entry(&finding.control).or_default().push((finding, line));
    }
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for (index, (control, cases)) in suites.iter().enumerate() {
        suite(&mut text, index, control, cases, report.rules.get(*control));
    }
    text + "</testsuites>\n"
}

fn suite(
    text: &mut String,
    id: usize,
    control: &str,
    cases: &[(&ControlFinding, Option<u32>)],
    rule: Option<&RuleText>,
) {
    let count = |states: &[State]| {
        cases.iter().filter(|(finding, _)| states.contains(&finding.state)).count()
    };
    let title = cases.first().map_or("", |(finding, _)| finding.title.as_str());
    let package = rule.map_or("policy", |rule| rule.score_group.as_str());
    *text += &format!(
        "  <testsuite id=\"{id}\" package=\"{}\" name=\"{}\" hostname=\"localhost\" timestamp=\"{TIMESTAMP}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\">\n    <properties><property name=\"severity\" value=\"{}\"/></properties>\n",
        markup(package),
        markup(&format!("{control} {title}")),
        cases.len(),
        count(&[State::Unhealthy]),
        count(&[State::Unknown]),
        count(&[State::NotApplicable, State::Exempt]),
        cases.first().map_or("unknown", |(finding, _)| finding.severity.as_str()),
    );
    for (finding, line) in cases {
        case(text, finding, *line, rule);
    }
    *text += "    <system-out/>\n    <system-err/>\n  </testsuite>\n";
}

fn case(text: &mut String, finding: &ControlFinding, line: Option<u32>, rule: Option<&RuleText>) {
    *text += &format!(
        "    <testcase classname=\"{}\" name=\"{}\" time=\"0\"",
        markup(&finding.control),
        markup(&name(&finding.resource)),
    );
    let element = match finding.state {
        State::Healthy => {
            *text += "/>\n";
            return;
        }
        State::Unhealthy => "failure",
        State::Unknown => "error",
        State::NotApplicable | State::Exempt => {
            *text += ">\n      <skipped/>\n    </testcase>\n";
            return;
        }
    };
    let mut body = Vec::new();
    if let Some(source) = &finding.source {
        body.push(format!("{}:{}", source.file, line.unwrap_or(source.line)));
    }
    body.extend(finding.evidence.iter().map(|found| format!("{} = {}", found.path, found.value)));
    body.extend(rule.map(|rule| rule.remediation.clone()));
    let kind = match finding.state {
        State::Unknown => finding.reason.as_deref().unwrap_or("unknown"),
        _ => finding.severity.as_str(),
    };
    *text += &format!(
        ">\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>\n",
        markup(kind),
        markup(&told(finding)),
        markup(&body.join("\n")),
    );
}
