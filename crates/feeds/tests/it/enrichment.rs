//! What is known beside advisories: real scores, ratings and ends of life, in the findings they belong to.
use crate::damaged::archive;
use crate::folders::{SAMPLES, counted, rebuilt, together, whole};
use crate::inventory::{inventory, package};
use crate::samples::on;
use seawall_feeds::open;
use seawall_model::Severity;
use seawall_model::finding::VulnFinding;
use seawall_model::package::Ecosystem;
use seawall_model::problem::ProblemKind;
use std::path::Path;
use tempfile::TempDir;

#[test]
fn real_scores_are_read() {
    let Some(index) = whole("epss") else { return };
    assert_eq!(counted(&index.report), ["epss_scores-sample.csv 5 5 |  | "]);
    let epss = index.index.enrichment().epss.as_ref().unwrap();
    let own = epss.of("CVE-1999-0005").unwrap();
    // 2025-02-20
    assert_eq!((own.score, own.percentile, own.as_of), (0.91963, 0.99214, 1_740_009_600_000));
    assert_eq!(epss.of("CVE-1999-0006"), None);
    let info = index.index.info();
    assert_eq!(info.enrichment[0].name, "epss");
    assert!(info.feeds.iter().any(|feed| feed.key == "epss"), "`--fail-on epss=` asks for it");
}

#[test]
fn real_ratings_are_read() {
    let Some(index) = whole("nvd") else { return };
    assert_eq!(counted(&index.report), ["page.json 38 38 |  | "]);
    let nvd = index.index.enrichment().nvd.as_ref().unwrap();
    let own = nvd.of("CVE-2023-27314", &mut Default::default()).unwrap().unwrap();
    assert_eq!(own.vector.as_deref(), Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"));
    assert!(own.title.unwrap().starts_with("ONTAP 9 versions prior to 9.8P19"));
    // NVD's 8.8, not the 5.4 of the CVE's author.
    let own = nvd.of("CVE-2023-45109", &mut Default::default()).unwrap().unwrap();
    assert_eq!(own.vector.as_deref(), Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"));
}

fn record(id: &str, cve: &str, severity: &str) -> String {
    format!(
        r#"{{"id":"{id}","aliases":["{cve}"],"modified":"2024-01-02T00:00:00Z"{severity},"affected":[{{"package":{{"ecosystem":"PyPI","name":"demo"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"2.0"}}]}}]}}]}}"#
    )
}

fn page(cve: &str) -> String {
    format!(
        r#"{{"vulnerabilities":[{{"cve":{{"id":"{cve}","descriptions":[{{"lang":"en","value":"As NVD calls it."}}],
        "metrics":{{"cvssMetricV31":[{{"type":"Primary","cvssData":{{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}}}]}}}}}}]}}"#
    )
}

const SCORES: &str = "#model_version:v1,score_date:2025-02-20T00:00:00+0000\ncve,epss,percentile\n\
    CVE-2024-0001,0.10000,0.50000\nCVE-2024-0002,0.90000,0.99000\nCVE-2024-0003,0.30000,0.80000\n";

fn found(files: &[(&str, &[u8])]) -> Vec<VulnFinding> {
    let index = together(files);
    index.report(&inventory(None, vec![package(Ecosystem::PyPI, "demo", "1.0")])).findings
}

#[test]
fn nvd_rates_where_nobody_nearer_does_and_finds_nothing() {
    let word = r#","database_specific":{"severity":"LOW"}"#;
    for (severity, level, source) in [("", Severity::Critical, "nvd"), (word, Severity::Low, "osv")]
    {
        let zip = archive(&[record("PYSEC-1", "CVE-2024-0001", severity)]);
        let page = page("CVE-2024-0001");
        let found = found(&[("osv/PyPI/all.zip", &zip), ("nvd/page.json", page.as_bytes())]);
        let own = &found[0].severity;
        assert_eq!((own.level, own.source.as_deref()), (level, Some(source)));
        assert_eq!(found[0].title.as_deref(), Some("As NVD calls it."));
        assert_eq!(found.len(), 1);
    }
    let zip = archive(&[record("PYSEC-1", "CVE-2024-0001", "")]);
    let page = page("CVE-2024-0009");
    let found = found(&[("osv/PyPI/all.zip", &zip), ("nvd/page.json", page.as_bytes())]);
    assert_eq!(found.len(), 1, "a CVE that only NVD knows finds nothing");
    assert_eq!(
        (found[0].severity.level, found[0].severity.source.as_deref()),
        (Severity::Unknown, None)
    );
}

