//! `seawall scan fs|image|sbom` and `seawall sbom`: forms, excuses, what narrows a report, and exit codes.
use crate::bench::*;
use serde_json::{Value, json};

const FLAW: &str = "CVE-2024-0001";

/// Runs `arguments`; `said` stands on either stream.
#[track_caller]
fn check(bench: &Bench, arguments: &[&str], expected: i32, said: &str) -> String {
    let output = bench.run(arguments);
    let text = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(code(&output), expected, "{arguments:?}: {text}");
    assert!(text.contains(said), "{arguments:?}: no {said:?} in {text}");
    stdout(&output).to_owned()
}

fn scan<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["scan", "fs", "root", "--db", "db"], arguments].concat()
}

#[test]
fn every_form_is_written_and_dated_by_the_caller() {
    let bench = Bench::new();
    for (form, said) in [
        ("sarif", "\"version\": \"2.1.0\""),
        ("junit", "<testsuites>"),
        ("gitlab", "\"dependency_scanning\""),
        ("markdown", "### Vulnerabilities of directory"),
        ("cyclonedx", "\"specVersion\": \"1.6\""),
        ("spdx", "SPDX-2.3"),
        ("csv", "id,aliases,title"),
        ("html", "<!doctype html>"),
        ("openvex", "https://openvex.dev/ns/v0.2.0"),
    ] {
        let text = check(&bench, &scan(&["--format", form]), 0, said);
        assert!(text.contains(FLAW), "{form}: {text}");
    }
    let dated = || {
        let mut command = bench.command(&scan(&["--format", "cyclonedx"]));
        command.env("SOURCE_DATE_EPOCH", "1700000000").output().unwrap().stdout
    };
    let (first, second) = (dated(), dated());
    assert_eq!(first, second);
    assert!(str::from_utf8(&first).unwrap().contains("2023-11-14T22:13:20Z"));
    check(&bench, &scan(&["--format", "xml"]), 2, "openvex");
    // Problems are JSON beside JSON alone.
    let output = bench.run(&scan(&["--format", "json", "--max-index-age", "1d"]));
    assert!(stderr(&output).starts_with('{'), "{}", stderr(&output));
}

#[test]
fn ignore_files_are_found_named_and_refused() {
    let bench = Bench::new();
    let fail = ["--fail-on", "high"];
    check(&bench, &scan(&fail), 1, FLAW);
    let good = "ignore:\n- {id: CVE-2024-0001, reason: not reached, owner: a, until: 2100-01-01}\n- {control: SW-C-0001, reason: b}\n";
    bench.put("root/seawall-ignore.yaml", good);
    let hidden = check(&bench, &scan(&fail), 0, "1 exempt");
    assert!(!hidden.contains(FLAW), "{hidden}");
    check(&bench, &scan(&["--show-exempt"]), 0, "exempt: not reached, by a, until 2100-01-01");
    let json: Value =
        serde_json::from_str(&check(&bench, &scan(&["--format", "json"]), 0, FLAW)).unwrap();
    assert_eq!(json["findings"][0]["state"], "exempt");
    std::fs::remove_file(bench.path("root/seawall-ignore.yaml")).unwrap();
    // In the working directory, too, and trivy's.
    bench.put("seawall-ignore.yaml", good);
    check(&bench, &scan(&fail), 0, "1 exempt");
    std::fs::remove_file(bench.path("seawall-ignore.yaml")).unwrap();
    bench.put(".trivyignore", "# old\nCVE-2024-0001\n");
    check(&bench, &scan(&fail), 0, "1 exempt");
    bench.put(".trivyignore", "CVE-2024-0001 exp:2020-01-01\n");
    check(&bench, &scan(&fail), 1, "has expired");
    std::fs::remove_file(bench.path(".trivyignore")).unwrap();
    bench
        .put("named.yaml", "ignore:\n- {id: CVE-2000-1, reason: r, owner: a, until: 2100-01-01}\n");
    check(&bench, &scan(&["--ignore-file", "named.yaml"]), 0, "exemption-unused");
    for text in [
        "ignore:\n- {id: CVE-2024-0001}\n",
        "ignore: [",
        "ignore:\n- {id: a, reason: b, until: soon}\n",
    ] {
        bench.put("named.yaml", text);
        check(&bench, &scan(&["--ignore-file", "named.yaml"]), 2, "named.yaml");
    }
    check(&bench, &scan(&["--ignore-file", "none.yaml"]), 3, "cannot read none.yaml");
}

