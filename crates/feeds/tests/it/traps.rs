//! What is easily got wrong about the rpm distros: each once as it should be found, once as it should not.
use crate::samples::{Index, built, of_module, of_source, on, rpm, with};
use seawall_model::finding::State;
use seawall_model::package::{Ecosystem, Inventory};
use serde_json::{Value, json};

/// A product of a document: its id, its CPE.
const PRODUCTS: [(&str, &str); 5] = [
    ("BaseOS", "cpe:/o:redhat:enterprise_linux:9::baseos"),
    ("AppStream", "cpe:/a:redhat:enterprise_linux:9::appstream"),
    ("EUS", "cpe:/o:redhat:rhel_eus:9.2::baseos"),
    ("RHEL", "cpe:/o:redhat:enterprise_linux:9"),
    ("CRB", "cpe:/a:redhat:enterprise_linux:9::crb"),
];

const REPOSITORIES: &str = r#"{"data":{
    "baseos":{"cpes":["cpe:/o:redhat:enterprise_linux:9::baseos"],"repo_relative_urls":[]},
    "appstream":{"cpes":["cpe:/a:redhat:enterprise_linux:9::appstream"]},
    "crb":{"cpes":["cpe:/a:redhat:enterprise_linux:9::crb"]},
    "eus":{"cpes":["cpe:/o:redhat:rhel_eus:9.2::baseos","cpe:/a:redhat:rhel_eus:9.2::appstream"]}}}"#;

/// A document of one flaw. `statements`: status, product, package URL.
fn vex(statements: &[(&str, &str, &str)], more: Value) -> Vec<u8> {
    let product = |(id, cpe): (&str, &str)| json!({"product": {"product_id": id, "product_identification_helper": {"cpe": cpe}}});
    let package = |purl: &str| json!({"product": {"product_id": purl, "product_identification_helper": {"purl": purl}}});
    let mut branches: Vec<Value> = PRODUCTS.into_iter().map(product).collect();
    branches.extend(statements.iter().map(|(_, _, purl)| package(purl)));
    let relation = |(_, product, purl): &(&str, &str, &str)| {
        json!({"full_product_name": {"product_id": format!("{product}:{purl}")},
            "product_reference": purl, "relates_to_product_reference": product})
    };
    let mut status = serde_json::Map::new();
    for (name, product, purl) in statements {
        let ids = status.entry((*name).to_owned()).or_insert_with(|| json!([]));
        ids.as_array_mut().unwrap().push(json!(format!("{product}:{purl}")));
    }
    let mut flaw = json!({"cve": "CVE-2024-0001", "product_status": status});
    flaw.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let whole = json!({"document": {"tracking": {"id": "CVE-2024-0001"}},
        "product_tree": {"branches": branches, "relationships": statements.iter().map(relation).collect::<Vec<_>>()},
        "vulnerabilities": [flaw]});
    serde_json::to_vec(&whole).unwrap()
}

fn index(statements: &[(&str, &str, &str)], more: Value) -> Index {
    let path = "csaf/v2/vex/2024/cve-2024-0001.json";
    let map = REPOSITORIES.as_bytes().to_vec();
    built("redhat-vex", &[(path, vex(statements, more)), ("metrics/repository-to-cpe.json", map)])
}

fn rhel(repositories: &[&str], name: &str, version: &str) -> Inventory {
    let own = rpm(Ecosystem::RedHat, name, version, "x86_64");
    with(repositories, on("rhel", "9.2", of_source("bash", version, own)))
}

const MAIN: &str = "pkg:rpm/redhat/bash@5.1-6.el9_4?arch=x86_64";
const EUS: &str = "pkg:rpm/redhat/bash@5.1-4.el9_2.1?arch=x86_64";

#[test]
fn red_hat_asks_for_the_product_of_a_repository() {
    let index = index(&[("fixed", "CRB", MAIN)], json!({}));
    index.check(&rhel(&["crb"], "bash", "5.1-1.el9"), &["CVE-2024-0001 available 0:5.1-6.el9_4"]);
    index.check(&rhel(&["baseos", "appstream"], "bash", "5.1-1.el9"), &[]);
    // Nothing tells: BaseOS and AppStream, and that is said.
    index.check(&rhel(&[], "bash", "5.1-1.el9"), &[]);
    let told = |repositories: &[&str]| {
        let report = index.report(&rhel(repositories, "bash", "5.1-1.el9"));
        report.problems.iter().any(|problem| problem.code == "products-assumed")
    };
    assert!(told(&[]) && told(&["of somebody else"]) && !told(&["baseos"]));
}

