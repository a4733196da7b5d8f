//! Arrows point down only: applications → adapters and engines → vocabulary. No engine names another engine or an
//! adapter. What a crate may name of ours stands here, one line each; heavy crates have one room.
use super::Complaint;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Crate → the crates of ours it may depend on. A crate not listed may not exist.
const PERMITTED: &[(&str, &[&str])] = &[
    // vocabulary
    ("seawall-model", &[]),
    ("seawall-content", &[]),
    ("seawall-wire", &["model"]),
    // languages: text → program → value; they know no object of Kubernetes
    ("seawall-cel", &[]),
    ("seawall-rego", &[]),
    // engines
    ("seawall-rules", &["model"]),
    ("seawall-policy", &["model", "cel", "rego"]),
    ("seawall-posture", &["model", "cel", "policy"]),
    ("seawall-extract", &["model"]),
    ("seawall-vuln", &["model"]),
    // adapters
    ("seawall-feeds", &["model", "vuln"]),
    ("seawall-oci", &["model"]),
    ("seawall-cluster", &["model"]),
    ("seawall-store", &["model"]),
    ("seawall-uplink", &["model", "wire"]),
    // applications
    ("seawall-scan", &["model", "extract", "vuln", "oci", "feeds", "posture"]),
    (
        "seawall-sensor",
        &["model", "content", "rules", "posture", "oci", "scan", "uplink", "extract"],
    ),
    ("seawall-agent", &["model", "content", "wire", "posture", "rules", "cluster", "uplink"]),
    (
        "seawall-hub",
        &["model", "content", "wire", "store", "vuln", "feeds", "posture", "rules", "scan"],
    ),
    ("seawall-cli", &["*"]),
    ("seawall-e2e", &["*"]),
    ("seawall-bench", &["*"]),
    ("seawall-fuzz", &["*"]),
    ("xtask", &[]),
];

/// Heavy crate → the only rooms that may name it.
const FENCED: &[(&str, &[&str])] = &[
    ("kube", &["seawall-cluster"]),
    ("sqlx", &["seawall-store"]),
    ("aya", &["seawall-sensor"]),
    ("axum", &["seawall-hub"]),
    ("stacker", &["seawall-cel"]),
    ("regorus", &["seawall-rego"]),
];

/// `cargo metadata` of the workspace at `root`, without dependencies' own.
pub(super) fn metadata(root: &Path) -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")
}

/// Dev-dependencies may point anywhere: a test joins what it likes.
pub(super) fn check(metadata: &Value) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let workspace = metadata["workspace_root"].as_str().unwrap_or_default();
        let manifest = manifest.strip_prefix(workspace).unwrap_or(manifest).trim_start_matches('/');
        let Some((_, permitted)) = PERMITTED.iter().find(|(room, _)| *room == name) else {
            complaints.push(Complaint::new(
                manifest,
                "arrow",
                format!("no room is planned for crate `{name}`"),
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"] == "dev" {
                continue;
            }
            let target = dependency["name"].as_str().unwrap_or_default();
            if let Some(ours) = target.strip_prefix("seawall-")
                && !permitted.contains(&ours)
                && !permitted.contains(&"*")
            {
                let message = format!("`{name}` may not name `{target}`: arrows point down only");
                complaints.push(Complaint::new(manifest, "arrow", message));
            }
            if let Some((_, rooms)) = FENCED.iter().find(|(heavy, _)| *heavy == target)
                && !rooms.contains(&name)
            {
                let message = format!("`{target}` is fenced off in {}", rooms.join(", "));
                complaints.push(Complaint::new(manifest, "arrow", message));
            }
        }
    }
    complaints
}

#[test]
fn forbidden_arrows_are_told() {
    let package = |name: &str, dependencies: &[(&str, Value)]| {
        let dependencies: Vec<Value> = dependencies
            .iter()
            .map(|(name, kind)| serde_json::json!({"name": name, "kind": kind}))
            .collect();
        serde_json::json!({"name": name, "manifest_path": format!("/w/{name}/Cargo.toml"), "dependencies": dependencies})
    };
    let metadata = serde_json::json!({"workspace_root": "/w", "packages": [
        package("seawall-rules", &[("seawall-model", Value::Null), ("seawall-vuln", Value::Null)]),
        package("seawall-posture", &[("seawall-vuln", "dev".into()), ("kube", Value::Null)]),
        package("seawall-cli", &[("seawall-hub", Value::Null)]),
        package("seawall-utils", &[]),
    ]});
    let told: Vec<String> = check(&metadata).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "seawall-rules/Cargo.toml: error[arrow]: `seawall-rules` may not name `seawall-vuln`: arrows point down only",
            "seawall-posture/Cargo.toml: error[arrow]: `kube` is fenced off in seawall-cluster",
            "seawall-utils/Cargo.toml: error[arrow]: no room is planned for crate `seawall-utils`",
        ]
    );
}
