//! Content entries: ids that are well formed, unique and never reused; techniques that ATT&CK has; a firing and a
//! silent test each.
use super::{Complaint, files, read};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The kinds of entries: folder, id prefix, what a firing and a silent test is.
struct Kind {
    folder: &'static str,
    prefix: &'static str,
    fires: fn(&Value) -> bool,
    silent: fn(&Value) -> bool,
}

const KINDS: [Kind; 2] = [
    Kind {
        folder: "content/detections",
        prefix: "SW-D-",
        fires: |test| test["expect"] == "fire",
        silent: |test| test["expect"] == "silent",
    },
    Kind {
        folder: "content/controls",
        prefix: "SW-C-",
        fires: |test| !test["fails"].is_null(),
        silent: |test| !test["passes"].is_null(),
    },
];

pub(super) fn check(root: &Path) -> Result<Vec<Complaint>> {
    let techniques = techniques(root)?;
    let retired = std::fs::read_to_string(root.join("content/retired.txt")).unwrap_or_default();
    let mut complaints = Vec::new();
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for kind in &KINDS {
        for path in files(root, kind.folder, ".yaml")? {
            if path.components().any(|part| part.as_os_str() == "_lib") {
                continue;
            }
            for entry in entries(root, &path)? {
                let id = entry["id"].as_str().unwrap_or_default().to_owned();
                if !well_formed(&id, kind.prefix) {
                    let message = format!("`{id}` is no id: expected {}NNNN", kind.prefix);
                    complaints.push(Complaint::new(&path, "id", message));
                }
                if retired.lines().any(|line| line.split_whitespace().next() == Some(&id)) {
                    complaints.push(Complaint::new(
                        &path,
                        "id",
                        format!("{id} is retired: ids are never reused"),
                    ));
                }
                if let Some(first) = seen.insert(id.clone(), path.clone()) {
                    let message = format!("{id} is also the id of {}", first.display());
                    complaints.push(Complaint::new(&path, "id", message));
                }
                complaints.extend(unknown_techniques(&path, &entry, &techniques));
                complaints.extend(missing_tests(&path, &entry, kind));
            }
        }
    }
    Ok(complaints)
}

/// A detection file is a list, a control file one mapping.
fn entries(root: &Path, path: &Path) -> Result<Vec<Value>> {
    let text = read(root, path)?;
    let value: Value =
        serde_saphyr::from_str(&text).with_context(|| format!("{} is no YAML", path.display()))?;
    Ok(match value {
        Value::Array(entries) => {
            entries.into_iter().filter(|entry| !entry["rule"].is_null()).collect()
        }
        entry => vec![entry],
    })
}

fn well_formed(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix)
        .is_some_and(|number| number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Every technique id that `content/attack.yaml` lists.
fn techniques(root: &Path) -> Result<BTreeSet<String>> {
    let path = Path::new("content/attack.yaml");
    let attack: Value =
        serde_saphyr::from_str(&read(root, path)?).context("content/attack.yaml is no YAML")?;
    let list =
        attack["techniques"].as_array().context("content/attack.yaml has no list `techniques`")?;
    Ok(list.iter().filter_map(|technique| technique["id"].as_str().map(str::to_owned)).collect())
}

fn unknown_techniques(path: &Path, entry: &Value, techniques: &BTreeSet<String>) -> Vec<Complaint> {
    let named = entry["mitre"].as_array().or_else(|| entry["frameworks"]["mitre"].as_array());
    let named = named.into_iter().flatten().filter_map(Value::as_str);
    let unknown = named.filter(|technique| !techniques.contains(*technique));
    unknown
        .map(|technique| {
            Complaint::new(
                path,
                "technique",
                format!("`{technique}` is not in content/attack.yaml"),
            )
        })
        .collect()
}

fn missing_tests(path: &Path, entry: &Value, kind: &Kind) -> Vec<Complaint> {
    let tests: Vec<&Value> = entry["tests"].as_array().into_iter().flatten().collect();
    let mut complaints = Vec::new();
    for (holds, what) in [(kind.fires as fn(&Value) -> bool, "firing"), (kind.silent, "silent")] {
        if !tests.iter().any(|test| holds(test)) {
            complaints.push(Complaint::new(path, "content-test", format!("has no {what} test")));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use crate::tidy::tree;

    const ATTACK: (&str, &str) = ("content/attack.yaml", "techniques:\n- {id: T1059, name: x}\n");
    const TESTS: &str = "tests: [{expect: fire}, {expect: silent}]";

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let mut files = files.to_vec();
        files.push(ATTACK);
        tree::check(super::check, &files, expected);
    }

    fn detection(id: &str, mitre: &str, tests: &str) -> String {
        format!("- rule: a\n  id: {id}\n  mitre: [{mitre}]\n  {tests}\n")
    }

    #[test]
    fn a_sound_entry_passes() {
        check(
            &[("content/detections/execution/a.yaml", &detection("SW-D-0001", "T1059", TESTS))],
            &[],
        );
    }

    #[test]
    fn malformed_and_duplicate_ids_are_told() {
        check(
            &[
                ("content/detections/execution/a.yaml", &detection("SW-D-1", "T1059", TESTS)),
                ("content/detections/execution/b.yaml", &detection("SW-D-0002", "T1059", TESTS)),
                ("content/detections/execution/c.yaml", &detection("SW-D-0002", "T1059", TESTS)),
                ("content/detections/execution/d.yaml", &detection("SW-D-0003", "T1059", TESTS)),
                ("content/retired.txt", "SW-D-0003 replaced\n"),
            ],
            &[
                "content/detections/execution/a.yaml id",
                "content/detections/execution/c.yaml id",
                "content/detections/execution/d.yaml id",
            ],
        );
    }

    #[test]
    fn unknown_techniques_are_told() {
        let control =
            "id: SW-C-0001\nframeworks: {mitre: [T9999]}\ntests: [{fails: {}}, {passes: {}}]\n";
        check(
            &[
                ("content/detections/execution/a.yaml", &detection("SW-D-0001", "T1060", TESTS)),
                ("content/controls/workload/a.yaml", control),
            ],
            &[
                "content/detections/execution/a.yaml technique",
                "content/controls/workload/a.yaml technique",
            ],
        );
    }

    #[test]
    fn missing_tests_are_told() {
        let control = "id: SW-C-0001\ntests: [{fails: {}}]\n";
        check(
            &[
                (
                    "content/detections/execution/a.yaml",
                    &detection("SW-D-0001", "T1059", "tests: [{expect: silent}]"),
                ),
                ("content/controls/workload/a.yaml", control),
            ],
            &[
                "content/detections/execution/a.yaml content-test",
                "content/controls/workload/a.yaml content-test",
            ],
        );
    }
}