#[test]
fn extended_support_has_flaws_of_the_main_stream_and_fixes_of_its_own() {
    let index = index(&[("fixed", "BaseOS", MAIN), ("fixed", "EUS", EUS)], json!({}));
    let eus = |version: &str| rhel(&["eus"], "bash", version);
    let both = "CVE-2024-0001 available 0:5.1-6.el9_4 0:5.1-4.el9_2.1@rhel_eus:9.2";
    index.check(&eus("5.1-4.el9_2"), &[both]);
    index.check(&eus("5.1-4.el9_2.1"), &[]);
    // The main stream has builds between the two that are not fixed.
    let main = |version: &str| rhel(&["baseos"], "bash", version);
    index.check(&main("5.1-5.el9_3"), &["CVE-2024-0001 available 0:5.1-6.el9_4"]);
    index.check(&main("5.1-6.el9_4"), &[]);
}

#[test]
fn a_fix_of_a_later_minor_release_is_out_of_reach() {
    let index = index(&[("fixed", "BaseOS", MAIN)], json!({}));
    let fix = "0:5.1-6.el9_4";
    let flaw = [format!("CVE-2024-0001 in_channel {fix}")];
    index.check(&rhel(&["eus"], "bash", "5.1-4.el9_2"), &[&flaw[0]]);
    let flaw = [format!("CVE-2024-0001 available {fix}")];
    index.check(&rhel(&["baseos"], "bash", "5.1-4.el9_2"), &[&flaw[0]]);
}

#[test]
fn red_hat_says_why_there_is_no_fix() {
    let source = "pkg:rpm/redhat/bash?arch=src";
    let id = format!("RHEL:{source}");
    let states = [
        ("no_fix_planned", "Will not fix", "will_not_fix"),
        ("no_fix_planned", "Out of support scope", "end_of_life"),
        ("none_available", "Fix deferred", "deferred"),
        ("none_available", "Affected", "none"),
    ];
    for (category, details, expected) in states {
        let remedy = json!({"category": category, "details": details, "product_ids": [id]});
        let index = index(&[("known_affected", "RHEL", source)], json!({"remediations": [remedy]}));
        // The statement is on the source: its binary packages of any name are meant, others are not.
        let flaw = format!("CVE-2024-0001 {expected}");
        index.check(&rhel(&["baseos"], "bash-devel", "5.1-1.el9"), &[&flaw]);
        let other =
            of_source("dash", "5.1-1.el9", rpm(Ecosystem::RedHat, "bash", "5.1-1.el9", "x86_64"));
        index.check(&with(&["baseos"], on("rhel", "9.2", other)), &[]);
    }
    let index = index(&[("under_investigation", "RHEL", source)], json!({}));
    let report = index.report(&rhel(&["baseos"], "bash", "5.1-1.el9"));
    assert_eq!(report.findings[0].state, State::Unknown);
}

#[test]
fn a_build_speaks_before_its_source() {
    let index = index(
        &[
            ("known_affected", "RHEL", "pkg:rpm/redhat/bash?arch=src"),
            ("known_not_affected", "BaseOS", "pkg:rpm/redhat/bash-doc@5.1-1.el9?arch=x86_64"),
        ],
        json!({}),
    );
    index.check(&rhel(&["baseos"], "bash-devel", "5.1-1.el9"), &["CVE-2024-0001 none"]);
    index.check(&rhel(&["baseos"], "bash-doc", "5.1-1.el9"), &[]);
}

#[test]
fn ratings_are_red_hats_words() {
    let threats = json!([{"category": "impact", "details": "Important", "product_ids": [format!("BaseOS:{MAIN}")]},
        {"category": "impact", "details": "Low", "product_ids": [format!("EUS:{EUS}")]}]);
    let index =
        index(&[("fixed", "BaseOS", MAIN), ("fixed", "EUS", EUS)], json!({"threats": threats}));
    let report = index.report(&rhel(&["baseos"], "bash", "5.1-1.el9"));
    assert_eq!(report.findings[0].severity.level, seawall_model::Severity::High);
}

