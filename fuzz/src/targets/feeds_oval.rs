//! A document in OVAL in each distro's dialect, and the segments that are built of it.
use super::feeds_csaf::judged;
use super::texts;
use crate::Target;
use seawall_feeds::parse_oval_for_fuzzing;

pub(crate) const TARGET: Target = Target { name: "feeds-oval", run, seeds, rounds: 2_000 };

fn run(bytes: &[u8]) {
    judged(&parse_oval_for_fuzzing(bytes));
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"<?xml version="1.0"?><oval_definitions xmlns:l="x"><definitions><definition id="oval:com.oracle.elsa:def:1" version="501" class="patch"><metadata>
<title>ELSA-2007-0057:  Moderate: bind &amp; security update  (MODERATE)</title><affected family="unix"><platform>Oracle Linux 5</platform></affected>
<reference source="elsa" ref_id="ELSA-2007-0057" ref_url="http://linux.oracle.com/errata/ELSA-2007-0057.html"/>
<advisory><severity>MODERATE</severity><issued date="2007-06-26"/><cve cvss3="8.1/CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H" href="x">CVE-2007-0493</cve></advisory></metadata>
<criteria operator="AND"><criterion test_ref="t1" comment="Oracle Linux 5 is installed"/><criteria operator="OR">
<criteria operator="AND"><criterion test_ref="t2" comment="Oracle Linux arch is aarch64"/><criterion test_ref="t3" comment="bind is earlier than 30:9.3.3-8.el5"/></criteria>
<criteria><criterion test_ref="t4" comment="openssl is earlier than 2:1.1.1g-15.ksplice1.el8_3"/><criterion test_ref="t5" comment="openssl is ksplice-based"/></criteria></criteria></criteria></definition></definitions>
<tests><rpminfo_test id="t3"><object object_ref="o1"/><state state_ref="s1"/></rpminfo_test></tests>
<objects><l:rpminfo_object id="o1"><l:name>bind</l:name></l:rpminfo_object></objects>
<states><rpminfo_state id="s1"><evr datatype="evr_string" operation="less than">30:9.3.3-8.el5</evr></rpminfo_state></states></oval_definitions>"#,
        r#"<oval_definitions><definitions><definition id="a" class="vulnerability"><metadata><title>CVE-2021-29154</title>
<advisory><severity>Moderate</severity><updated date="2021-07-03"/><cve>CVE-2021-29154</cve></advisory></metadata><criteria operator="AND"><criteria operator="OR">
<criterion test_ref="p" comment="SUSE Linux Enterprise Server 15 SP1-LTSS is installed"/><criterion test_ref="p" comment="SUSE Linux Enterprise Module for Basesystem 15 SP3 is installed"/></criteria>
<criteria operator="OR"><criterion test_ref="t" comment="kernel-default-4.12.14-150.72.1 is installed"/><criterion test_ref="n" comment="kernel-source is not affected"/></criteria></criteria></definition></definitions>
<tests><rpminfo_test id="t"><object object_ref="o"/><state state_ref="s"/></rpminfo_test><rpminfo_test id="n"><object object_ref="o"/><state state_ref="z"/></rpminfo_test></tests>
<objects><rpminfo_object id="o"><name>kernel-default</name></rpminfo_object></objects>
<states><rpminfo_state id="s"><arch operation="pattern match">(aarch64|x86_64)</arch><evr operation="6">0:4.12.14-150.72.1</evr></rpminfo_state>
<rpminfo_state id="z"><version operation="equals">0</version></rpminfo_state></states></oval_definitions>"#,
        r#"<oval_definitions><definitions><definition id="oval:com.microsoft.cbl-mariner:def:44771"><metadata><title>t</title>
<reference ref_id="CVE-2023-29404" ref_url="u" source="CVE"/><patchable>true</patchable><advisory_date>2024-04-17T22:02:46Z</advisory_date><severity>Critical</severity></metadata>
<criteria operator="AND"><criterion test_ref="a"/><criterion test_ref="b"/></criteria></definition></definitions>
<tests><rpminfo_test id="a"><object object_ref="o"/><state state_ref="s"/></rpminfo_test><rpminfo_test id="b"><object object_ref="o"/><state state_ref="r"/></rpminfo_test></tests>
<objects><rpminfo_object id="o"><name>golang</name></rpminfo_object></objects><states><rpminfo_state id="s"><evr operation="less than">0:1.20.7-1.cm2</evr></rpminfo_state>
<rpminfo_state id="r"><evr operation="greater than">0:1.19.0.cm2</evr></rpminfo_state></states></oval_definitions>"#,
    ])
}

#[test]
fn every_seed_is_a_record() {
    for seed in seeds() {
        assert!(!parse_oval_for_fuzzing(&seed).is_empty(), "{}", String::from_utf8_lossy(&seed));
    }
}