#[test]
fn vex_excuses_and_is_refused_whole() {
    let bench = Bench::new();
    let vex = |status: &str| {
        json!({"@context": "https://openvex.dev/ns/v0.2.0", "author": "vendor", "statements": [{
            "vulnerability": {"name": "PYSEC-1"}, "products": [{"@id": "pkg:pypi/demo"}], "status": status}]})
        .to_string()
    };
    bench.put("vex/a.json", vex("not_affected"));
    check(&bench, &scan(&["--vex", "vex", "--fail-on", "high"]), 0, "1 exempt");
    check(&bench, &scan(&["--vex", "vex/a.json", "--show-exempt"]), 0, "by vendor");
    bench.put("vex/a.json", vex("affected"));
    check(
        &bench,
        &scan(&["--vex", "vex", "--fail-on", "high"]),
        1,
        "VEX says affected of 1 findings",
    );
    bench.put("vex/b.json", "{}");
    check(&bench, &scan(&["--vex", "vex"]), 2, "vex/b.json");
    std::fs::create_dir(bench.path("empty")).unwrap();
    check(&bench, &scan(&["--vex", "empty"]), 2, "holds no VEX document");
    check(&bench, &scan(&["--vex", "attached"]), 2, "only images of registries");
    check(&bench, &scan(&["--hub", "https://hub.example", "--offline"]), 2, "opens no socket");
    check(&bench, &scan(&["--hub", "https://hub.example"]), 2, "SEAWALL_TOKEN");
}

#[test]
fn baselines_ages_and_sources_narrow() {
    let bench = Bench::new();
    check(&bench, &scan(&["--format", "json=old.json"]), 0, "");
    let known = ["--baseline", "old.json", "--fail-on", "high"];
    check(&bench, &scan(&known), 0, "1 known from the earlier report");
    bench.put("root/srv/demo-1.1.dist-info/METADATA", "Name: demo\nVersion: 1.1\n");
    let new = check(&bench, &scan(&known), 1, "1.1");
    assert!(!new.contains("1.0 <"), "{new}");
    check(&bench, &scan(&["--baseline", "none.json"]), 3, "none.json");
    bench.put("other.json", "{}");
    check(&bench, &scan(&["--baseline", "other.json"]), 3, "no report");
    check(&bench, &scan(&["--max-index-age", "7d"]), 4, "index-too-old");
    check(&bench, &scan(&["--max-index-age", "99999d"]), 0, FLAW);
    check(&bench, &scan(&["--max-index-age", "7"]), 2, "such as 7d");
    check(&bench, &scan(&["--severity-source", "nvd", "--fail-on", "low"]), 0, "2 unknown");
    check(&bench, &scan(&["--severity-source", "nvd,osv", "--fail-on", "high"]), 1, FLAW);
    let json =
        check(&bench, &scan(&["--channels", "esm-infra,esm-apps", "--format", "json"]), 0, "");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["target"]["repositories"], json!(["esm-apps", "esm-infra"]));
}

