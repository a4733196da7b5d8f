//! What `--fail-on` and its companions make of a report.
use crate::build::*;
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Only, Range, RangeEnd};
use seawall_model::finding::FixStatus;
use seawall_model::package::Ecosystem;
use seawall_scan::{Display, FailOn, Report, exit_code, render_table};
use seawall_vuln::segment::{FeedDate, build};
use seawall_vuln::{IndexSet, Kev, Segment, kev};
use std::collections::BTreeMap;

fn feed(key: &str) -> FeedDate {
    FeedDate { key: key.to_owned(), newest: Some(1_756_080_000_000) }
}

/// An index of one advisory on `django`; `exploited` is its list of known exploited vulnerabilities, if it has any.
fn index(advisory: &Advisory, exploited: Option<&[&str]>) -> IndexSet {
    let built = build(Ecosystem::PyPI, None, feed("osv"), &[advisory]).unwrap();
    let list = exploited.map(|ids| {
        let entries: BTreeMap<_, _> = ids.iter().map(|id| ((*id).to_owned(), 1)).collect();
        Kev::open(kev::build(feed("cisa-kev"), &entries).unwrap()).unwrap()
    });
    IndexSet::new(vec![Segment::open(built.bytes).unwrap()], list, [])
}

/// On `django` up to 3.2.4, of medium severity.
fn advisory() -> Advisory {
    let range = Range { introduced: None, end: RangeEnd::Fixed("3.2.4".into()) };
    let affected = Affected {
        ecosystem: Ecosystem::PyPI,
        release: None,
        name: "django".into(),
        ranges: vec![range],
        versions: Vec::new(),
        severity: None,
        undecidable: false,
        only: Only::default(),
        unfixed: FixStatus::None,
    };
    Advisory {
        id: "CVE-2020-0001".into(),
        cves: vec!["CVE-2020-0001".into()],
        aliases: Vec::new(),
        title: None,
        severity: Severity::Medium,
        cvss: None,
        references: Vec::new(),
        published: None,
        modified: None,
        withdrawn: None,
        affected: vec![affected],
    }
}

fn report(index: &IndexSet) -> Report {
    Report::new(
        scan_bytes(&docker_archive(&[python(Tar::default(), "Django", "3.2.1").end()])),
        index,
    )
}

#[test]
fn conditions_without_data_are_gaps() {
    #[track_caller]
    fn check(exploited: Option<&[&str]>, fail_on: &str, expected: u8, lacking: &[&str]) {
        let mut report = report(&index(&advisory(), exploited));
        let fail_on: FailOn = fail_on.parse().unwrap();
        assert_eq!(exit_code(&report, Some(&fail_on), false), expected, "{fail_on:?}");
        report.add(fail_on.gaps(&report.index));
        assert_eq!(exit_code(&report, Some(&fail_on), false), expected, "{fail_on:?}, added");
        let gaps = report.problems.iter().filter(|problem| problem.code == "condition-not-covered");
        let named: Vec<_> = gaps.filter_map(|problem| problem.item.as_deref()).collect();
        assert_eq!(named, lacking, "{fail_on:?}");
        assert_eq!(report.coverage.complete, lacking.is_empty());
    }
    check(None, "kev", 4, &["kev"]);
    check(Some(&["CVE-2020-0002"]), "kev", 0, &[]);
    check(Some(&["CVE-2020-0001"]), "kev", 1, &[]);
    check(Some(&[]), "epss=0.5", 4, &["epss"]);
    check(None, "critical,kev,epss=0.5", 4, &["epss", "kev"]);
    check(None, "medium,kev", 1, &["kev"]);
    check(None, "critical", 0, &[]);
}

#[test]
fn undecided_findings_passed_where_any_finding_fails() {
    #[track_caller]
    fn check(undecidable: bool, fail_on: &str, expected: u8) {
        let mut record = advisory();
        record.affected[0].ranges[0].end = RangeEnd::Open;
        record.affected[0].undecidable = undecidable;
        let report = report(&index(&record, None));
        assert_eq!(report.counts.undecided, u32::from(undecidable));
        assert_eq!(
            exit_code(&report, Some(&fail_on.parse().unwrap()), false),
            expected,
            "{fail_on}"
        );
    }
    check(true, "unknown", 1);
    check(true, "medium", 0);
    check(false, "unknown", 1);
    check(false, "medium", 1);
    check(false, "high", 0);
}

#[test]
fn what_no_fix_removes_is_left_out_but_counted() {
    #[track_caller]
    fn check(end: RangeEnd, ignore: bool, findings: usize, ignored: u32, expected: u8) {
        let mut record = advisory();
        record.affected[0].ranges[0].end = end;
        let mut report = report(&index(&record, None));
        if ignore {
            report.ignore_unfixed();
        }
        let counts = &report.counts;
        assert_eq!(
            (report.findings.len(), counts.findings.medium as usize, counts.ignored_unfixed),
            (findings, findings, ignored)
        );
        assert_eq!(counts.packages.total, 1);
        assert_eq!(exit_code(&report, Some(&"low".parse().unwrap()), false), expected);
        let table = render_table(&report, &Display::default());
        assert_eq!(table.contains("1 without an available fix, ignored"), ignored == 1, "{table}");
    }
    check(RangeEnd::Open, false, 1, 0, 1);
    check(RangeEnd::Open, true, 0, 1, 0);
    check(RangeEnd::LastAffected("3.2.3".into()), true, 0, 1, 0);
    check(RangeEnd::Fixed("3.2.4".into()), true, 1, 0, 1);
}

#[test]
fn the_table_says_who_judged_and_by_how_old_records() {
    let mut report = report(&index(&advisory(), None));
    let lines = |report: &Report| {
        let table = render_table(report, &Display::default());
        let summary = table.lines().skip_while(|line| !line.contains(" critical, "));
        summary.take_while(|line| !line.starts_with("updates")).map(str::to_owned).collect()
    };
    let plain: Vec<String> = lines(&report);
    assert_eq!(
        plain,
        [
            "0 critical, 0 high, 1 medium, 0 low, 0 info, 0 unknown; 1 fixable, known exploited: not in the index",
            "1 packages: 1 PyPI",
            "judged by PyPI: 1 packages, records up to 2025-08-25, only flaws that have a fix",
        ]
    );
    (report.coverage.owned, report.coverage.third_party) = (2, 3);
    report.coverage.segments[0].feeds[0].newest = None;
    report.coverage.segments[0].fixed_only = false;
    let more: Vec<String> = lines(&report);
    assert_eq!(
        more[2..],
        [
            "judged by PyPI: 1 packages, no dated records",
            "2 packages owned by the distro's packages, left to the distro's advisories",
            "3 packages of other vendors, whom the distro's advisories do not speak of",
        ]
    );
}
