//! Excuses: which findings they fit, and what is told of them.
use crate::report::{index, inventory};
use seawall_model::exemption;
use seawall_model::finding::State;
use seawall_model::scope::ScopePath;
use seawall_scan::{Display, Exemptions, FailOn, Report, exit_code, render_table};
use serde_json::json;

/// 2026-01-31T00:00:00Z.
const NOW: i64 = 1_769_817_600_000;

/// Ids of what is exempt, and codes of what is told.
#[track_caller]
fn check(add: impl Fn(&mut Exemptions), exempt: &[&str], told: &[&str]) -> Report {
    let mut report = Report::new(inventory(), &index());
    let count = report.findings.len();
    let mut exemptions = Exemptions::new(NOW);
    add(&mut exemptions);
    exemptions.apply(&mut report);
    let excused = report.findings.iter().filter(|own| own.state == State::Exempt);
    let mut excused: Vec<&str> = excused.map(|own| own.id.as_str()).collect();
    excused.sort_unstable();
    assert_eq!(excused, exempt);
    let codes = report.problems.iter().map(|own| own.code.as_str());
    let codes: Vec<&str> = codes.filter(|code| *code != "fixed-only").collect();
    assert_eq!(codes, told, "{:?}", report.problems);
    assert_eq!(report.findings.len(), count, "nothing is deleted");
    assert_eq!(report.counts.exempt as usize, exempt.len());
    report
}

const FIRST: &str = "CVE-2020-0001";
const SECOND: &str = "CVE-2020-0002";
const THIRD: &str = "CVE-2020-0003";

#[test]
fn ignore_files_narrow_by_flaw_package_path_and_target() {
    #[track_caller]
    fn check_entry(entry: &str, exempt: &[&str], told: &[&str]) {
        let text = format!("ignore:\n- {{{entry}, reason: r, owner: o}}\n");
        let add = |own: &mut Exemptions| own.add_ignore_file("i.yaml", &text).unwrap();
        check(add, exempt, told);
    }
    let open = ["exemption-open"];
    check_entry("id: CVE-2020-0001", &[FIRST], &open);
    check_entry("id: CVE-2020-0001, until: 2026-01-31", &[FIRST], &[]);
    check_entry("id: CVE-2020-*, package: django", &[FIRST, SECOND], &open);
    check_entry("package: \"pkg:pypi/django\"", &[FIRST, SECOND], &open);
    check_entry("package: glibc", &[THIRD], &open);
    check_entry("id: \"*\", package: django, path: /usr/local/*", &[FIRST, SECOND], &open);
    check_entry("id: CVE-2020-0001, path: opt/*, until: 2027-01-01", &[], &["exemption-unused"]);
    check_entry("id: CVE-2020-0001, resource: example.org/*", &[FIRST], &open);
    check_entry(
        "id: CVE-2020-0001, resource: other, until: 2027-01-01",
        &[],
        &["exemption-unused"],
    );
    check_entry("id: CVE-2020-0001, until: 2026-01-30", &[], &["exemption-expired"]);
}

#[test]
fn what_is_exempt_is_shown_if_asked_for_and_fails_nothing() {
    let text = "ignore:\n- {id: CVE-2020-*, reason: not reached, owner: team, until: 2027-01-01}\n";
    let add = |own: &mut Exemptions| own.add_ignore_file("i.yaml", text).unwrap();
    let report = check(add, &[FIRST, SECOND, THIRD], &[]);
    let fail_on: FailOn = "low".parse().unwrap();
    assert_eq!(exit_code(&report, Some(&fail_on), false), 0);
    let excuse = report.findings[0].exemption.as_ref().unwrap();
    assert_eq!((excuse.id.as_str(), excuse.category.as_str()), ("i.yaml:2", "risk_accepted"));
    let hidden = render_table(&report, &Display::default());
    assert!(!hidden.contains(FIRST) && hidden.contains("3 exempt"), "{hidden}");
    let shown = render_table(&report, &Display { show_exempt: true, ..Display::default() });
    assert!(shown.contains("high (exempt)"), "{shown}");
    assert!(shown.contains("exempt: not reached, by team, until 2027-01-01"), "{shown}");
}

#[test]
fn trivys_lists_are_read() {
    let add = |own: &mut Exemptions| {
        own.add_trivyignore(".trivyignore", "CVE-2020-0001\nCVE-2020-0003 exp:2026-01-31\nAVD-1\n")
            .unwrap()
    };
    check(add, &[FIRST], &["exemption-expired", "exemption-unused"]);
    assert!(Exemptions::new(NOW).add_trivyignore(".trivyignore", "CVE-1 exp:x").is_err());
}

