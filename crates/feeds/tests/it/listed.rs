//! Documents that a publisher's lists name, and bodies that are cut.
use crate::samples::{on, rpm};
use crate::served::{Answer, run, serve};
use seawall_feeds::{BuildReport, open};
use seawall_model::package::Ecosystem;
use seawall_vuln::match_inventory;
use std::path::Path;
use tempfile::TempDir;

/// A document of one flaw of `bash` in RHEL 9.
pub(crate) fn document(cve: &str, fix: &str) -> String {
    format!(
        r#"{{"document":{{"tracking":{{"id":"{cve}","current_release_date":"2025-02-10T00:00:00+00:00"}}}},
        "product_tree":{{"branches":[
        {{"product":{{"product_id":"BaseOS","product_identification_helper":{{"cpe":"cpe:/o:redhat:enterprise_linux:9::baseos"}}}}}},
        {{"product":{{"product_id":"bash","product_identification_helper":{{"purl":"pkg:rpm/redhat/bash@{fix}?arch=x86_64"}}}}}}],
        "relationships":[{{"full_product_name":{{"product_id":"BaseOS:bash"}},"product_reference":"bash","relates_to_product_reference":"BaseOS"}}]}},
        "vulnerabilities":[{{"cve":"{cve}","product_status":{{"fixed":["BaseOS:bash"]}}}}]}}"#
    )
}

pub(crate) fn archive(documents: &[(&str, String)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in documents {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    zstd::encode_all(builder.into_inner().unwrap().as_slice(), 1).unwrap()
}

#[track_caller]
fn check(out: &Path, report: &BuildReport, expected: &[&str]) {
    assert!(!report.failed(), "{:?}", report.problems);
    let bash = on("rhel", "9.5", rpm(Ecosystem::RedHat, "bash", "5.1-1.el9", "x86_64"));
    let found = match_inventory(&bash, &open(out).unwrap());
    let told = |own: &seawall_model::finding::VulnFinding| {
        format!("{} {}", own.id, own.fix.versions[0].version)
    };
    assert_eq!(found.findings.iter().map(told).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn an_archive_and_what_changed_since_are_one_feed() {
    let (root, served) = serve().await;
    let out = TempDir::new().unwrap();
    let put = |path: &str, answer| {
        served.lock().unwrap().files.insert(format!("redhat-vex/csaf/v2/vex/{path}"), answer)
    };
    let log = || std::mem::take(&mut served.lock().unwrap().log);
    let text = |text: &str| Answer::Body(text.as_bytes().to_vec());
    let whole = archive(&[
        ("2024/cve-2024-0001.json", document("CVE-2024-0001", "5.1-2.el9")),
        ("2024/cve-2024-0002.json", document("CVE-2024-0002", "5.1-2.el9")),
        ("2024/cve-2024-0003.json", document("CVE-2024-0003", "5.1-2.el9")),
    ]);
    put("archive_latest.txt", text("csaf_vex_2025-02-15.tar.zst"));
    put("csaf_vex_2025-02-15.tar.zst", Answer::Cut(whole.clone(), whole.len().div_ceil(3)));
    put(
        "changes.csv",
        text(
            "\"2024/cve-2024-0002.json\",\"2025-02-15T10:00:00+00:00\"\n\"2024/cve-2024-0001.json\",\"2025-02-14T10:00:00+00:00\"\n",
        ),
    );
    put("deletions.csv", text("\"2024/cve-2024-0003.json\",\"2025-02-16T00:00:00+00:00\"\n"));
    let changed = document("CVE-2024-0002", "5.1-3.el9");
    put("2024/cve-2024-0002.json", Answer::Body(changed.into_bytes()));
    let report = run(&root, out.path()).await;
    check(out.path(), &report, &["CVE-2024-0001 0:5.1-2.el9", "CVE-2024-0002 0:5.1-3.el9"]);
    let parts = log().into_iter().filter(|(path, _)| path.ends_with(".zst"));
    assert_eq!(parts.map(|(_, status)| status).collect::<Vec<_>>(), [200, 206, 206]);

    let report = run(&root, out.path()).await;
    check(out.path(), &report, &["CVE-2024-0001 0:5.1-2.el9", "CVE-2024-0002 0:5.1-3.el9"]);
    let again = log().into_iter().filter(|(path, _)| path.contains("cve-2024")).count();
    assert_eq!(again, 0, "a change is taken once");

    // The next day's archive has it all.
    let newer = archive(&[("2024/cve-2024-0001.json", document("CVE-2024-0001", "5.1-4.el9"))]);
    put("archive_latest.txt", text("csaf_vex_2025-02-17.tar.zst"));
    put("csaf_vex_2025-02-17.tar.zst", Answer::Body(newer));
    let report = run(&root, out.path()).await;
    check(out.path(), &report, &["CVE-2024-0001 0:5.1-4.el9"]);
    let folder = out.path().join("downloads/redhat-vex/csaf/v2/vex");
    assert!(!folder.join("csaf_vex_2025-02-15.tar.zst").exists());
    assert!(!folder.join("2024/cve-2024-0002.json").exists());
}

#[tokio::test]
async fn a_list_that_leads_elsewhere_is_refused() {
    let (root, served) = serve().await;
    let out = TempDir::new().unwrap();
    let path = "redhat-vex/csaf/v2/vex/archive_latest.txt".to_owned();
    served.lock().unwrap().files.insert(path, Answer::Body(b"../../x.tar".to_vec()));
    let report = run(&root, out.path()).await;
    let failed = report.problems.iter().find(|problem| problem.code == "download-failed").unwrap();
    assert!(failed.message.ends_with("archive_latest.txt names no archive"), "{failed}");
}
