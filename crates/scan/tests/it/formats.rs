//! Every form of a report: the shape that others read, and that nobody's names break it.
use crate::report::{index, inventory};
use seawall_model::package::Inventory;
use seawall_scan::{Display, Form, Report, render};
use serde_json::{Value, json};

/// 2026-01-31T00:00:00Z.
const MADE: i64 = 1_769_817_600_000;

const ALL: [Form; 11] = [
    Form::Table,
    Form::Json,
    Form::Sarif,
    Form::Junit,
    Form::Gitlab,
    Form::Markdown,
    Form::CycloneDx,
    Form::Spdx,
    Form::Csv,
    Form::Html,
    Form::OpenVex,
];

fn text(inventory: Inventory, form: Form) -> String {
    render(&Report::new(inventory, &index()), form, &Display::default(), MADE).unwrap()
}

fn json_of(form: Form) -> Value {
    serde_json::from_str(&text(inventory(), form)).unwrap()
}

#[test]
fn the_same_scan_gives_the_same_text() {
    for form in ALL {
        let first = text(inventory(), form);
        assert!(first.ends_with('\n'), "{form:?}");
        assert_eq!(first, text(inventory(), form), "{form:?}");
    }
}

#[test]
fn no_name_steers_a_terminal_in_any_form() {
    for form in ALL {
        let mut inventory = inventory();
        inventory.packages[1].locations = vec!["a\u{1b}[2J\u{9b}\u{202e}<b>|`=\"',b\u{7f}".into()];
        inventory.packages[1].version = "3.2.1\u{1b}]0;x\u{7}".into();
        inventory.distro.as_mut().unwrap().name = Some("Debian\u{1b}[31m\r\n<script>".into());
        let text = text(inventory, form);
        let hostile = |c: char| c.is_control() && !"\n\r".contains(c) || c == '\u{202e}';
        assert!(!text.contains(hostile), "{form:?}: {text}");
        let markup = matches!(form, Form::Html | Form::Junit | Form::Markdown);
        assert!(!markup || !text.contains("<b>|") && !text.contains("<script>"), "{form:?}");
        assert_eq!(text.contains('\r'), form == Form::Csv, "{form:?}");
    }
}

#[test]
fn sarif_has_rules_results_and_fingerprints_that_stay() {
    let log = json_of(Form::Sarif);
    let run = &log["runs"][0];
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!((&log["version"], &rule["id"]), (&json!("2.1.0"), &json!("CVE-2020-0001")));
    assert_eq!(rule["properties"]["security-severity"], "7.0");
    assert_eq!(rule["helpUri"], "https://nvd.nist.gov/vuln/detail/CVE-2020-0001");
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "CVE-2020-0001");
    assert_eq!(
        run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize],
        *rule
    );
    let place = &result["locations"][0]["physicalLocation"];
    let path = "usr/local/lib/python3.9/site-packages/Django-3.2.1.dist-info/METADATA";
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&json!(path), &json!(1))
    );
    // An update that does not heal leaves the alert the same.
    let mut updated = inventory();
    let django = updated.packages.iter_mut().find(|own| own.name == "django").unwrap();
    django.version = "3.2.3".into();
    django.purl = "pkg:pypi/django@3.2.3".into();
    let updated: Value = serde_json::from_str(&text(updated, Form::Sarif)).unwrap();
    let print = |log: &Value| log["runs"][0]["results"][0]["partialFingerprints"].clone();
    assert_eq!(print(&updated), print(&log));
    assert!(print(&log)["seawallFlaw/v1"].as_str().unwrap().ends_with(":1"));
}

#[test]
fn junit_fails_flaws_and_errs_where_something_was_left_out() {
    let junit = text(inventory(), Form::Junit);
    for part in [
        "<testsuite id=\"0\" package=\"vulnerabilities\" name=\"coverage\" hostname=\"localhost\" timestamp=\"1970-01-01T00:00:00\" tests=\"1\" failures=\"0\" errors=\"0\"",
        "name=\"django 3.2.1\"",
        "<testcase classname=\"pkg:pypi/django@3.2.1\" name=\"CVE-2020-0001\" time=\"0\">",
        "<failure type=\"high\" message=\"A flaw\\u{1b}[31m. Update django to 3.2.4.\">",
    ] {
        assert!(junit.contains(part), "{part}: {junit}");
    }
    let mut incomplete = inventory();
    incomplete.problems.push(seawall_model::Problem::gap("lost", "a <layer>"));
    let junit = text(incomplete, Form::Junit);
    assert!(junit.contains("<error type=\"incomplete\" message=\"something was left out\">gap[lost]: a &lt;layer&gt;</error>"), "{junit}");
}

#[test]
fn gitlab_gets_what_its_schema_demands() {
    let report = json_of(Form::Gitlab);
    assert_eq!(report["version"], "15.0.7");
    assert_eq!(report["scan"]["type"], "container_scanning");
    assert_eq!(report["scan"]["start_time"], "2026-01-31T00:00:00");
    let found = &report["vulnerabilities"][0];
    assert_eq!(found["id"].as_str().unwrap().len(), 36);
    assert_eq!(found["severity"], "High");
    assert_eq!(found["solution"], "Update django to 3.2.4.");
    assert_eq!(
        found["identifiers"],
        json!([{"type": "cve", "name": "CVE-2020-0001", "value": "CVE-2020-0001",
            "url": "https://nvd.nist.gov/vuln/detail/CVE-2020-0001"}])
    );
    assert_eq!(
        found["location"],
        json!({"dependency": {"package": {"name": "django"}, "version": "3.2.1"},
            "operating_system": "debian 11", "image": "example.org/app:1"})
    );
    let mut tree = inventory();
    tree.target = seawall_model::package::Target::Directory { path: "/srv".into() };
    let report: Value = serde_json::from_str(&text(tree, Form::Gitlab)).unwrap();
    assert_eq!(report["scan"]["type"], "dependency_scanning");
    assert_eq!(report["dependency_files"].as_array().unwrap().len(), 2);
    assert!(
        report["vulnerabilities"][0]["location"]["file"].as_str().unwrap().ends_with("METADATA")
    );
}

