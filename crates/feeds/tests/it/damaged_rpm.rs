//! Damaged feeds of the rpm distros are refused, and what was built before stays.
use crate::listed::{archive, document};
use seawall_feeds::{BuildReport, FeedStatus, Roots, build, open, select};
use seawall_model::package::Ecosystem;
use std::path::Path;
use tempfile::TempDir;

fn put(dir: &Path, path: &str, bytes: &[u8]) {
    let path = dir.join("root").join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn builds(dir: &Path, key: &str) -> BuildReport {
    let roots = Roots::below(dir.join("root").to_str().unwrap()).unwrap();
    build(&roots, &select(&[key]).unwrap(), &dir.join("index")).unwrap()
}

/// After a build of `good`, each of `damaged` in its place is refused for its reason.
#[track_caller]
fn check(path: &str, segment: (Ecosystem, &str), good: &[u8], damaged: &[(&[u8], &str)]) {
    let dir = TempDir::new().unwrap();
    let (key, _) = path.split_once('/').unwrap();
    put(dir.path(), path, good);
    let report = builds(dir.path(), key);
    assert!(!report.failed(), "{:?}", report.problems);
    let digest = open(&dir.path().join("index")).unwrap().digest();
    for (bytes, reason) in damaged {
        put(dir.path(), path, bytes);
        let report = builds(dir.path(), key);
        let told: Vec<&str> = report.problems.iter().map(|own| own.message.as_str()).collect();
        assert!(
            report.failed() && told.iter().any(|own| own.contains(reason)),
            "{reason}: {told:?}"
        );
        assert_eq!(report.feeds[0].status, FeedStatus::Refused);
        let index = open(&dir.path().join("index")).unwrap();
        assert_eq!(index.digest(), digest, "{reason}: the old segment stays");
        assert!(index.segment(segment.0, Some(segment.1)).is_some());
    }
}

fn oval(definitions: usize, malformed: usize) -> String {
    let good = |number: usize| {
        format!(
            "<definition id='d{number}'><metadata><title>ELSA-2024-{number}: x</title></metadata><criteria>\
             <criterion test_ref='t' comment='Oracle Linux 8 is installed'/>\
             <criterion test_ref='t' comment='bash is earlier than 0:5.1-{number}.el8'/></criteria></definition>"
        )
    };
    let good: String = (0..definitions).map(good).collect();
    let bad = "<definition id=''/>".repeat(malformed);
    format!("<oval_definitions><definitions>{good}{bad}</definitions></oval_definitions>")
}

#[test]
fn documents_in_oval_are_whole_or_refused() {
    let whole = oval(20, 0);
    let other = "<oval_definitions><definitions/></oval_definitions>";
    let few = oval(150, 2);
    let deep = format!("<oval_definitions>{}", "<criteria>".repeat(100));
    check(
        "oracle-oval/com.oracle.elsa-all.xml",
        (Ecosystem::Oracle, "8"),
        whole.as_bytes(),
        &[
            (&whole.as_bytes()[..whole.len() / 2], "not well formed"),
            (
                &whole.as_bytes()[..whole.rfind("</definitions>").unwrap()],
                "it ends within <definitions>",
            ),
            (b"", "it holds no OVAL definitions"),
            (b"<html>not found</html>", "it holds no OVAL definitions"),
            (b"not xml", "it holds no OVAL definitions"),
            (b"<oval_definitions></html>", "not well formed"),
            (few.as_bytes(), "2 of its 152 records are malformed"),
            (other.as_bytes(), "none of its records is left"),
            (deep.as_bytes(), "more than 64 deep"),
            (&zstd::encode_all(whole.as_bytes(), 1).unwrap()[..40], "not well formed"),
        ],
    );
}

#[test]
fn archives_of_documents_are_whole_or_refused() {
    let documents = |count: usize| -> Vec<(String, String)> {
        let one = |number: usize| {
            let cve = format!("CVE-2024-{number:04}");
            (format!("2024/{}.json", cve.to_lowercase()), document(&cve, "5.1-2.el9"))
        };
        (1..=count).map(one).collect()
    };
    let packed = |documents: &[(String, String)]| {
        let own: Vec<_> =
            documents.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
        archive(&own)
    };
    let mut many = documents(150);
    many[7].1.truncate(30);
    many[8].1.truncate(30);
    let whole = packed(&documents(150));
    check(
        "redhat-vex/csaf/v2/vex/csaf_vex_2025-02-15.tar.zst",
        (Ecosystem::RedHat, "9"),
        &packed(&documents(3)),
        &[
            (&whole[..whole.len() / 2], "not a whole archive"),
            (b"<html>not found</html>", "not a whole archive"),
            (&packed(&many), "2 of its 150 records are malformed"),
            (&packed(&[]), "none of its records is left"),
            (b"", "none of its records is left"),
        ],
    );
    let good = document("CVE-2024-0001", "5.1-2.el9");
    check(
        "redhat-vex/csaf/v2/vex/2024/cve-2024-0001.json",
        (Ecosystem::RedHat, "9"),
        good.as_bytes(),
        &[(&good.as_bytes()[..60], "1 of its 1 records are malformed")],
    );
}

#[test]
fn records_of_alma_and_rocky_are_whole_or_refused() {
    let alma = |count: usize| {
        let one = |number: usize| {
            format!(
                r#"{{"updateinfo_id":"ALSA-{number}","pkglist":{{"packages":[{{"name":"a","version":"1","release":"1"}}]}}}}"#
            )
        };
        (0..count).map(one).collect::<Vec<_>>()
    };
    let list = |records: &[String]| format!("[{}]", records.join(","));
    let mut bad = alma(99);
    bad.extend(["{}".to_owned(), "{}".to_owned()]);
    let whole = list(&alma(3));
    check(
        "alma-errata/9/errata.json",
        (Ecosystem::AlmaLinux, "9"),
        whole.as_bytes(),
        &[
            (&whole.as_bytes()[..30], "not readable"),
            (list(&bad).as_bytes(), "2 of its 101 records are malformed"),
            (b"[]", "none of its records is left"),
        ],
    );
    let rocky = crate::damaged::record("RLSA-2024:1", "Rocky Linux:9", "bash", "0:5.1-2.el9");
    check(
        "rocky/RLSA-2024_1.json",
        (Ecosystem::Rocky, "9"),
        rocky.as_bytes(),
        &[(&rocky.as_bytes()[..30], "1 of its 1 records are malformed")],
    );
}

#[test]
fn a_damaged_map_of_repositories_leaves_the_old_one() {
    let dir = TempDir::new().unwrap();
    let vex = "redhat-vex/csaf/v2/vex/2024/cve-2024-0001.json";
    let map = "redhat-vex/metrics/repository-to-cpe.json";
    put(dir.path(), vex, document("CVE-2024-0001", "5.1-2.el9").as_bytes());
    put(dir.path(), map, br#"{"baseos":["cpe:/o:redhat:enterprise_linux:9::baseos"]}"#);
    assert!(!builds(dir.path(), "redhat-vex").failed());
    for damaged in ["{", "{}", r#"{"baseos":7}"#, r#"{"baseos":[]}"#] {
        put(dir.path(), map, damaged.as_bytes());
        assert!(builds(dir.path(), "redhat-vex").failed(), "{damaged}");
        let index = open(&dir.path().join("index")).unwrap();
        assert_eq!(index.products().unwrap().of("baseos").len(), 1, "{damaged}");
    }
}
