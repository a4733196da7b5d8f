//! The bill of materials: the packages that are in the binary, as CycloneDX 1.6 JSON.
//!
//! Which of `Cargo.lock` are linked is the build's own answer (`cargo tree` with the binary's features, target and normal
//! dependencies); licences and edges are those of `cargo metadata`, checksums those of `Cargo.lock`. Of the user
//! interface, which the binary embeds, they are the packages of `web/package-lock.json` that are not for its build alone.
use crate::binary::cargo;
use crate::options::VERSION;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Name and version.
type Key = (String, String);

pub(crate) fn make(root: &Path, target: &str) -> Result<Vec<u8>> {
    let tree = run(
        root,
        &[
            "tree",
            "--locked",
            "--package",
            "seawall-cli",
            "--target",
            target,
            "--edges",
            "normal,no-proc-macro",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ],
    )?;
    let metadata =
        run(root, &["metadata", "--locked", "--format-version", "1", "--filter-platform", target])?;
    let metadata = serde_json::from_str(&metadata).context("cannot read cargo metadata")?;
    let lock =
        std::fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let mut document = document(&linked(&tree), &metadata, &checksums(&lock))?;
    let web = std::fs::read_to_string(root.join("web/package-lock.json"))
        .context("cannot read web/package-lock.json")?;
    let web = serde_json::from_str(&web).context("cannot read web/package-lock.json")?;
    let components = document["components"].as_array_mut().context("components")?;
    components.extend(embedded(&web));
    Ok(serde_json::to_vec_pretty(&document)?)
}

fn run(root: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(cargo())
        .args(arguments)
        .current_dir(root)
        .output()
        .context("cannot run cargo")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).context("cargo's output is not UTF-8")
}

/// Lines are `NAME vVERSION` and perhaps a place or a mark.
fn linked(tree: &str) -> BTreeSet<Key> {
    let packages = tree.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?);
        Some((name.to_owned(), version.trim_start_matches('v').to_owned()))
    });
    packages.collect()
}

/// SHA-256 of the package's archive in the registry; our own packages have none.
fn checksums(lock: &str) -> BTreeMap<Key, String> {
    let mut found = BTreeMap::new();
    for block in lock.split("[[package]]") {
        let field = |name: &str| {
            let line =
                block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))?;
            Some(line.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version), Some(checksum)) =
            (field("name"), field("version"), field("checksum"))
        {
            found.insert((name, version), checksum);
        }
    }
    found
}

/// Our own packages have no purl: their names could be anybody's in the registry.
fn reference((name, version): &Key, foreign: bool) -> String {
    if foreign { format!("pkg:cargo/{name}@{version}") } else { format!("{name}@{version}") }
}

/// Source: CycloneDX 1.6, ECMA-424.
fn document(
    linked: &BTreeSet<Key>,
    metadata: &Value,
    checksums: &BTreeMap<Key, String>,
) -> Result<Value> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    // By cargo's own id, what is linked.
    let mut known: BTreeMap<String, (Key, bool)> = BTreeMap::new();
    let mut components = BTreeMap::new();
    for package in packages {
        let key = (text(&package["name"]), text(&package["version"]));
        if !linked.contains(&key) {
            continue;
        }
        let foreign = !package["source"].is_null();
        let mut component = json!({
            "type": "library",
            "bom-ref": reference(&key, foreign),
            "name": key.0,
            "version": key.1,
        });
        if foreign {
            component["purl"] = reference(&key, true).into();
        }
        if let Some(licence) = package["license"].as_str() {
            // Before SPDX expressions a slash meant a choice.
            component["licenses"] = json!([{"expression": licence.replace('/', " OR ")}]);
        }
        if let Some(checksum) = checksums.get(&key) {
            component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
        }
        components.insert(key.clone(), component);
        known.insert(text(&package["id"]), (key, foreign));
    }
    for key in linked {
        ensure!(
            components.contains_key(key),
            "{} {} is linked but not in cargo metadata",
            key.0,
            key.1
        );
    }
    let dependencies = edges(metadata, &known);
    // The binary itself stands apart from what it is made of.
    let cli = components.remove(&("seawall-cli".to_owned(), VERSION.to_owned()));
    let mut product = cli.context("seawall-cli is not linked")?;
    product["type"] = "application".into();
    product["name"] = "seawall".into();
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": product,
            "tools": {"components": [{"type": "application", "name": "cargo xtask dist", "version": VERSION}]},
        },
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies,
    }))
}

/// Packages of the user interface by their reference. Source: npm, "package-lock.json", lockfileVersion 3; package URL
/// specification, type `npm`.
fn embedded(lock: &Value) -> Vec<Value> {
    let mut components = BTreeMap::new();
    for (path, package) in lock["packages"].as_object().into_iter().flatten() {
        let for_build = ["dev", "devOptional", "optional"];
        let Some((_, name)) = path.rsplit_once("node_modules/") else { continue };
        if for_build.iter().any(|mark| package[mark] == true) {
            continue;
        }
        let version = package["version"].as_str().unwrap_or_default();
        let reference = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
        let mut component = json!({
            "type": "library", "bom-ref": reference, "name": name, "version": version, "purl": reference,
        });
        if let Some(licence) = package["license"].as_str() {
            component["licenses"] = json!([{"expression": licence}]);
        }
        components.insert(reference, component);
    }
    components.into_values().collect()
}

