//! Inventories against small indexes.
use crate::advisories::{
    advisory, affected, deb, distro, feed, index, inventory, package, segment,
};
use seawall_model::Severity;
use seawall_model::advisory::Advisory;
use seawall_model::finding::{FixStatus, State};
use seawall_model::image::Layer;
use seawall_model::package::{Ecosystem, Format, Inventory, Package};
use seawall_model::problem::ProblemKind;
use seawall_vuln::segment::{SegmentError, build};
use seawall_vuln::{IndexSet, MatchReport, Segment, match_inventory};

const PYPI: Ecosystem = Ecosystem::PyPI;

fn pypi(id: &str, names: &[&str], ranges: &[&str]) -> Advisory {
    advisory(id, names, vec![affected(PYPI, None, "demo", ranges)])
}

fn matched(advisories: &[Advisory], packages: Vec<Package>) -> MatchReport {
    match_inventory(&inventory(None, packages), &index(vec![segment(PYPI, None, advisories)]))
}

/// Findings on `demo` 1.0 as `id [aliases] state record -> fixes`.
#[track_caller]
fn check(advisories: &[Advisory], expected: &[&str]) {
    let report = matched(advisories, vec![package(PYPI, "demo", "1.0")]);
    let line = |finding: &seawall_model::finding::VulnFinding| {
        let fixes: Vec<&str> =
            finding.fix.versions.iter().map(|fix| fix.version.as_str()).collect();
        format!(
            "{} [{}] {} {} -> {}",
            finding.id,
            finding.aliases.join(" "),
            finding.state.as_str(),
            finding.matched.record,
            fixes.join(" ")
        )
    };
    assert_eq!(report.findings.iter().map(line).collect::<Vec<_>>(), expected);
}

#[test]
fn one_finding_is_one_flaw_of_one_package() {
    check(&[], &[]);
    check(&[pypi("PYSEC-1", &[], &["..2"])], &["PYSEC-1 [] unhealthy PYSEC-1 -> 2"]);
    check(&[pypi("PYSEC-1", &["GHSA-a"], &["..2"])], &["GHSA-a [PYSEC-1] unhealthy PYSEC-1 -> 2"]);
    check(
        &[pypi("PYSEC-1", &["CVE-2024-0001", "GHSA-a"], &["..2"])],
        &["CVE-2024-0001 [GHSA-a PYSEC-1] unhealthy PYSEC-1 -> 2"],
    );
    check(
        &[pypi("PYSEC-1", &["CVE-2024-0001", "CVE-2024-0002"], &["..2"])],
        &[
            "CVE-2024-0001 [PYSEC-1] unhealthy PYSEC-1 -> 2",
            "CVE-2024-0002 [PYSEC-1] unhealthy PYSEC-1 -> 2",
        ],
    );
    check(&[pypi("PYSEC-1", &["CVE-2024-0001"], &["2..3"])], &[]);
}

#[test]
fn several_records_of_a_flaw_are_one_finding() {
    let ghsa = pypi("GHSA-a", &["CVE-2024-0001"], &["..2.1"]);
    let pysec = pypi("PYSEC-1", &["CVE-2024-0001", "GHSA-a"], &["..2"]);
    let both = "CVE-2024-0001 [GHSA-a PYSEC-1] unhealthy GHSA-a -> 2 2.1";
    check(&[ghsa.clone(), pysec.clone()], &[both]);
    check(&[pysec.clone(), ghsa.clone()], &[both]);
    let fixed = pypi("GHSA-a", &["CVE-2024-0001"], &["..0.5"]);
    check(&[fixed, pysec.clone()], &["CVE-2024-0001 [GHSA-a PYSEC-1] unhealthy PYSEC-1 -> 2"]);
    let nameless = pypi("PYSEC-2", &["GHSA-a"], &["..3"]);
    check(&[ghsa, nameless], &["CVE-2024-0001 [GHSA-a PYSEC-2] unhealthy GHSA-a -> 2.1 3"]);
    let mut withdrawn = pysec;
    withdrawn.withdrawn = Some(1);
    check(&[withdrawn], &[]);
}

#[test]
fn an_undecidable_range_is_unknown_unless_another_record_decides() {
    let mut placeholder = pypi("GO-1", &["CVE-2024-0001"], &[".."]);
    placeholder.affected[0].undecidable = true;
    check(&[placeholder.clone()], &["CVE-2024-0001 [GO-1] unknown GO-1 -> "]);
    let sure = pypi("PYSEC-1", &["CVE-2024-0001"], &["..2"]);
    check(&[placeholder, sure], &["CVE-2024-0001 [GO-1 PYSEC-1] unhealthy PYSEC-1 -> 2"]);
}