#[test]
fn what_is_written_is_scanned_like_its_target() {
    let bench = Bench::new();
    let findings = |text: &str| serde_json::from_str::<Value>(text).unwrap()["findings"].clone();
    let own = findings(&check(&bench, &scan(&["--format", "json"]), 0, FLAW));
    for form in ["cyclonedx", "spdx", "json"] {
        let out = format!("{form}=bom");
        check(&bench, &["sbom", "root", "--format", &out], 0, "");
        let scanned = ["scan", "sbom", "bom", "--db", "db", "--format", "json"];
        assert_eq!(findings(&check(&bench, &scanned, 0, FLAW)), own, "{form}");
    }
    check(&bench, &["sbom", "root"], 0, "\"CycloneDX\"");
    check(&bench, &["scan", "sbom", "bom", "--db", "db", "--fail-on", "high"], 1, FLAW);
    // A source tree whose lock files nobody read is no complete bill of materials, and stays none.
    bench.put("tree/readme", "");
    check(&bench, &["sbom", "tree", "--format", "json=bom"], 4, "source");
    check(&bench, &["scan", "sbom", "bom", "--db", "db"], 4, "source");
    check(&bench, &["sbom", "none.tar"], 3, "none.tar");
    for (text, code, said) in [
        ("", 3, "neither CycloneDX"),
        ("{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"9.9\"}", 3, "CycloneDX 9.9"),
        (
            "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\", \"components\": [{\"type\": \"library\", \"name\": \"a\"}]}",
            4,
            "have no purl",
        ),
    ] {
        bench.put("bom", text);
        check(&bench, &["scan", "sbom", "bom", "--db", "db"], code, said);
    }
    check(&bench, &["scan", "sbom", "none", "--db", "db"], 3, "cannot read none");
}

#[test]
fn base_images_mark_the_layers_they_brought() {
    let bench = Bench::new();
    let archive = |name: &str, layers: &[&str]| {
        use sha2::{Digest, Sha256};
        let diff_ids: Vec<String> = layers
            .iter()
            .map(|layer| {
                format!(
                    "sha256:{}",
                    hex::encode(Sha256::digest(std::fs::read(bench.path(layer)).unwrap()))
                )
            })
            .collect();
        let config = json!({"os": "linux", "architecture": "amd64", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        bench.put("config.json", config.to_string());
        bench.put(
            "manifest.json",
            json!([{"Config": "config.json", "RepoTags": [name], "Layers": layers}]).to_string(),
        );
        tar(&bench, &[&["-cf", name, "manifest.json", "config.json"], layers].concat());
    };
    bench.put("more/srv/demo-1.1.dist-info/METADATA", "Name: demo\nVersion: 1.1\n");
    tar(&bench, &["--owner=0", "--mtime=@0", "-C", "root", "-cf", "base.layer", "."]);
    tar(&bench, &["--owner=0", "--mtime=@0", "-C", "more", "-cf", "more.layer", "."]);
    archive("base.tar", &["base.layer"]);
    archive("app.tar", &["base.layer", "more.layer"]);
    let image = |more: &[&'static str]| {
        [&["scan", "image", "app.tar", "--db", "db", "--no-cache"], more].concat()
    };
    let based = check(&bench, &image(&["--base-image", "base.tar"]), 0, "1 (base)");
    assert!(based.contains("demo 1.0, 1.1 to 2.0: 2 findings"), "{based}");
    let json: Value = serde_json::from_str(&check(
        &bench,
        &image(&["--base-image", "base.tar", "--format", "json"]),
        0,
        "",
    ))
    .unwrap();
    let bases: Vec<&Value> =
        json["target"]["layers"].as_array().unwrap().iter().map(|layer| &layer["base"]).collect();
    assert_eq!(bases, [true, false]);
    check(&bench, &image(&["--base-image", "app.tar"]), 0, "is not built on app.tar");
    check(&bench, &image(&["--base-image", "none.tar"]), 3, "none.tar");
}

#[track_caller]
fn tar(bench: &Bench, arguments: &[&str]) {
    let status =
        std::process::Command::new("tar").args(arguments).current_dir(bench.path("")).status();
    assert!(status.unwrap().success(), "tar {arguments:?}");
}
