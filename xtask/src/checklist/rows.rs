//! The rows of a checklist, and how each list names them.
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;

/// One published list.
pub(super) struct List {
    /// In the folder of facts.
    pub(super) file: &'static str,
    /// Where its rows stand; empty for the document itself.
    pointer: &'static str,
    name: &'static str,
    cloud: fn(&Value) -> bool,
    /// Its names are the keys that controls cover.
    pub(super) is_index: bool,
    /// Below `content/`: what is said of its rows.
    pub(super) answers: &'static str,
}

/// The index comes first: the others are answered by its keys.
pub(super) static LISTS: &[List] = &[
    List {
        file: "controls.json",
        pointer: "",
        name: "key",
        cloud: |row| text(row, "kind").starts_with("cloud("),
        is_index: true,
        answers: "checklist.yaml",
    },
    List {
        file: "defender-recommendations.json",
        pointer: "/recommendations",
        name: "title",
        // What is asked of Kubernetes itself; the rest is asked of accounts, registries and other services.
        cloud: |row| {
            !matches!(text(row, "type"), "data plane" | "container-level KSPM" | "host hardening")
        },
        is_index: false,
        answers: "parity/defender.yaml",
    },
    List {
        file: "azure-policies.json",
        pointer: "/kubernetes_policies",
        name: "name",
        cloud: |_| false,
        is_index: false,
        answers: "parity/azure-policies.yaml",
    },
];

pub(super) struct Row {
    pub(super) name: String,
    /// Asked of a cloud, which only its own description can answer.
    pub(super) cloud: bool,
}

impl List {
    pub(super) fn rows(&self, path: &Path) -> Result<Vec<Row>> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let document: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is no JSON", path.display()))?;
        let rows = document.pointer(self.pointer).and_then(Value::as_array);
        let rows = rows.with_context(|| format!("{} holds no rows", path.display()))?;
        let row = |row: &Value| Row {
            name: self::text(row, self.name).to_owned(),
            cloud: (self.cloud)(row),
        };
        Ok(rows.iter().map(row).collect())
    }
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}
