//! CISA's catalogue: no more entries than its text could hold.
use super::texts;
use crate::Target;
use seawall_feeds::parse_kev_for_fuzzing;

pub(crate) const TARGET: Target = Target { name: "feeds-kev", run, seeds, rounds: 10_000 };

fn run(bytes: &[u8]) {
    let kept = parse_kev_for_fuzzing(&String::from_utf8_lossy(bytes));
    assert!(kept <= bytes.len() / "CVE-".len());
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"title":"t","catalogVersion":"2024.01.01","vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10"},{"cveID":"CVE-2024-0001","dateAdded":"2024-02-29"},{"cveID":1}]}"#,
    ])
}
