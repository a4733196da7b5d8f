//! Reports, their two forms and the exit code.
use crate::build::*;
use seawall_model::advisory::{Advisory, Affected, Only, Range, RangeEnd};
use seawall_model::finding::FixStatus;
use seawall_model::package::{Ecosystem, Inventory};
use seawall_model::{Problem, Severity};
use seawall_scan::{Display, FailOn, Report, exit_code, render_json, render_table};
use seawall_vuln::segment::{FeedDate, build};
use seawall_vuln::{IndexSet, Segment};
use serde_json::Value;

fn advisory(
    id: &str,
    ecosystem: Ecosystem,
    release: Option<&str>,
    name: &str,
    fixed: &str,
    severity: Severity,
) -> Advisory {
    let range = Range { introduced: None, end: RangeEnd::Fixed(fixed.into()) };
    let affected = Affected {
        ecosystem,
        release: release.map(str::to_owned),
        name: name.into(),
        ranges: vec![range],
        versions: Vec::new(),
        severity: None,
        undecidable: false,
        only: Only::default(),
        unfixed: FixStatus::None,
    };
    Advisory {
        id: id.into(),
        cves: vec![id.into()],
        aliases: Vec::new(),
        title: Some("A flaw\u{1b}[31m".into()),
        severity,
        cvss: None,
        references: Vec::new(),
        published: None,
        modified: Some(0),
        withdrawn: None,
        affected: vec![affected],
    }
}

pub(crate) fn index() -> IndexSet {
    let feed = FeedDate { key: "osv".into(), newest: Some(1_756_080_000_000) };
    let segment = |ecosystem, release, advisories: &[Advisory]| {
        let built = build(ecosystem, release, feed.clone(), &advisories.iter().collect::<Vec<_>>())
            .unwrap();
        Segment::open(built.bytes).unwrap()
    };
    let python = [
        advisory("CVE-2020-0001", Ecosystem::PyPI, None, "django", "3.2.4", Severity::High),
        advisory("CVE-2020-0002", Ecosystem::PyPI, None, "django", "3.2.2", Severity::Info),
    ];
    let debian = [advisory(
        "CVE-2020-0003",
        Ecosystem::Debian,
        Some("11"),
        "glibc",
        "2.31-13+deb11u4",
        Severity::Medium,
    )];
    let segments = vec![
        segment(Ecosystem::PyPI, None, &python),
        segment(Ecosystem::Debian, Some("11"), &debian),
    ];
    IndexSet::new(segments, None, [])
}

pub(crate) fn inventory() -> Inventory {
    scan_bytes(&docker_archive(&[debian().end(), python(Tar::default(), "Django", "3.2.1").end()]))
}

#[test]
fn json_holds_every_part_in_its_order() {
    let report = Report::new(inventory(), &index());
    let text = render_json(&report, &Display::default()).unwrap();
    assert_eq!(
        text,
        render_json(&Report::new(inventory(), &index()), &Display::default()).unwrap()
    );
    let value: Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "schema", "target", "distro", "index", "counts", "coverage", "packages", "findings",
            "problems"
        ]
    );
    assert_eq!(value["target"]["kind"], "image");
    assert_eq!(value["counts"]["findings"]["high"], 1);
    assert_eq!(value["coverage"]["complete"], true);
    let finding = &value["findings"][0];
    assert_eq!(finding["id"], "CVE-2020-0001");
    assert_eq!(finding["package"]["layer"]["index"], 1);
    assert_eq!(finding["fix"]["versions"][0]["version"], "3.2.4");
    assert_eq!(finding["match"]["compared"][0]["order"], "<");
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn severities_filter_what_is_displayed_only() {
    let report = Report::new(inventory(), &index());
    let display = Display { severities: vec![Severity::Medium], ..Display::default() };
    let value: Value = serde_json::from_str(&render_json(&report, &display).unwrap()).unwrap();
    assert_eq!(value["findings"].as_array().unwrap().len(), 1);
    assert_eq!(value["counts"]["findings"]["high"], 1);
    let table = render_table(&report, &display);
    assert!(table.contains("CVE-2020-0003") && !table.contains("CVE-2020-0001"), "{table}");
    assert!(table.contains("0 critical, 1 high, 1 medium, 0 low, 1 info"), "{table}");
}