#[test]
fn cyclonedx_names_components_and_flaws() {
    let bom = json_of(Form::CycloneDx);
    assert_eq!((&bom["bomFormat"], &bom["specVersion"]), (&json!("CycloneDX"), &json!("1.6")));
    assert_eq!(bom["metadata"]["component"]["type"], "container");
    let refs: Vec<&str> = bom["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["bom-ref"].as_str().unwrap())
        .collect();
    let libc = "pkg:deb/debian/libc6@2.31-13%2Bdeb11u3?arch=amd64&distro=debian-11";
    assert_eq!(refs, ["operating-system", libc, "pkg:pypi/django@3.2.1"]);
    assert_eq!(bom["dependencies"][0]["dependsOn"], json!(refs));
    assert_eq!(bom["compositions"], json!([{"aggregate": "complete"}]));
    let flaw =
        bom["vulnerabilities"].as_array().unwrap().iter().find(|own| own["id"] == "CVE-2020-0003");
    let flaw = flaw.unwrap();
    assert_eq!(flaw["affects"][0]["ref"], libc);
    assert_eq!(flaw["ratings"][0], json!({"severity": "medium", "source": {"name": "osv"}}));
    assert_eq!(flaw["recommendation"], "Update libc6 to 2.31-13+deb11u4.");
    assert!(flaw.get("analysis").is_none(), "nobody has judged it yet");
}

#[test]
fn spdx_describes_contains_and_refers() {
    let document = json_of(Form::Spdx);
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    assert_eq!(document["creationInfo"]["created"], "2026-01-31T00:00:00Z");
    let relations: Vec<String> = document["relationships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| {
            format!(
                "{} {}",
                own["relationshipType"].as_str().unwrap(),
                own["relatedSpdxElement"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        relations,
        [
            "DESCRIBES SPDXRef-Target",
            "CONTAINS SPDXRef-OperatingSystem",
            "CONTAINS SPDXRef-Package-1",
            "CONTAINS SPDXRef-Package-2"
        ]
    );
    let libc = &document["packages"][2];
    assert_eq!(
        (&libc["name"], &libc["sourceInfo"]),
        (&json!("libc6"), &json!("built package from: glibc 2.31-13+deb11u3"))
    );
    assert_eq!(libc["externalRefs"][1]["referenceCategory"], "SECURITY");
}

#[test]
fn csv_guards_against_formulas() {
    let mut inventory = inventory();
    let django = inventory.packages.iter_mut().find(|own| own.name == "django").unwrap();
    django.locations = vec!["=cmd|' /C calc'!A0".into(), "b,\"c\"".into()];
    let csv = text(inventory, Form::Csv);
    let mut lines = csv.split("\r\n");
    let columns = lines.next().unwrap().split(',').count();
    assert_eq!(columns, 21);
    assert!(csv.contains("\"'=cmd|' /C calc'!A0 b,\"\"c\"\"\""), "{csv}");
    assert_eq!(csv.matches("\r\n").count(), 4);
}

#[test]
fn people_see_what_to_update_first() {
    for form in [Form::Table, Form::Markdown, Form::Html] {
        let text = text(inventory(), form);
        let at = text.find("pdates that remove most").unwrap_or_else(|| panic!("{form:?}: {text}"));
        let rest = &text[at..];
        assert!(rest.contains("django 3.2.1 to 3.2.4: 2 findings"), "{form:?}: {rest}");
        assert!(
            rest.contains("glibc 2.31-13+deb11u3 to 2.31-13+deb11u4: 1 finding"),
            "{form:?}: {rest}"
        );
    }
    let table = text(inventory(), Form::Table);
    assert!(table.ends_with("2.31-13+deb11u4: 1 finding\n"), "it ends the summary: {table}");
}

#[test]
fn html_loads_nothing() {
    let page = text(inventory(), Form::Html);
    assert!(page.contains("default-src 'none'"));
    for outside in ["<script", "src=", "<link", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn openvex_states_what_was_found() {
    let vex = json_of(Form::OpenVex);
    assert_eq!(vex["@context"], "https://openvex.dev/ns/v0.2.0");
    let statements = vex["statements"].as_array().unwrap();
    let statement = statements.iter().find(|own| own["vulnerability"]["name"] == "CVE-2020-0003");
    let statement = statement.unwrap();
    assert_eq!(
        (&statement["vulnerability"]["name"], &statement["status"]),
        (&json!("CVE-2020-0003"), &json!("affected"))
    );
    assert!(statement["action_statement"].as_str().unwrap().starts_with("Update libc6"));
    // A docker archive has no digest of a manifest: the packages themselves are the products.
    assert!(statement["products"][0]["@id"].as_str().unwrap().starts_with("pkg:deb/debian/libc6@"));
}
