//! Real records of Wolfi, Chainguard and Alpaquita.
use crate::folders::{counted, whole};
use crate::inventory::package;
use crate::samples::{built, of_source, on};
use seawall_model::package::{Ecosystem, Inventory, Package};
use std::path::Path;

fn apk(id: &str, origin: &str, version: &str) -> Inventory {
    let ecosystem = match id {
        "wolfi" => Ecosystem::Wolfi,
        "chainguard" => Ecosystem::Chainguard,
        _ => Ecosystem::Alpaquita,
    };
    let release = if id == "alpaquita" { "23" } else { "20230201" };
    let sub = package(ecosystem, &format!("{origin}-dev"), version);
    on(id, release, of_source(origin, version, sub))
}

#[test]
fn wolfi_names_fixes_and_what_never_was() {
    let Some(index) = whole("wolfi-secdb") else { return };
    assert_eq!(counted(&index.report).len(), 1);
    index.check(
        &apk("wolfi", "binutils", "2.39-r1"),
        &["CVE-2022-38128 available 2.39-r3", "CVE-2022-38533 available 2.39-r2"],
    );
    index.check(&apk("wolfi", "binutils", "2.39-r3"), &[]);
    // The fix `0`.
    index.check(&apk("wolfi", "coreutils", "9.1-r0"), &[]);
    index.check(&apk("wolfi", "flex", "2.6.4-r0"), &[]);
}

/// `apko` never had CVE-2023-45283, says Wolfi; a Go binary that it owns is what `apko` is. One that nobody owns is
/// judged by Go's records.
#[test]
fn what_an_apk_never_had_nothing_in_it_has() {
    let nak = r#"{"packages":[{"pkg":{"name":"apko","secfixes":{"0":["CVE-2023-45283","GHSA-jq35-85cj-fj4p"]}}}]}"#;
    let go = r#"{"id":"GO-2023-2185","aliases":["CVE-2023-45283"],"affected":[{"package":{"ecosystem":"Go","name":"stdlib"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.20.11"}]}]}]}"#;
    let archive = crate::damaged::archive(&[go.to_owned()]);
    let index = crate::folders::together(&[
        ("wolfi-secdb/os/security.json", nak.as_bytes()),
        ("osv/Go/all.zip", &archive),
    ]);
    let target = |owner: Option<&str>| {
        let mut target = apk("wolfi", "apko", "0.10.0-r0");
        let binary = package(Ecosystem::Go, "stdlib", "1.20.1");
        target.packages.push(Package { owner: owner.map(str::to_owned), ..binary });
        target
    };
    index.check(&target(Some("apko-dev")), &[]);
    index.check(&target(None), &["CVE-2023-45283 available 1.20.11"]);
}

#[test]
fn chainguard_speaks_of_both_distros() {
    let Some(index) = whole("chainguard") else { return };
    let counted = counted(&index.report);
    assert_eq!(counted[1], "**.json 3 3 |  | ", "all.json is a list of the others");
    index.check(
        &apk("chainguard", "haproxy-2.2", "2.2.33-r0"),
        &["CVE-2025-32464 available 2.2.34-r0"],
    );
    index.check(&apk("chainguard", "haproxy-2.2", "2.2.34-r0"), &[]);
    index.check(&apk("wolfi", "haproxy-3.0", "3.0.9-r0"), &["CVE-2025-32464 available 3.0.10-r0"]);
    index.check(
        &apk("chainguard", "syncthing", "2.0.13-r0"),
        &["CVE-2025-68121 available 2.0.14-r1"],
    );
    index.check(&apk("chainguard", "syncthing-compat", "2.0.13-r0"), &[]);
    // From the database in Alpine's format.
    index.check(&apk("chainguard", "postgresql-15", "15.3-r0"), &[]);
    let bind = index.report(&apk("chainguard", "bind", "9.18.10-r0"));
    assert_eq!(bind.findings.len(), 3, "CVE-2022-3094, CVE-2022-3736, CVE-2022-3924");
}

/// Alpaquita names the CVE in `upstream`, has flaws without a fix, and withdraws what does not concern it.
#[test]
fn alpaquita_is_read_as_it_means() {
    let feeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/feeds/osv");
    let Ok(archive) = std::fs::read(Path::new(feeds).join("Alpaquita/all.zip")) else {
        return println!("skipped: no real feeds at {feeds}");
    };
    let index = built("osv", &[("Alpaquita/all.zip", archive)]);
    let found = |origin: &str, version: &str, flaw: &str| {
        let report = index.report(&apk("alpaquita", origin, version));
        let own = report.findings.into_iter().find(|own| own.id == flaw)?;
        let fixes: Vec<String> = own.fix.versions.into_iter().map(|fix| fix.version).collect();
        Some(format!("{:?} {}", own.fix.status, fixes.join(" ")).trim().to_owned())
    };
    let none = Some("None".to_owned());
    assert_eq!(found("os-prober", "1.81-r0", "CVE-2008-5135"), none, "no `fixed` is unfixed");
    assert_eq!(found("os-prober", "1.80-r9", "CVE-2008-5135"), None, "before it came");
    let fix = Some("Available 3.1.7-r0".to_owned());
    assert_eq!(found("apparmor", "3.1.2-r2", "CVE-2016-1585"), fix);
    assert_eq!(found("apparmor", "3.1.7-r0", "CVE-2016-1585"), None);
    // Withdrawn without a package: "does not affect BellSoft software".
    assert_eq!(found("bash", "5.2.15-r0", "CVE-2000-0344"), None);
    let drops = &index.report.feeds[0].files[0].drops;
    assert_eq!(drops.get("withdrawn without a package"), Some(&4588));
}
