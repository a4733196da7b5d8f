//! VEX documents and trivy's ignore files: refused whole with the file's name, or what they excuse stays a finding.
use super::texts;
use crate::Target;
use seawall_model::finding::{State, VulnFinding};
use seawall_model::package::{Inventory, Target as Scanned};
use seawall_scan::{Exemptions, Report};
use seawall_vuln::IndexSet;
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target { name: "scan-vex", run, seeds, rounds: 3_000 };

static REPORT: LazyLock<Report> = LazyLock::new(|| {
    let inventory = Inventory {
        target: Scanned::Directory { path: "a".into() },
        distro: None,
        platform: None,
        layers: Vec::new(),
        packages: Vec::new(),
        repositories: Vec::new(),
        problems: Vec::new(),
        extractor_version: 0,
    };
    let mut report = Report::new(inventory, &IndexSet::new(Vec::new(), None, []));
    report.findings.push(finding());
    report
});

fn finding() -> VulnFinding {
    let json = r#"{"id":"CVE-2024-0001","aliases":[],"state":"unhealthy","title":null,"package":{"purl":"pkg:pypi/demo@1","name":"demo","version":"1","origin":null,"locations":["x"],"owner":null,"layer":null},"fix":{"status":"none","versions":[]},"disclosed_by":"osv","fixed_by":null,"severity":{"level":"high","source":null,"score":null,"vector":null},"epss":null,"kev":null,"match":{"feed":"osv","record":"r","segment":"PyPI","rule":"pypi-range","scheme":"pypi","compared":[],"qualifiers":[]},"references":[],"exemption":null}"#;
    serde_json::from_str(json).expect("it is a finding")
}

fn run(bytes: &[u8]) {
    let mut exemptions = Exemptions::new(0);
    if let Err(invalid) = exemptions.add_vex("v.json", bytes) {
        assert!(invalid.problems.iter().all(|problem| problem.file.is_some()), "{invalid}");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        for file in [".trivyignore", ".trivyignore.yaml"] {
            if let Err(invalid) = exemptions.add_trivyignore(file, text) {
                assert!(invalid.problems.iter().all(|problem| problem.file.is_some()), "{invalid}");
            }
        }
    }
    let mut report = REPORT.clone();
    exemptions.apply(&mut report);
    assert_eq!(report.findings.len(), 1, "nothing is deleted");
    let finding = &report.findings[0];
    assert_eq!(finding.state == State::Exempt, finding.exemption.is_some(), "{finding:?}");
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","author":"a","timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":{"name":"CVE-2024-0001","aliases":["X-1"]},"products":[{"@id":"a","subcomponents":[{"@id":"pkg:pypi/demo"}]},"pkg:pypi/demo@1"],"status":"not_affected","justification":"component_not_present"}]}"#,
        r#"{"document":{"publisher":{"name":"a"},"tracking":{"current_release_date":"2026-01-01T00:00:00Z"}},"product_tree":{"branches":[{"branches":[{"product":{"product_id":"P","product_identification_helper":{"purl":"pkg:pypi/demo"}}}]}],"relationships":[{"product_reference":"P","relates_to_product_reference":"P","full_product_name":{"product_id":"Q"}}]},"vulnerabilities":[{"cve":"CVE-2024-0001","product_status":{"fixed":["P","Q"]},"flags":[{"label":"l","product_ids":["P"]}]}]}"#,
        r#"{"bomFormat":"CycloneDX","components":[{"bom-ref":"d","purl":"pkg:pypi/demo"}],"vulnerabilities":[{"id":"CVE-2024-0001","analysis":{"state":"false_positive"},"affects":[{"ref":"urn:cdx:a/1#d"}]}]}"#,
        "CVE-2024-0001 exp:2030-01-01\n# b\n",
        "vulnerabilities:\n- {id: CVE-2024-0001, paths: [\"x\"], purls: [\"pkg:pypi/demo\"], expired_at: 2030-01-01, statement: s}\n",
    ])
}