#[test]
fn findings_stand_by_exploitation_severity_and_prediction() {
    let low = r#","database_specific":{"severity":"LOW"}"#;
    let high = r#","database_specific":{"severity":"HIGH"}"#;
    let zip = archive(&[
        record("PYSEC-1", "CVE-2024-0001", low),
        record("PYSEC-2", "CVE-2024-0002", low),
        record("PYSEC-3", "CVE-2024-0003", low),
        record("PYSEC-4", "CVE-2024-0004", high),
        record("PYSEC-5", "CVE-2024-0005", low),
    ]);
    let kev = r#"{"vulnerabilities":[{"cveID":"CVE-2024-0005","dateAdded":"2024-05-06"}]}"#;
    let found = found(&[
        ("osv/PyPI/all.zip", &zip),
        ("epss/epss_scores-2025-02-20.csv", SCORES.as_bytes()),
        ("cisa-kev/known_exploited_vulnerabilities.json", kev.as_bytes()),
    ]);
    let ids: Vec<&str> =
        found.iter().map(|own| own.id.trim_start_matches("CVE-2024-000")).collect();
    assert_eq!(ids, ["5", "4", "2", "3", "1"]);
    assert_eq!(found[2].epss.as_ref().map(|own| own.score), Some(0.9));
    assert_eq!(found[0].epss, None);
}

#[test]
fn a_release_past_its_end_is_told() {
    let Some(index) = whole("endoflife") else { return };
    assert_eq!(counted(&index.report), ["response.json 2 2 |  | "]);
    let told = |id: &str, release: &str| {
        let report = index.report(&on(id, release, package(Ecosystem::Ubuntu, "bash", "5-1")));
        let own = report.problems.into_iter().find(|own| own.code == "end-of-life")?;
        assert_eq!(own.kind, ProblemKind::Note);
        Some(own.message)
    };
    let message = told("ubuntu", "18.04").unwrap();
    assert!(
        message.starts_with("ubuntu 18.04 is past its end of life since 2023-04-26"),
        "{message}"
    );
    assert_eq!(told("ubuntu", "24.04"), None);
    assert_eq!(told("ubuntu", "99.04"), None);
    assert_eq!(told("debian", "18.04"), None);
}

#[test]
fn damaged_lists_leave_the_old_ones() {
    let dir = TempDir::new().unwrap();
    let page = page("CVE-2024-0001");
    let ends = br#"{"result":[{"name":"ubuntu","releases":[{"name":"18.04","isEol":true}]}]}"#;
    let lists: [(&str, &[u8]); 3] = [
        ("epss/epss_scores-2025-02-20.csv", SCORES.as_bytes()),
        ("nvd/page.json", page.as_bytes()),
        ("endoflife/full", ends),
    ];
    assert!(!rebuilt(dir.path(), &lists).failed());
    for (path, whole) in lists {
        for bytes in [&whole[..whole.len() - 2], &whole[..whole.len() / 2], b"", b"<html></html>"] {
            let report = rebuilt(dir.path(), &[(path, bytes)]);
            assert!(report.failed(), "{path}");
            let index = open(&dir.path().join("index")).unwrap();
            let own = index.enrichment();
            assert!(own.epss.as_ref().unwrap().of("CVE-2024-0002").is_some());
            let rated = own.nvd.as_ref().unwrap().of("CVE-2024-0001", &mut Default::default());
            assert!(rated.unwrap().is_some());
            assert!(own.endoflife.as_ref().unwrap().of("ubuntu", "18.04").unwrap().over);
        }
        rebuilt(dir.path(), &[(path, whole)]);
    }
    for file in ["epss.seg", "nvd.seg", "endoflife.seg"] {
        let path = dir.path().join("index").join(file);
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        std::fs::write(&path, flipped).unwrap();
        assert!(open(&dir.path().join("index")).is_err(), "{file}");
        std::fs::write(&path, whole).unwrap();
    }
}

#[test]
fn packed_scores_are_read() {
    let Ok(text) = std::fs::read(Path::new(SAMPLES).join("epss/epss_scores-sample.csv")) else {
        return println!("skipped: no real records at {SAMPLES}");
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &text).unwrap();
    let packed = packed.finish().unwrap();
    let index = together(&[("epss/epss_scores-current.csv.gz", &packed)]);
    assert_eq!(index.index.enrichment().epss.as_ref().unwrap().meta().entries, 5);
}