#[test]
fn a_bound_outside_the_order_passed_in_silence() {
    #[track_caller]
    fn check(ranges: &[&str], expected: &[(&str, &str)]) {
        let record = advisory("GO-1", &[], vec![affected(Ecosystem::Go, None, "m", ranges)]);
        let report = match_inventory(
            &inventory(None, vec![package(Ecosystem::Go, "m", "1.5.0")]),
            &index(vec![segment(Ecosystem::Go, None, &[record])]),
        );
        let gaps = report.problems.iter().filter(|problem| problem.kind == ProblemKind::Gap);
        let gaps: Vec<_> =
            gaps.map(|gap| (gap.code.as_str(), gap.message.split(' ').next().unwrap())).collect();
        assert_eq!(gaps, expected, "{ranges:?}");
        assert_eq!(report.coverage.complete, expected.is_empty(), "{ranges:?}");
    }
    check(&["..2.0.0"], &[]);
    check(&["..broken"], &[("bound-not-comparable", "GO-1")]);
    check(&["broken..2.0.0"], &[("bound-not-comparable", "GO-1")]);
    check(&["..broken", "1.0.0..2.0.0"], &[]);
}

#[test]
fn findings_come_worst_first_with_their_sources() {
    let mut scored = pypi("PYSEC-2", &["CVE-2024-0002"], &[".."]);
    scored.severity = Severity::Critical;
    scored.cvss = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned());
    let exploited = pypi("PYSEC-9", &["CVE-2024-0009"], &["..2"]);
    let plain = pypi("PYSEC-1", &["CVE-2024-0001"], &["..=1"]);
    let report = matched(&[scored, exploited, plain], vec![package(PYPI, "demo", "1.0")]);
    let ids: Vec<&str> = report.findings.iter().map(|finding| finding.id.as_str()).collect();
    assert_eq!(ids, ["CVE-2024-0009", "CVE-2024-0002", "CVE-2024-0001"]);
    assert_eq!(report.findings[0].kev, Some(1_704_153_600_000));
    let severity = &report.findings[1].severity;
    assert_eq!(
        (severity.level, severity.source.as_deref(), severity.score),
        (Severity::Critical, Some("osv"), Some(9.8))
    );
    assert_eq!(
        (report.findings[1].fix.status, report.findings[1].fixed_by.as_deref()),
        (FixStatus::None, None)
    );
    assert_eq!(report.findings[2].fix.status, FixStatus::Unknown);
    let first = &report.findings[0];
    assert_eq!((first.fix.status, first.disclosed_by.as_str()), (FixStatus::Available, "osv"));
    assert_eq!(
        (
            first.matched.segment.as_str(),
            first.matched.rule.as_str(),
            first.matched.scheme.as_str()
        ),
        ("PyPI", "pypi-range", "pypi")
    );
}

#[test]
fn records_of_other_versions_rate_the_flaw_too() {
    /// The severity of the flaw that `P-1` finds, which is rated by nobody or by a record of another version.
    #[track_caller]
    fn check(names: &[&str], silent: Advisory, expected: Severity) {
        let silent = Advisory { severity: Severity::High, ..silent };
        let report =
            matched(&[pypi("P-1", names, &["..2"]), silent], vec![package(PYPI, "demo", "1.0")]);
        let severities: Vec<_> =
            report.findings.iter().map(|finding| finding.severity.level).collect();
        assert_eq!(severities, [expected]);
    }
    let (cve, other) = ("CVE-2024-0001", "CVE-2024-0002");
    let fixed = |names: &[&str]| pypi("GHSA-a", names, &["..0.5"]);
    check(&[cve], fixed(&[cve]), Severity::High);
    check(&[cve], fixed(&[other]), Severity::Unknown);
    check(&[cve, "GHSA-a"], fixed(&[]), Severity::High);
    check(&["GHSA-a"], fixed(&[]), Severity::High);
    check(&[], fixed(&["P-1"]), Severity::High);
    check(&[], fixed(&[]), Severity::Unknown);
    check(&[cve], Advisory { withdrawn: Some(1), ..fixed(&[cve]) }, Severity::Unknown);
}

