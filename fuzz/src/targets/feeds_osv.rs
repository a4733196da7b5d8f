//! One OSV record, and the segment that is built of it.
use super::texts;
use crate::Target;
use seawall_feeds::parse_osv_for_fuzzing;
use seawall_model::package::Ecosystem;
use seawall_vuln::Segment;
use seawall_vuln::Subject;
use seawall_vuln::matcher::judge;
use seawall_vuln::segment::{FeedDate, build};
use std::collections::BTreeSet;

pub(crate) const TARGET: Target = Target { name: "feeds-osv", run, seeds, rounds: 3_000 };

fn run(bytes: &[u8]) {
    let Some(advisory) = parse_osv_for_fuzzing(bytes) else { return };
    let places: BTreeSet<(Ecosystem, Option<&str>)> =
        advisory.affected.iter().map(|entry| (entry.ecosystem, entry.release.as_deref())).collect();
    assert!(!places.is_empty(), "{advisory:?}");
    for (ecosystem, release) in places {
        let feed = FeedDate { key: "osv".into(), newest: advisory.modified };
        let built =
            build(ecosystem, release, feed, &[&advisory]).expect("one record fits a segment");
        let segment = Segment::open(built.bytes).expect("what was built can be opened");
        for name in segment.names() {
            judge(&segment, &Subject::plain(&name, "1.0"));
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"id":"PYSEC-2024-1","modified":"2024-01-02T03:04:05.678Z","published":"2024-01-01T00:00:00Z","aliases":["CVE-2024-0001","GHSA-a"],"summary":"s","details":"d\nmore",
"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"references":[{"type":"WEB","url":"https://example.org"}],
"affected":[{"package":{"ecosystem":"PyPI","name":"Demo_X"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2"},{"introduced":"2.0"},{"last_affected":"2.1"}]}],"versions":["1.0","1.1","x y"]}]}"#,
        r#"{"id":"DSA-1-1","modified":"2024-01-01T00:00:00Z","upstream":["CVE-2024-0002"],"withdrawn":"2024-02-30T00:00:00Z",
"affected":[{"package":{"ecosystem":"Debian:12","name":"glibc"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0"}]}],"ecosystem_specific":{"urgency":"unimportant"}}]}"#,
        r#"{"id":"GO-2024-1","affected":[{"package":{"ecosystem":"Go","name":"stdlib"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.21.0-0"},{"fixed":"1.21.3"}]},{"type":"GIT","events":[]}],
"ecosystem_specific":{"custom_ranges":[{}]}}],"database_specific":{"severity":"MODERATE"},"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"},{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:N/I:N/A:C"}]}"#,
        r#"{"id":"UBUNTU-CVE-2024-0003","upstream":["CVE-2024-0003"],"severity":[{"type":"Ubuntu","score":"negligible"}],"affected":[{"package":{"ecosystem":"Ubuntu:Pro:16.04:LTS","name":"netty","purl":"pkg:deb/ubuntu/netty@1?arch=source&distro=esm-apps/xenial"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:4.0.34-1ubuntu0.1~esm2"}]}],"versions":["1:4.0.34-1"]}]}"#,
        r#"{"id":"ALSA-2019:0981","summary":"Important: python27:2.7 security update","related":["CVE-2024-0004"],"affected":[{"package":{"ecosystem":"AlmaLinux:8","name":"python2"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.7-1.module_el8.6.0+1+a"}]}]},{"package":{"ecosystem":"AlmaLinux:8","name":"python2"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.7-1.module_el8.5.0+1+a"}]}]}]}"#,
        r#"{"id":"RUSTSEC-2024-0001","affected":[{"package":{"ecosystem":"crates.io","name":"simd-json"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.1.14-0"},{"fixed":"0.1.15"}]}],"ecosystem_specific":{"affects":{"arch":["x86_64"],"os":["linux"],"functions":[]}},"database_specific":{"informational":"unsound"}}]}"#,
    ])
}

#[test]
fn every_seed_is_a_record() {
    for seed in seeds() {
        assert!(parse_osv_for_fuzzing(&seed).is_some(), "{}", String::from_utf8_lossy(&seed));
    }
}