#[test]
fn red_hats_modules_match_modules_only() {
    let purl =
        "pkg:rpm/redhat/bash@5.1-6.module%2Bel9?arch=x86_64&rpmmod=shell:5:9040020240101:rhel9";
    let index = index(&[("fixed", "AppStream", purl)], json!({}));
    let own = || rpm(Ecosystem::RedHat, "bash", "5.1-1.module+el9", "x86_64");
    let on_9 = |package| with(&["appstream"], on("rhel", "9.2", package));
    let flaw = ["CVE-2024-0001 available 0:5.1-6.module+el9"];
    index.check(&on_9(of_module("shell:5", own())), &flaw);
    index.check(&on_9(of_module("shell:4", own())), &[]);
    index.check(&on_9(own()), &[]);
}

#[test]
fn oracles_modules_and_flavours_match_their_own() {
    let text = r#"<oval_definitions><definitions><definition id="a" class="patch"><metadata>
        <title>ELSA-2024-1: bash security update (LOW)</title><advisory><severity>LOW</severity>
        <cve href="x">CVE-2024-0001</cve></advisory></metadata><criteria operator="AND">
        <criterion test_ref="t1" comment="Oracle Linux 8 is installed"/><criteria operator="OR">
        <criteria><criterion test_ref="t2" comment="Module shell:5 is enabled"/>
        <criterion test_ref="t3" comment="bash is earlier than 0:5.1-6.module+el8"/></criteria>
        <criteria><criterion test_ref="t4" comment="openssl is earlier than 10:1.1.1k-12.el8_9_fips"/>
        <criterion test_ref="t5" comment="openssl is fips patched"/></criteria>
        </criteria></criteria></definition></definitions></oval_definitions>"#;
    let index = built("oracle-oval", &[("com.oracle.elsa-all.xml", text.as_bytes().to_vec())]);
    let ol = |package| on("ol", "8.9", package);
    let bash = || rpm(Ecosystem::Oracle, "bash", "5.1-1.module+el8", "x86_64");
    index.check(&ol(of_module("shell:5", bash())), &["CVE-2024-0001 available 0:5.1-6.module+el8"]);
    index.check(&ol(bash()), &[]);
    let openssl = |version: &str| ol(rpm(Ecosystem::Oracle, "openssl", version, "x86_64"));
    let flaw = ["CVE-2024-0001 available 10:1.1.1k-12.el8_9_fips"];
    index.check(&openssl("10:1.1.1k-9.el8_9_fips"), &flaw);
    index.check(&openssl("1:1.1.1k-9.el8_9"), &[]);
}

#[test]
fn almas_errata_are_of_builds() {
    let text = r#"[{"updateinfo_id":"ALSA-2024:1","severity":"Moderate","references":[{"id":"CVE-2024-0001"}],
        "pkglist":{"packages":[{"name":"bash","epoch":"0","version":"5.1","release":"6.el9","arch":"x86_64"}]}},
        {"updateinfo_id":"ALSA-2024:2","references":[{"id":"CVE-2024-0002"}],"pkglist":{"module":{"name":"shell","stream":"5"},
        "packages":[{"name":"zsh","epoch":"0","version":"5.1","release":"6.module_el9","arch":"x86_64"}]}},
        {"updateinfo_id":"ALBA-2024:3"}]"#;
    let index = built("alma-errata", &[("9/errata.json", text.as_bytes().to_vec())]);
    let alma = |package| on("almalinux", "9.4", package);
    let bash = |version: &str, arch: &str| alma(rpm(Ecosystem::AlmaLinux, "bash", version, arch));
    index.check(&bash("5.1-1.el9", "x86_64"), &["CVE-2024-0001 available 0:5.1-6.el9"]);
    index.check(&bash("5.1-6.el9", "x86_64"), &[]);
    index.check(&bash("5.1-1.el9", "aarch64"), &[]);
    let zsh = || rpm(Ecosystem::AlmaLinux, "zsh", "5.1-1.module_el9", "x86_64");
    index
        .check(&alma(of_module("shell:5", zsh())), &["CVE-2024-0002 available 0:5.1-6.module_el9"]);
    index.check(&alma(zsh()), &[]);
}