#[test]
fn the_hubs_exemptions_hold_by_rule_package_and_image() {
    #[track_caller]
    fn check_target(target: serde_json::Value, exempt: &[&str]) {
        let stored: exemption::Exemption = serde_json::from_value(json!({
            "id": "01890a5d-ac96-774b-bcce-b302099a8057", "scope": ScopePath::root(), "target": target,
            "category": "mitigated", "reason": "r", "owner": "o", "state": "granted", "expires": NOW + 1, "source": "ui",
            "matches": 0, "last_match": null, "created": 0, "revision": 1}))
        .unwrap();
        let report = check(|own| own.add_hub(std::slice::from_ref(&stored)), exempt, &[]);
        let excuse = report.findings.iter().find_map(|own| own.exemption.as_ref());
        assert!(
            excuse.is_none_or(|own| own.category == "mitigated" && own.expires == Some(NOW + 1))
        );
    }
    let target = |rule: &str, package: Option<&str>, resource: Option<&str>| json!({"rule": rule, "namespace": null, "resource": resource, "package": package, "path": null});
    check_target(target(FIRST, None, None), &[FIRST]);
    check_target(target("CVE-2020-*", Some("django"), None), &[FIRST, SECOND]);
    check_target(target("CVE-2020-*", Some("pkg:pypi/django@3.2.1"), None), &[FIRST, SECOND]);
    check_target(target(FIRST, None, Some("example.org/app:1")), &[FIRST]);
    check_target(target(FIRST, None, Some("example.org/other")), &[]);
    check_target(target("SW-C-0001", None, None), &[]);
    check_target(
        json!({"rule": FIRST, "namespace": "shop", "resource": null, "package": null, "path": null}),
        &[],
    );
}

#[test]
fn vex_excuses_what_is_not_affected_or_fixed() {
    #[track_caller]
    fn check_statement(
        status: &str,
        products: serde_json::Value,
        exempt: &[&str],
        told: &[&str],
    ) -> Report {
        let vex = json!({"@context": "https://openvex.dev/ns/v0.2.0", "author": "vendor", "timestamp": "2026-01-01T00:00:00Z",
            "statements": [{"vulnerability": {"name": FIRST}, "products": products, "status": status,
                "justification": "vulnerable_code_not_present", "impact_statement": "it is patched"}]});
        check(|own| own.add_vex("v.json", vex.to_string().as_bytes()).unwrap(), exempt, told)
    }
    let django = json!([{"@id": "pkg:pypi/django@3.2.1"}]);
    let report = check_statement("not_affected", django.clone(), &[FIRST], &[]);
    let excuse = report.findings[0].exemption.clone().unwrap();
    assert_eq!(excuse.reason, "not_affected: vulnerable_code_not_present: it is patched");
    assert_eq!((excuse.by.as_deref(), excuse.category.as_str()), (Some("vendor"), "mitigated"));
    check_statement("fixed", json!(["pkg:pypi/django"]), &[FIRST], &[]);
    check_statement("affected", django.clone(), &[], &["vex-confirms"]);
    check_statement("under_investigation", django, &[], &["vex-confirms"]);
    check_statement("not_affected", json!(["pkg:pypi/django@3.2.2"]), &[], &[]);
    check_statement("not_affected", json!(["pkg:deb/debian/libc6"]), &[], &[]);
    check_statement("not_affected", json!([]), &[], &["vex-no-product"]);
    let of_image =
        |name: &str| json!([{"@id": name, "subcomponents": [{"@id": "pkg:pypi/django"}]}]);
    check_statement("not_affected", of_image("example.org/app:1"), &[FIRST], &[]);
    check_statement(
        "not_affected",
        of_image("pkg:oci/app?repository_url=example.org/app"),
        &[FIRST],
        &[],
    );
    check_statement("not_affected", of_image("pkg:oci/other"), &[], &[]);
    check_statement("not_affected", json!(["pkg:oci/app"]), &[FIRST], &[]);
}

#[test]
fn the_latest_statement_counts() {
    let vex = |date: &str, status: &str| {
        json!({"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": date,
            "statements": [{"vulnerability": FIRST, "products": ["pkg:pypi/django"], "status": status}]})
        .to_string()
    };
    let old = vex("2026-01-01T00:00:00Z", "not_affected");
    let new = vex("2026-01-02T00:00:00Z", "affected");
    for order in [[&old, &new], [&new, &old]] {
        let add = |own: &mut Exemptions| {
            for document in order {
                own.add_vex("v.json", document.as_bytes()).unwrap();
            }
        };
        check(add, &[], &["vex-confirms"]);
    }
}