/// Normal dependencies between what is linked.
fn edges(metadata: &Value, known: &BTreeMap<String, (Key, bool)>) -> Vec<Value> {
    let named = |id: &Value| {
        known.get(id.as_str().unwrap_or_default()).map(|(key, foreign)| reference(key, *foreign))
    };
    let mut edges = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().into_iter().flatten() {
        let Some(from) = named(&node["id"]) else { continue };
        let normal = |kinds: &Value| {
            kinds.as_array().into_iter().flatten().any(|kind| kind["kind"].is_null())
        };
        let to = node["deps"].as_array().into_iter().flatten();
        let to = to.filter(|dependency| normal(&dependency["dep_kinds"]));
        let to: BTreeSet<String> = to.filter_map(|dependency| named(&dependency["pkg"])).collect();
        edges.insert(from, to);
    }
    edges.into_iter().map(|(from, to)| json!({"ref": from, "dependsOn": to})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_described_without_tools_of_its_build() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let bytes = make(root, &crate::binary::target()).unwrap();
        let sbom: Value = serde_json::from_slice(&bytes).unwrap();
        let components = sbom["components"].as_array().unwrap();
        let find = |name: &str| components.iter().find(|component| component["name"] == name);
        let tokio = find("tokio").expect("tokio is linked");
        let version = tokio["version"].as_str().unwrap();
        assert_eq!(tokio["purl"], format!("pkg:cargo/tokio@{version}"));
        assert_eq!(tokio["licenses"][0]["expression"], "MIT");
        assert_eq!(tokio["hashes"][0]["content"].as_str().unwrap().len(), 64);
        assert!(find("seawall-model").unwrap()["purl"].is_null());
        let react = find("react").expect("the user interface is embedded");
        let version = react["version"].as_str().unwrap();
        assert_eq!(react["purl"], format!("pkg:npm/react@{version}"));
        assert!(
            find("@mantine/core").unwrap()["purl"].as_str().unwrap().contains("%40mantine/core@")
        );
        for absent in [
            "vite",
            "typescript",
            "serde_derive",
            "proptest",
            "protox",
            "tonic-prost-build",
            "seawall-cli",
            "xtask",
        ] {
            assert!(find(absent).is_none(), "{absent} is not linked");
        }
        let references: BTreeSet<&str> = components
            .iter()
            .chain([&sbom["metadata"]["component"]])
            .filter_map(|c| c["bom-ref"].as_str())
            .collect();
        assert_eq!(references.len(), components.len() + 1, "references are unique");
        for edge in sbom["dependencies"].as_array().unwrap() {
            let ends = edge["dependsOn"].as_array().unwrap().iter().chain([&edge["ref"]]);
            ends.for_each(|end| assert!(references.contains(end.as_str().unwrap()), "{end}"));
        }
        assert_eq!(sbom["metadata"]["component"]["name"], "seawall");
    }

    #[test]
    fn old_licence_expressions_are_read() {
        let linked = linked("seawall-cli v0.1.0 (/w)\nold v1.0.0\nold v1.0.0 (*)\n");
        let metadata = json!({"packages": [
            {"id": "cli", "name": "seawall-cli", "version": VERSION, "source": null, "license": "Apache-2.0"},
            {"id": "old", "name": "old", "version": "1.0.0", "source": "registry", "license": "MIT/Apache-2.0"},
            {"id": "not", "name": "not", "version": "1.0.0", "source": "registry", "license": "MIT"},
        ], "resolve": {"nodes": [
            {"id": "cli", "deps": [{"pkg": "old", "dep_kinds": [{"kind": null}]}, {"pkg": "not", "dep_kinds": [{"kind": null}]}]},
        ]}});
        let sums =
            checksums("[[package]]\nname = \"old\"\nversion = \"1.0.0\"\nchecksum = \"ab\"\n");
        let sbom = document(&linked, &metadata, &sums).unwrap();
        assert_eq!(
            sbom["components"],
            json!([{
                "type": "library", "bom-ref": "pkg:cargo/old@1.0.0", "name": "old", "version": "1.0.0",
                "purl": "pkg:cargo/old@1.0.0", "licenses": [{"expression": "MIT OR Apache-2.0"}],
                "hashes": [{"alg": "SHA-256", "content": "ab"}],
            }])
        );
        assert_eq!(
            sbom["dependencies"],
            json!([{"ref": "seawall-cli@0.1.0", "dependsOn": ["pkg:cargo/old@1.0.0"]}])
        );
    }
}