#[test]
fn an_entry_rates_its_package_before_the_record() {
    use seawall_model::advisory::Rating;
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
    let rating = Rating { level: Severity::High, cvss: Some(vector.to_owned()) };
    let mut record = pypi("P-1", &[], &["..0.5"]);
    record.severity = Severity::Low;
    record.affected.push(affected(PYPI, None, "other", &["..2"]));
    record.affected.push(affected(PYPI, None, "demo", &["0.7..2"]));
    record.affected[2].severity = Some(rating);
    let packages = vec![package(PYPI, "demo", "1.0"), package(PYPI, "other", "1.0")];
    let report = matched(&[record], packages);
    let severity = |finding: &seawall_model::finding::VulnFinding| {
        (finding.package.name.clone(), finding.severity.level, finding.severity.score)
    };
    assert_eq!(
        report.findings.iter().map(severity).collect::<Vec<_>>(),
        [("demo".to_owned(), Severity::High, Some(7.5)), ("other".to_owned(), Severity::Low, None)]
    );
}

#[test]
fn instances_keep_their_layer_and_places() {
    let mut low = package(PYPI, "demo", "1.0");
    low.layer = Some(1);
    let high = Package { layer: Some(7), ..low.clone() };
    let layer = |name: &str| Layer {
        diff_id: name.to_owned(),
        created_by: None,
        size: None,
        base: name == "sha256:b",
    };
    let layers = vec![layer("sha256:a"), layer("sha256:b")];
    let inventory = Inventory { layers, ..inventory(None, vec![low, high]) };
    let report = match_inventory(
        &inventory,
        &index(vec![segment(PYPI, None, &[pypi("P-1", &[], &[".."])])]),
    );
    assert_eq!(report.findings.len(), 2, "one per instance");
    let layers: Vec<_> =
        report.findings.iter().map(|finding| finding.package.layer.clone()).collect();
    let known = layers.iter().flatten().next().unwrap();
    assert_eq!((known.diff_id.as_str(), known.index, known.base), ("sha256:b", 1, true));
    assert!(layers.contains(&None), "a layer that the image does not list is not invented");
    assert_eq!(report.findings[0].package.locations, ["opt/app"]);
}

fn debian_index() -> IndexSet {
    let record = advisory(
        "DSA-1-1",
        &["CVE-2024-0001"],
        vec![affected(Ecosystem::Debian, Some("11"), "src", &["..2"])],
    );
    index(vec![segment(Ecosystem::Debian, Some("11"), &[record])])
}

/// Matches one Debian package; `expected` is findings, `complete`, then the codes of problems.
#[track_caller]
fn check_debian(
    on: Option<&str>,
    package: Package,
    findings: usize,
    complete: bool,
    codes: &[&str],
) {
    let distro = on.and_then(distro);
    let own = distro.as_ref().and_then(|distro| Ecosystem::on(Format::Deb, &distro.id));
    let package = Package { ecosystem: own.unwrap_or(Ecosystem::Debian), ..package };
    let report = match_inventory(&inventory(distro, vec![package]), &debian_index());
    let found: Vec<&str> = report.problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(
        (report.findings.len(), report.coverage.complete, found.as_slice()),
        (findings, complete, codes),
        "{on:?}"
    );
}

#[test]
fn debian_packages_are_judged_by_source_and_release() {
    let demo = || deb("bin", "src", "1.0-1");
    check_debian(Some("debian:11"), demo(), 1, true, &["fixed-only"]);
    check_debian(Some("debian:11.6"), demo(), 1, true, &["fixed-only"]);
    check_debian(Some("debian:11"), deb("src", "other", "1.0-1"), 0, true, &["fixed-only"]);
    check_debian(
        Some("debian:11"),
        package(Ecosystem::Debian, "src", "1.0-1"),
        1,
        true,
        &["fixed-only"],
    );
    check_debian(Some("debian:12"), demo(), 0, false, &["not-covered"]);
    check_debian(Some("debian"), demo(), 0, false, &["not-covered"]);
    check_debian(Some("ubuntu:22.04"), demo(), 0, true, &["not-covered"]);
    check_debian(Some("devuan:4"), demo(), 0, false, &["unknown-distro"]);
    check_debian(None, demo(), 0, false, &["unknown-distro"]);
    check_debian(
        Some("debian:11"),
        deb("bin", "src", "x:1"),
        1,
        false,
        &["version-not-comparable", "fixed-only"],
    );
    check_debian(Some("debian:11"), deb("bin", "quiet", "x:1"), 0, true, &["fixed-only"]);
    check_debian(Some("debian:11"), Package { third_party: true, ..demo() }, 0, true, &[]);
}