#[test]
fn csaf_and_cyclonedx_are_vex_too() {
    let csaf = json!({"document": {"category": "csaf_vex", "publisher": {"name": "vendor"}, "tracking": {"current_release_date": "2026-01-01T00:00:00Z"}},
        "product_tree": {
            "branches": [{"branches": [{"product": {"product_id": "D", "product_identification_helper": {"purl": "pkg:pypi/django@3.2.1"}}}]}],
            "full_product_names": [{"product_id": "A", "product_identification_helper": {"purl": "pkg:oci/app"}},
                {"product_id": "C", "product_identification_helper": {"cpe": "cpe:/a:x"}},
                {"product_id": "L", "product_identification_helper": {"purl": "pkg:deb/debian/libc6"}}],
            "relationships": [
                {"product_reference": "L", "relates_to_product_reference": "A", "full_product_name": {"product_id": "A:L"}},
                {"product_reference": "L", "relates_to_product_reference": "C", "full_product_name": {"product_id": "C:L"}}]},
        "vulnerabilities": [
            {"cve": FIRST, "product_status": {"known_not_affected": ["D"]}, "flags": [{"label": "component_not_present", "product_ids": ["D"]}]},
            {"cve": SECOND, "product_status": {"known_not_affected": ["C:L"]}},
            {"cve": THIRD, "product_status": {"fixed": ["A:L"]}}]});
    let report = check(
        |own| own.add_vex("c.json", csaf.to_string().as_bytes()).unwrap(),
        &[FIRST, THIRD],
        &[],
    );
    assert_eq!(
        report.findings[0].exemption.as_ref().unwrap().reason,
        "not_affected: component_not_present"
    );
    let cyclonedx = json!({"bomFormat": "CycloneDX", "specVersion": "1.4",
        "components": [{"bom-ref": "d", "purl": "pkg:pypi/django@3.2.1"}],
        "vulnerabilities": [
            {"id": FIRST, "analysis": {"state": "not_affected", "justification": "code_not_reachable"}, "affects": [{"ref": "urn:cdx:x/1#d"}]},
            {"id": SECOND, "affects": [{"ref": "d"}]},
            {"id": THIRD, "analysis": {"state": "exploitable"}, "affects": [{"ref": "pkg:deb/debian/libc6"}]}]});
    check(
        |own| own.add_vex("c.json", cyclonedx.to_string().as_bytes()).unwrap(),
        &[FIRST],
        &["vex-confirms"],
    );
}

#[test]
fn an_invalid_document_is_refused_whole() {
    for text in [
        "",
        "{}",
        "[]",
        r#"{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{"vulnerability": "CVE-1", "products": ["a"], "status": "fine"}]}"#,
        r#"{"document": {}, "vulnerabilities": 1}"#,
        r#"{"bomFormat": "CycloneDX", "vulnerabilities": [{"analysis": {"state": "fine"}}]}"#,
    ] {
        let error = Exemptions::new(NOW).add_vex("v.json", text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("v.json"), "{text}: {error}");
    }
}

#[test]
fn what_an_earlier_report_has_is_left_out() {
    let earlier = Report::new(inventory(), &index());
    let mut now = earlier.clone();
    now.subtract(&earlier);
    assert_eq!((now.findings.len(), now.counts.in_baseline, now.counts.findings.high), (0, 3, 0));
    let mut fewer = earlier.clone();
    fewer.findings.retain(|own| own.id != FIRST);
    let mut now = earlier.clone();
    now.subtract(&fewer);
    assert_eq!((now.findings.len(), now.counts.findings.high), (1, 1));
    // An update that does not heal is known; the same package at another place is not.
    let mut moved = earlier.clone();
    moved.findings.iter_mut().for_each(|own| own.package.version = "0".into());
    let mut now = earlier.clone();
    now.subtract(&moved);
    assert_eq!(now.findings.len(), 0);
    moved.findings[0].package.locations = vec!["elsewhere".into()];
    let mut now = earlier.clone();
    now.subtract(&moved);
    assert_eq!(now.findings.len(), 1);
    // What was excused then and holds now is new.
    let mut excused = earlier.clone();
    excused.findings.iter_mut().for_each(|own| own.state = State::Exempt);
    let mut now = earlier.clone();
    now.subtract(&excused);
    assert_eq!(now.findings.len(), 3);
}

#[test]
fn severities_of_others_are_unknown() {
    let mut report = Report::new(inventory(), &index());
    report.trust_severities_of(&["osv".to_owned()]);
    assert_eq!(report.counts.findings.high, 1);
    report.trust_severities_of(&["nvd".to_owned()]);
    assert_eq!((report.counts.findings.high, report.counts.findings.unknown), (0, 3));
}
