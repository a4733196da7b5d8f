//! One CSAF document, and the segments that are built of it.
use super::texts;
use crate::Target;
use seawall_feeds::parse_csaf_for_fuzzing;
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;
use seawall_vuln::matcher::judge;
use seawall_vuln::segment::{FeedDate, build};
use seawall_vuln::{Segment, Subject};
use std::collections::BTreeSet;

pub(crate) const TARGET: Target = Target { name: "feeds-csaf", run, seeds, rounds: 3_000 };

fn run(bytes: &[u8]) {
    judged(&parse_csaf_for_fuzzing(bytes));
}

/// Builds a segment of each release that the records speak of, and asks it for each of its names.
pub(super) fn judged(advisories: &[Advisory]) {
    let entries = advisories.iter().flat_map(|advisory| &advisory.affected);
    let places: BTreeSet<(Ecosystem, Option<&str>)> =
        entries.map(|entry| (entry.ecosystem, entry.release.as_deref())).collect();
    assert_eq!(places.is_empty(), advisories.is_empty(), "{advisories:?}");
    for (ecosystem, release) in places {
        let feed = FeedDate { key: "fuzz".into(), newest: None };
        let all: Vec<&Advisory> = advisories.iter().collect();
        let built = build(ecosystem, release, feed, &all).expect("few records fit a segment");
        let segment = Segment::open(built.bytes).expect("what was built can be opened");
        for name in segment.names() {
            judge(&segment, &Subject::plain(&name, "1.0-1.el9"));
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"document":{"title":"t","aggregate_severity":{"text":"Moderate"},"tracking":{"id":"CVE-2024-10041","status":"final","current_release_date":"2024-12-18T09:14:23Z"}},
"product_tree":{"branches":[{"category":"vendor","name":"Red Hat","branches":[
{"product":{"product_id":"BaseOS-9.5.0.Z.MAIN","product_identification_helper":{"cpe":"cpe:/o:redhat:enterprise_linux:9::baseos"}}},
{"product":{"product_id":"EUS","product_identification_helper":{"cpe":"cpe:/o:redhat:rhel_eus:9.2::baseos"}}},
{"product":{"product_id":"nodejs:18","product_identification_helper":{"purl":"pkg:rpmmod/redhat/nodejs@18:8060020220523160029:ad008a3a"}}},
{"product":{"product_id":"pam-0:1.5.1-21.el9_5.x86_64","product_identification_helper":{"purl":"pkg:rpm/redhat/pam@1.5.1-21.el9_5?arch=x86_64&epoch=1"}}},
{"product":{"product_id":"pam","product_identification_helper":{"purl":"pkg:rpm/redhat/pam?arch=src&rpmmod=nodejs:18"}}}]}],
"relationships":[{"full_product_name":{"product_id":"B:p"},"product_reference":"pam-0:1.5.1-21.el9_5.x86_64","relates_to_product_reference":"B:m"},
{"full_product_name":{"product_id":"B:m"},"product_reference":"nodejs:18","relates_to_product_reference":"BaseOS-9.5.0.Z.MAIN"},
{"full_product_name":{"product_id":"E:s"},"product_reference":"pam","relates_to_product_reference":"EUS"}]},
"vulnerabilities":[{"cve":"CVE-2024-10041","title":"x","release_date":"2024-10-18T00:00:00Z","flags":[{"label":"vulnerable_code_not_present","product_ids":["E:s"]}],
"product_status":{"fixed":["B:p"],"known_affected":["E:s"],"known_not_affected":["E:s"],"under_investigation":["E:s"]},
"remediations":[{"category":"vendor_fix","product_ids":["B:p"],"url":"https://access.redhat.com/errata/RHSA-2024:9941"},{"category":"no_fix_planned","details":"Out of support scope","product_ids":["E:s"]}],
"scores":[{"products":["B:p"],"cvss_v3":{"vectorString":"CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:N/A:N"}}],"threats":[{"category":"impact","details":"Low","product_ids":["B:p"]},{"category":"impact","details":"Important","product_ids":["E:s"]}],
"references":[{"category":"self","url":"https://access.redhat.com/security/cve/CVE-2024-10041"}]}]}"#,
    ])
}

#[test]
fn every_seed_is_a_record() {
    for seed in seeds() {
        assert!(!parse_csaf_for_fuzzing(&seed).is_empty(), "{}", String::from_utf8_lossy(&seed));
    }
}