#[test]
fn what_is_not_covered_is_counted_and_named() {
    let packages = vec![
        deb("a", "a", "1"),
        deb("b", "b", "1"),
        package(PYPI, "demo", "1"),
        package(Ecosystem::Go, "m", "1"),
    ];
    let asked = IndexSet::new(Vec::new(), None, [Ecosystem::Debian, PYPI]);
    let report = match_inventory(&inventory(distro("debian:12"), packages), &asked);
    let counted: Vec<_> = report
        .coverage
        .not_covered
        .iter()
        .map(|missing| (missing.segment.as_str(), missing.packages, missing.gap))
        .collect();
    assert_eq!(counted, [("Debian:12", 2, true), ("PyPI", 1, true), ("Go", 1, false)]);
    let kinds: Vec<ProblemKind> = report.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [ProblemKind::Gap, ProblemKind::Gap, ProblemKind::Note]);
    assert!(!report.coverage.complete);
}

#[test]
fn an_index_of_exploited_vulnerabilities_alone_passed_everything() {
    #[track_caller]
    fn check(index: &IndexSet, packages: Vec<Package>, gaps: usize) {
        let report = match_inventory(&inventory(None, packages), index);
        let found = report.problems.iter().filter(|problem| problem.code == "no-advisories");
        assert_eq!(found.count(), gaps);
        assert_eq!(report.coverage.complete, gaps == 0);
    }
    check(&index(vec![]), vec![package(PYPI, "demo", "1.0")], 1);
    check(&index(vec![]), vec![], 1);
    check(&index(vec![segment(PYPI, None, &[])]), vec![package(PYPI, "demo", "1.0")], 0);
}

#[test]
fn an_unknown_distro_is_one_gap() {
    #[track_caller]
    fn check(on: Option<&str>, packages: Vec<Package>, expected: usize) {
        let report = match_inventory(&inventory(on.and_then(distro), packages), &debian_index());
        let gaps = report.problems.iter().filter(|problem| problem.code == "unknown-distro");
        assert_eq!(gaps.count(), expected, "{on:?}: {:?}", report.problems);
    }
    let python = || package(PYPI, "demo", "1.0");
    for on in [None, Some("devuan:4"), Some("homemade")] {
        check(on, vec![deb("a", "a", "1"), deb("b", "b", "1"), python()], 1);
        check(on, vec![python()], 0);
    }
    check(Some("debian:11"), vec![deb("a", "a", "1")], 0);
}

#[test]
fn owned_language_packages_are_left_to_the_distro() {
    let owned = Package { owner: Some("python3-demo".to_owned()), ..package(PYPI, "demo", "1.0") };
    let report = matched(&[pypi("P-1", &[], &[".."])], vec![owned]);
    assert_eq!(
        (report.findings.len(), report.coverage.owned, report.coverage.complete),
        (0, 1, true)
    );
}

#[test]
fn binaries_of_third_party_packages_were_judged_by_nobody() {
    #[track_caller]
    fn check(third_party: bool, expected: (usize, u32, u32)) {
        let owner = Package { third_party, ..package(Ecosystem::Debian, "docker-ce", "1") };
        let binary = package(PYPI, "demo", "1.0");
        let binary = Package { owner: Some("docker-ce".to_owned()), ..binary };
        let report = match_inventory(
            &inventory(distro("ubuntu:22.04"), vec![owner, binary]),
            &index(vec![segment(PYPI, None, &[pypi("P-1", &[], &[".."])])]),
        );
        let coverage = &report.coverage;
        assert_eq!((report.findings.len(), coverage.owned, coverage.third_party), expected);
    }
    check(true, (1, 0, 1));
    check(false, (0, 1, 0));
}

#[test]
fn kernel_headers_in_an_image_were_flaws() {
    use seawall_model::image::ImageRef;
    use seawall_model::package::Target;
    #[track_caller]
    fn check(target: Target, headers: State, tool: State) {
        let record = advisory(
            "DSA-1-1",
            &["CVE-2024-0001"],
            vec![affected(Ecosystem::Debian, Some("11"), "linux", &["..2"])],
        );
        let packages = vec![deb("bpftool", "linux", "1"), deb("linux-libc-dev", "linux", "1")];
        let inventory = Inventory { target, ..inventory(distro("debian:11"), packages) };
        let report = match_inventory(
            &inventory,
            &index(vec![segment(Ecosystem::Debian, Some("11"), &[record])]),
        );
        let states: Vec<_> = report.findings.iter().map(|finding| finding.state).collect();
        assert_eq!(states, [tool, headers]);
        let qualifiers = &report.findings[1].matched.qualifiers;
        let named = qualifiers.iter().map(|own| (own.kind.as_str(), own.holds)).next();
        assert_eq!(named, (headers == State::NotApplicable).then_some(("kernel", false)));
    }
    let image = ImageRef::default();
    check(Target::Image { image }, State::NotApplicable, State::Unhealthy);
    check(Target::Node { name: "n".to_owned() }, State::Unhealthy, State::Unhealthy);
    check(Target::Directory { path: "/".to_owned() }, State::Unhealthy, State::Unhealthy);
}

