//! JUnit XML: a suite per package with a case per flaw, and one suite that says whether all was judged.
//!
//! It satisfies both schemas in use: that of Ant, which demands a time, a host and empty outputs, and Jenkins', which
//! knows no further attributes. Source: windyroad/JUnit-Schema `JUnit.xsd`, jenkinsci/xunit-plugin `junit-10.xsd`.
use super::told;
use crate::report::{Display, Report};
use seawall_model::finding::{State, VulnFinding};
use seawall_model::problem::ProblemKind;
use seawall_posture::report::junit::TIMESTAMP;
use seawall_posture::text::markup;
use std::collections::BTreeMap;

/// An element below a case, if it did not pass: `failure`, `error` or `skipped`, its kind, message and text.
struct Ending {
    element: &'static str,
    kind: String,
    message: String,
    text: String,
}

struct Case {
    class: String,
    name: String,
    ending: Option<Ending>,
}

pub(super) fn render(report: &Report, display: &Display) -> String {
    let mut suites: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for finding in super::shown(report, display) {
        let package = &finding.package;
        let name = format!("{} {}", package.name, package.version);
        suites.entry(name).or_default().push(flaw(finding));
    }
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    suite(&mut text, 0, "coverage", &[coverage(report)]);
    for (index, (name, cases)) in suites.iter().enumerate() {
        suite(&mut text, index + 1, name, cases);
    }
    text + "</testsuites>\n"
}

/// What could not be judged is an error, never a pass.
fn coverage(report: &Report) -> Case {
    let gaps = report.problems.iter().filter(|problem| problem.kind >= ProblemKind::Gap);
    let gaps: Vec<String> = gaps.map(ToString::to_string).collect();
    let incomplete = !report.coverage.complete || !gaps.is_empty();
    Case {
        class: "coverage".to_owned(),
        name: told::target(&report.target.target),
        ending: incomplete.then(|| Ending {
            element: "error",
            kind: "incomplete".to_owned(),
            message: "something was left out".to_owned(),
            text: gaps.join("\n"),
        }),
    }
}

fn flaw(finding: &VulnFinding) -> Case {
    let (element, kind) = match finding.state {
        State::Unknown => ("error", "undecided"),
        State::Unhealthy => ("failure", finding.severity.level.as_str()),
        _ => ("skipped", ""),
    };
    let package = &finding.package;
    let lines = [Some(package.purl.clone()), Some(told::why(finding)), told::page(finding)];
    let text = lines.into_iter().flatten().chain(package.locations.iter().cloned());
    let message = format!("{}. {}", told::title(finding), told::remedy(finding));
    Case {
        class: package.purl.split('?').next().unwrap_or_default().to_owned(),
        name: finding.id.clone(),
        ending: Some(Ending {
            element,
            kind: kind.to_owned(),
            message,
            text: text.collect::<Vec<_>>().join("\n"),
        }),
    }
}

fn suite(text: &mut String, id: usize, name: &str, cases: &[Case]) {
    let count = |element: &str| {
        let own = |case: &&Case| case.ending.as_ref().is_some_and(|end| end.element == element);
        cases.iter().filter(own).count()
    };
    *text += &format!(
        "  <testsuite id=\"{id}\" package=\"vulnerabilities\" name=\"{}\" hostname=\"localhost\" timestamp=\"{TIMESTAMP}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\">\n    <properties/>\n",
        markup(name),
        cases.len(),
        count("failure"),
        count("error"),
        count("skipped"),
    );
    for case in cases {
        let (class, name) = (markup(&case.class), markup(&case.name));
        *text += &format!("    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"");
        *text += &match &case.ending {
            None => "/>\n".to_owned(),
            Some(end) if end.element == "skipped" => {
                ">\n      <skipped/>\n    </testcase>\n".to_owned()
            }
            Some(Ending { element, kind, message, text }) => format!(
                ">\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>\n",
                markup(kind),
                markup(message),
                markup(text)
            ),
        };
    }
    *text += "    <system-out/>\n    <system-err/>\n  </testsuite>\n";
}
