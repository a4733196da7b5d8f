//! Records in feeds' own JSON, and EPSS's lines, and the segments that are built of them. The first byte names the feed.
use super::texts;
use crate::Target;
use seawall_feeds::parse_json_for_fuzzing;
use seawall_model::package::Ecosystem;
use seawall_vuln::matcher::judge;
use seawall_vuln::segment::{FeedDate, build};
use seawall_vuln::{Segment, Subject};
use std::collections::BTreeSet;

pub(crate) const TARGET: Target = Target { name: "feeds-json", run, seeds, rounds: 4_000 };

fn run(bytes: &[u8]) {
    let advisories = parse_json_for_fuzzing(bytes);
    let entries = advisories.iter().flat_map(|advisory| &advisory.affected);
    let places: BTreeSet<(Ecosystem, Option<&str>)> =
        entries.map(|entry| (entry.ecosystem, entry.release.as_deref())).collect();
    let all: Vec<_> = advisories.iter().collect();
    for (ecosystem, release) in places {
        let feed = FeedDate { key: "feed".into(), newest: None };
        let built = build(ecosystem, release, feed, &all).expect("a few records fit a segment");
        let segment = Segment::open(built.bytes).expect("what was built can be opened");
        for name in segment.names() {
            judge(&segment, &Subject::plain(&name, "1.0-1"));
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"0{"curl":{"CVE-2024-0001":{"description":"d","releases":{"bookworm":{"status":"resolved","fixed_version":"7-1","urgency":"low**","repositories":{"bookworm":"7-2"}},"sid":{"status":"open","nodsa_reason":"ignored"}}}}}"#,
        r#"1{"packages":[{"pkg":{"name":"xen","secfixes":{"0":["CVE-2024-0001"],"1-r0":["CVE-2018-7541 XSA-255"],"2-r0":null}}}]}"#,
        r#"2[{"cve_id":"CVE-2024-0001","pkg":"curl","cve_score":9.8,"aff_ver":"all versions before 7-1.ph4 are vulnerable","res_ver":"7-1.ph4","status":"Fixed"},{"cve_id":"X","pkg":"y","res_ver":"NA","status":"Not Affected"}]"#,
        r#"3{"vulnerabilities":[{"cve":{"id":"CVE-2024-0001","lastModified":"2023-10-18T18:00:24.900","vulnStatus":"Analyzed","descriptions":[{"lang":"en","value":"A flaw."}],"metrics":{"cvssMetricV31":[{"type":"Primary","cvssData":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]}}}]}"#,
        "4#model_version:v1,score_date:2025-02-20T00:00:00+0000\ncve,epss,percentile\nCVE-2024-0001,0.00383,0.73075\n",
        r#"5{"statements":[{"vulnerability":{"name":"CVE-2024-0001","description":"d"},"products":[{"@id":"pkg:deb/ubuntu/curl@7.81.0-1?arch=source&distro=jammy"},{"@id":"pkg:deb/ubuntu/curl@7.47.0-1?arch=source&distro=esm-infra/xenial"}],"status":"affected","action_statement":"decided to not fix"},
{"vulnerability":{"name":"CVE-2024-0001"},"products":[{"@id":"pkg:deb/ubuntu/curl@8-1?arch=source&distro=noble"}],"status":"not_affected","impact_statement":"no"}]}"#,
        r#"6{"generated_at":"2025-01-01T00:00:00Z","result":[{"name":"ubuntu","aliases":["u"],"releases":[{"name":"18.04","isEol":true,"eolFrom":"2023-04-26"}]}]}"#,
    ])
}

#[test]
fn every_seed_reaches_its_parser() {
    let advisories: Vec<usize> =
        seeds().iter().map(|seed| parse_json_for_fuzzing(seed).len()).collect();
    assert_eq!(advisories, [1, 2, 2, 0, 0, 1, 0]);
}