#[test]
fn the_table_says_why_and_hides_info() {
    let table = render_table(&Report::new(inventory(), &index()), &Display::default());
    assert!(table.contains("image example.org/app:1 (sha256:"), "{table}");
    assert!(table.contains("CVE-2020-0001: 3.2.1 < 3.2.4 (fixed)"), "{table}");
    assert!(table.contains("judged by Debian:11: 1 packages"), "{table}");
    assert!(!table.contains("CVE-2020-0002") && table.contains("1 counted, not shown"), "{table}");
    assert!(!table.contains("INCOMPLETE"), "{table}");
}

#[test]
fn control_characters_are_escaped_in_every_output() {
    let mut inventory = inventory();
    inventory.packages[1].locations = vec!["a\u{1b}[2J\u{9b}\u{202e}b\u{7f}".into()];
    inventory.packages[1].version = "3.2.1\u{1b}]0;x\u{7}".into();
    inventory.distro.as_mut().unwrap().name = Some("Debian\u{1b}[31m\r\n".into());
    let report = Report::new(inventory, &index());
    let unsafe_in =
        |text: &str| text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}');
    let json = render_json(&report, &Display::default()).unwrap();
    assert!(!unsafe_in(&json) && json.contains("\\u009b\\u202eb\\u007f"));
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    assert!(!unsafe_in(&render_table(&report, &Display::default())));
}

#[test]
fn exit_codes() {
    #[track_caller]
    fn check(
        problem: Option<Problem>,
        fail_on: Option<&str>,
        allow_incomplete: bool,
        expected: u8,
    ) {
        let mut inventory = inventory();
        inventory.problems.extend(problem);
        let fail_on: Option<FailOn> = fail_on.map(|text| text.parse().unwrap());
        let report = Report::new(inventory, &index());
        assert_eq!(exit_code(&report, fail_on.as_ref(), allow_incomplete), expected);
    }
    let (note, gap, error) =
        (Problem::note("n", ""), Problem::gap("g", ""), Problem::error("e", ""));
    check(None, None, false, 0);
    check(Some(note), None, false, 0);
    check(None, Some("high"), false, 1);
    check(None, Some("critical"), false, 0);
    check(None, Some("unknown"), false, 1);
    check(None, Some("kev"), false, 4);
    check(Some(gap.clone()), None, false, 4);
    check(Some(gap.clone()), None, true, 0);
    check(Some(gap.clone()), Some("high"), false, 1);
    check(Some(gap), Some("critical"), false, 4);
    check(Some(error), Some("high"), true, 3);
}

#[test]
fn an_unknown_distro_is_one_gap() {
    #[track_caller]
    fn check(layer: Tar) {
        let report = Report::new(scan_bytes(&docker_archive(&[layer.end()])), &index());
        let gaps: Vec<_> = report.problems.iter().map(|problem| problem.code.as_str()).collect();
        assert_eq!(gaps, ["unknown-distro"]);
        assert!(!report.coverage.complete);
    }
    let homemade = Tar::default().file("etc/os-release", "ID=homemade\n");
    check(homemade.clone());
    check(homemade.file("var/lib/dpkg/status", STATUS));
    check(Tar::default().file("var/lib/dpkg/status", STATUS));
    check(Tar::default().file("etc/os-release", "NAME=x\n").file("var/lib/dpkg/status", STATUS));
    check(Tar::default().file("etc/os-release", "NAME=x\n"));
}

#[test]
fn a_release_the_index_lacks_is_a_gap() {
    let layer = Tar::default()
        .file("etc/os-release", "ID=debian\nVERSION_ID=12\n")
        .file("var/lib/dpkg/status", STATUS);
    let report = Report::new(scan_bytes(&docker_archive(&[layer.end()])), &index());
    assert!(!report.coverage.complete);
    assert_eq!(exit_code(&report, None, false), 4);
    assert!(
        render_table(&report, &Display::default()).contains("not covered: Debian:12, 1 packages")
    );
}
