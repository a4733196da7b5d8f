//! Amazon's real pages, and updates of repositories written after them: no real `updateinfo.xml` was at hand.
use crate::folders::{counted, rebuilt, whole};
use crate::samples::{built, on, rpm, with};
use seawall_model::package::{Ecosystem, Inventory};
use tempfile::TempDir;

fn installed(release: &str, name: &str, version: &str, arch: &str) -> Inventory {
    on("amzn", release, rpm(Ecosystem::Amazon, name, version, arch))
}

#[test]
fn pages_give_rows_and_lists_give_links() {
    let Some(index) = whole("amazon") else { return };
    assert_eq!(
        counted(&index.report),
        ["**.html 2 2 |  | ", "AL2/alas.rss 1 1 |  | ", "AL2023/alas.rss 1 1 |  | "]
    );
    let fix = "0.8.7-16.amzn2023.0.1";
    let three = ["CVE-2022-3787", "CVE-2022-41973", "CVE-2022-41974"]
        .map(|id| format!("{id} available {fix}"));
    let three: Vec<&str> = three.iter().map(String::as_str).collect();
    index.check(&installed("2023", "kpartx", "0.8.7-15.amzn2023", "x86_64"), &three);
    index.check(&installed("2023", "kpartx", fix, "x86_64"), &[]);
    index.check(&installed("2023", "kpartx", "0.8.7-15.amzn2023", "ppc64le"), &[]);
    index.check(&installed("2", "kpartx", "0.8.7-15.amzn2023", "x86_64"), &[]);
    let report = index.report(&installed("2023", "libdmmp", "0.8.7-1.amzn2023", "aarch64"));
    let own = &report.findings[0];
    assert_eq!(own.references, ["https://alas.aws.amazon.com/AL2023/ALAS-2023-126.html"]);
    assert_eq!(
        (own.severity.level.as_str(), own.matched.record.as_str()),
        ("high", "ALAS-2023-126")
    );
    let perf = installed("2", "perf", "4.9.76-3.78.amzn2", "x86_64");
    let fix = "available 4.9.76-38.79.amzn2";
    index.check(&perf, &[&format!("CVE-2017-5715 {fix}"), &format!("CVE-2017-5754 {fix}")]);
}

fn update(id: &str, kind: &str, name: &str, version: &str) -> String {
    let (version, release) = version.split_once('-').unwrap();
    format!(
        r#"<update status="final" type="{kind}" version="1.4"><id>{id}</id><title>t</title><issued date="2023-03-07 00:29" />
        <severity>medium</severity><references><reference href="https://example.org" id="CVE-2024-0001" type="cve" /></references>
        <pkglist><collection short="c"><name>c</name><package arch="x86_64" epoch="0" name="{name}" release="{release}" version="{version}" />
        <package arch="src" epoch="0" name="{name}" release="{release}" version="{version}" /></collection></pkglist></update>"#
    )
}

fn updates(updates: &[String]) -> Vec<u8> {
    format!("<?xml version=\"1.0\" ?><updates>{}</updates>", updates.concat()).into_bytes()
}

#[test]
fn versions_are_in_rpms_order() {
    let core = updates(&[update("ALAS2-2024-1", "security", "demo", "1.0^git2-1.amzn2")]);
    let index = built("amazon", &[("AL2/core/updateinfo.xml", core)]);
    let found = ["CVE-2024-0001 available 1.0^git2-1.amzn2"];
    // `^` is above the plain version, and separators do not count: neither is so in Debian's order.
    index.check(&installed("2", "demo", "1.0-1.amzn2", "x86_64"), &found);
    index.check(&installed("2", "demo", "1.0^git2-1.amzn2", "x86_64"), &[]);
    index.check(&installed("2", "demo", "1_0^git2-1.amzn2", "x86_64"), &[]);
    index.check(&installed("2", "demo", "1.0.1-1.amzn2", "x86_64"), &[]);
    index.check(&installed("2", "demo", "1:0.1-1.amzn2", "x86_64"), &[]);
}

#[test]
fn extras_are_channels() {
    let files = [
        (
            "AL2/core/updateinfo.xml",
            updates(&[
                update("ALAS2-2024-1", "security", "php", "5.4-9.amzn2"),
                update("ALAS2-2024-2", "bugfix", "x", "1-1"),
            ]),
        ),
        (
            "AL2/extras/docker/updateinfo.xml",
            updates(&[update("ALAS2DOCKER-2024-1", "security", "docker", "20-2.amzn2")]),
        ),
        (
            "AL2/extras/php8.0/updateinfo.xml",
            updates(&[update("ALAS2PHP8.0-2024-1", "security", "php", "8.0.30-1.amzn2")]),
        ),
    ];
    let index = built("amazon", &files.map(|(path, text)| (path, text)));
    assert_eq!(
        counted(&index.report)[0],
        "AL2/core/updateinfo.xml 2 1 | no security advisory 1 | "
    );
    let docker = || installed("2", "docker", "20-1.amzn2", "x86_64");
    index.check(&docker(), &["CVE-2024-0001 in_channel 20-2.amzn2@docker"]);
    index.check(&with(&["docker"], docker()), &["CVE-2024-0001 available 20-2.amzn2@docker"]);
    index.check(&installed("2", "docker", "20-2.amzn2", "x86_64"), &[]);
    // Core has a `php` of its own: what is fixed there is not below the fix of another repository.
    let report = index.report(&installed("2", "php", "5.4-9.amzn2", "x86_64"));
    assert!(report.findings.iter().all(|own| own.state.as_str() == "unknown"), "{report:?}");
    index.check(&installed("2", "php", "8.0.30-1.amzn2", "x86_64"), &[]);
}

#[test]
fn what_is_cut_or_names_no_version_is_refused() {
    let whole = updates(&[update("ALAS2-2024-1", "security", "demo", "1.0-2.amzn2")]);
    let dir = TempDir::new().unwrap();
    let path = "amazon/AL2/core/updateinfo.xml";
    assert!(!rebuilt(dir.path(), &[(path, &whole)]).failed());
    let rss = r#"<rss><channel><item><title>ALAS-2024-9 (low): demo</title><link>l</link></item></channel></rss>"#;
    for bytes in [&whole[..whole.len() / 2], &whole[..whole.len() - 4], b"", b"<html></html>"] {
        let report = rebuilt(dir.path(), &[(path, bytes)]);
        assert!(report.failed() && report.segments.iter().all(|segment| segment.kept));
    }
    std::fs::remove_dir_all(dir.path().join("root")).unwrap();
    let report = rebuilt(dir.path(), &[("amazon/AL2/alas.rss", rss.as_bytes())]);
    assert!(report.failed(), "a list alone is no feed");
    let drops = &report.feeds.iter().find(|feed| feed.key == "amazon").unwrap().drops;
    assert_eq!(drops.get("names no version"), Some(&1));
}