#[test]
fn names_are_compared_as_the_ecosystem_does() {
    let record = advisory("P-1", &[], vec![affected(PYPI, None, "De_Mo.x", &[".."])]);
    let report = matched(&[record], vec![package(PYPI, "de-mo_X", "1.0")]);
    assert_eq!(report.findings.len(), 1);
    let record =
        advisory("GO-1", &[], vec![affected(Ecosystem::Go, None, "example.org/Mod", &[".."])]);
    let index = index(vec![segment(Ecosystem::Go, None, &[record])]);
    for (name, findings) in
        [("example.org/Mod", 1), ("example.org/mod", 0), ("example.org/Mod/v2", 0)]
    {
        let report =
            match_inventory(&inventory(None, vec![package(Ecosystem::Go, name, "v1.0.0")]), &index);
        assert_eq!(report.findings.len(), findings, "{name}");
    }
}

#[test]
fn an_incomparable_version_is_unknown_and_a_gap() {
    let record = advisory(
        "GO-1",
        &["CVE-2024-0001"],
        vec![affected(Ecosystem::Go, None, "m", &["..1.0.0"])],
    );
    let index = index(vec![segment(Ecosystem::Go, None, &[record])]);
    let report =
        match_inventory(&inventory(None, vec![package(Ecosystem::Go, "m", "(devel)")]), &index);
    assert_eq!((report.findings[0].state, report.coverage.complete), (State::Unknown, false));
    assert_eq!(report.problems[0].code, "version-not-comparable");
}

#[test]
fn equal_records_in_any_order_give_equal_bytes() {
    let records: Vec<Advisory> =
        (0..50).map(|n| pypi(&format!("P-{n}"), &["CVE-2024-0001"], &["..2", "=7"])).collect();
    let built = |records: &[&Advisory]| build(PYPI, None, feed(), records).unwrap().bytes;
    let forward: Vec<&Advisory> = records.iter().collect();
    let backward: Vec<&Advisory> = records.iter().rev().collect();
    assert_eq!(built(&forward), built(&backward));
}

#[test]
fn damaged_segments_are_refused() {
    let record = pypi("P-1", &["CVE-2024-0001"], &["..2"]);
    let bytes = build(PYPI, None, feed(), &[&record]).unwrap().bytes;
    assert!(Segment::open(bytes.clone()).is_ok());
    let with = |at: usize, byte: u8| {
        let mut damaged = bytes.clone();
        damaged[at] = byte;
        Segment::open(damaged).unwrap_err()
    };
    assert!(matches!(with(0, b'X'), SegmentError::Magic));
    assert!(matches!(with(8, 99), SegmentError::Layout { found: 99 }));
    assert!(matches!(with(12, 2), SegmentError::Kind));
    assert!(matches!(with(20, 0xFF), SegmentError::Digest));
    assert!(matches!(with(bytes.len() - 1, 0x5A), SegmentError::Digest));
    for len in 0..bytes.len() {
        assert!(Segment::open(bytes[..len].to_vec()).is_err(), "cut at {len}");
    }
}

#[test]
fn the_index_answers_questions() {
    let record = advisory(
        "DSA-1-1",
        &["CVE-2024-0001"],
        vec![affected(Ecosystem::Debian, Some("11"), "src", &["1..2"])],
    );
    let index = index(vec![segment(Ecosystem::Debian, Some("11"), &[record])]);
    let statements = index.package_statements(Ecosystem::Debian, "src").unwrap();
    let (found, own) = index.record("DSA-1-1").unwrap().unwrap();
    assert_eq!(
        (found.cves.as_slice(), own.as_slice()),
        (["CVE-2024-0001".to_owned()].as_slice(), statements.as_slice())
    );
    let statement = &statements[0];
    assert_eq!(
        (statement.introduced.as_deref(), statement.kind.as_str(), statement.end.as_deref()),
        (Some("1"), "fixed", Some("2"))
    );
    assert_eq!(index.record("DSA-2").unwrap(), None);
    assert_eq!(index.package_statements(Ecosystem::Debian, "none").unwrap(), []);
}
