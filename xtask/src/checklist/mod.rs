//! `cargo xtask checklist`: each row of the three checklists with the controls that answer it, or the reason why none
//! does. A row with neither is a failure, and so are too many excuses.
//!
//! ```text
//! content/controls ─id, covers─┐
//! facts/controls.json ─key─────┼─► rows ─► answers ─► lines, complaints
//! content/checklist.yaml, content/parity/*.yaml ─reasons, keys─┘
//! ```
mod answers;
mod rows;

use answers::{Answer, Answers};
use anyhow::Result;
use rows::{List, Row};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Rows outside the clouds that may rest on an excuse: past this the checklist is not answered but excused.
const MAX_EXCUSED: usize = 40;

/// Lines for people, and what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Checklist {
    pub(crate) lines: String,
    pub(crate) complaints: Vec<String>,
    /// Checklists that were not there.
    pub(crate) skipped: Vec<PathBuf>,
}

/// `facts`: the folder of the checklists; by default `../shared/facts` beside the workspace.
pub(crate) fn run(root: &Path, facts: Option<&Path>) -> Result<Checklist> {
    let beside = root.parent().unwrap_or(root).join("shared/facts");
    let facts = facts.unwrap_or(&beside);
    let mut checklist = Checklist::default();
    let mut answers = Answers::read(root)?;
    let mut excused = Vec::new();
    for list in rows::LISTS {
        let path = facts.join(list.file);
        if !path.is_file() {
            checklist.skipped.push(path);
            continue;
        }
        let rows = list.rows(&path)?;
        if list.is_index {
            answers.know(rows.iter().map(|row| row.name.clone()).collect());
        }
        print(list, &rows, &answers, &mut checklist, &mut excused);
        checklist.complaints.extend(answers.strangers(list, &rows));
    }
    if !checklist.skipped.is_empty() {
        return Ok(checklist);
    }
    checklist.complaints.extend(answers.unknown_keys());
    let _infallible =
        writeln!(checklist.lines, "{} rows outside the clouds rest on an excuse", excused.len());
    if excused.len() > MAX_EXCUSED {
        let message = format!(
            "{} rows outside the clouds rest on {}; {MAX_EXCUSED} may: {}",
            excused.len(),
            answers::EXCUSES.join(", "),
            excused.join(", ")
        );
        checklist.complaints.push(message);
    }
    Ok(checklist)
}

fn print(
    list: &List,
    rows: &[Row],
    answers: &Answers,
    checklist: &mut Checklist,
    excused: &mut Vec<String>,
) {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let (mut answered, mut reasoned, mut open) = (0, 0, 0);
    let _infallible = writeln!(checklist.lines, "# {}", list.file);
    for row in rows {
        let told = match answers.of(list, row) {
            Ok(Answer::Controls(ids)) => {
                answered += 1;
                ids.join(" ")
            }
            Ok(Answer::Reason(reason)) => {
                reasoned += 1;
                if !row.cloud && answers::is_excuse(&reason) {
                    excused.push(row.name.clone());
                }
                reason
            }
            Err(message) => {
                open += 1;
                checklist.complaints.push(format!("{}: `{}` {message}", list.file, row.name));
                "-".to_owned()
            }
        };
        let _infallible = writeln!(checklist.lines, "{:width$}  {told}", row.name);
    }
    let _infallible = writeln!(
        checklist.lines,
        "{} rows: {answered} by controls, {reasoned} by a reason, {open} by neither\n",
        rows.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROLS: &str = r#"[{"key": "wl.a", "kind": "workload"}, {"key": "wl.b", "kind": "workload"},
        {"key": "aks.c", "kind": "cloud(aks)"}]"#;
    const DEFENDER: &str = r#"{"recommendations": [{"title": "A should not", "type": "data plane"},
        {"title": "Cloud", "type": "control plane"}]}"#;
    const AZURE: &str = r#"{"kubernetes_policies": [{"name": "NoA"}]}"#;

    /// A workspace with one control that covers `wl.a`, and these files over the usual ones.
    #[track_caller]
    fn check(files: &[(&str, &str)], complaints: &[&str]) {
        let dir = tempfile::tempdir().unwrap();
        let usual = [
            ("work/content/controls/workload/a.yaml", "id: SW-C-0001\ncovers: [wl.a]\n"),
            ("work/content/checklist.yaml", "wl.b: manual\naks.c: needs cloud\n"),
            ("work/content/parity/defender.yaml", "\"A should not\": [wl.a]\nCloud: needs cloud\n"),
            ("work/content/parity/azure-policies.yaml", "NoA: [wl.a]\n"),
            ("shared/facts/controls.json", CONTROLS),
            ("shared/facts/defender-recommendations.json", DEFENDER),
            ("shared/facts/azure-policies.json", AZURE),
        ];
        for (path, text) in usual.iter().chain(files) {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let checklist = run(&dir.path().join("work"), None).unwrap();
        assert_eq!(checklist.complaints, complaints, "{}", checklist.lines);
        assert!(checklist.skipped.is_empty());
    }

    #[test]
    fn every_row_has_a_control_or_a_reason() {
        check(&[], &[]);
        check(
            &[("work/content/checklist.yaml", "aks.c: needs cloud\n")],
            &["controls.json: `wl.b` has neither a control nor a reason"],
        );
        check(
            &[("work/content/checklist.yaml", "wl.b: too hard\naks.c: needs cloud\n")],
            &[
                "controls.json: `wl.b` has the reason `too hard`, which is none of needs cloud, manual, duplicate of KEY, deprecated, scanner or gate, sensor or plan, ships as a fix",
            ],
        );
        check(
            &[(
                "work/content/checklist.yaml",
                "wl.a: manual\nwl.b: duplicate of wl.a\naks.c: manual\n",
            )],
            &["controls.json: `wl.a` has a control, SW-C-0001, and the reason `manual`"],
        );
        check(
            &[("work/content/checklist.yaml", "wl.b: duplicate of wl.b\naks.c: manual\n")],
            &["controls.json: `wl.b` is a duplicate of wl.b, which no control covers"],
        );
        check(
            &[("work/content/parity/azure-policies.yaml", "NoA: [wl.b]\n")],
            &["azure-policies.json: `NoA` is answered by wl.b, which no control covers"],
        );
        check(
            &[("work/content/parity/azure-policies.yaml", "NoA: [wl.a]\nNoB: [wl.a]\n")],
            &["azure-policies.json: no row is called `NoB`"],
        );
        check(
            &[("work/content/controls/workload/b.yaml", "id: SW-C-0002\ncovers: [wl.x]\n")],
            &["SW-C-0002 covers `wl.x`, which is no key of controls.json"],
        );
    }

    #[test]
    fn excuses_are_counted() {
        let keys: Vec<String> = (0..=MAX_EXCUSED).map(|n| format!("wl.n{n}")).collect();
        let rows: Vec<String> =
            keys.iter().map(|key| format!("{{\"key\": \"{key}\", \"kind\": \"node\"}}")).collect();
        let controls = CONTROLS.replace('[', &format!("[{},", rows.join(",")));
        let excuses = |kept: usize| {
            let excuses: String =
                keys[kept..].iter().map(|key| format!("{key}: manual\n")).collect();
            let others: String =
                keys[..kept].iter().map(|key| format!("{key}: sensor or plan\n")).collect();
            format!("aks.c: needs cloud\nwl.b: scanner or gate\n{excuses}{others}")
        };
        let facts = ("shared/facts/controls.json", controls.as_str());
        check(&[facts, ("work/content/checklist.yaml", &excuses(1))], &[]);
        let all = keys.join(", ");
        check(
            &[facts, ("work/content/checklist.yaml", &excuses(0))],
            &[&format!(
                "41 rows outside the clouds rest on needs cloud, manual, duplicate of KEY, deprecated; 40 may: {all}"
            )],
        );
    }

    #[test]
    fn lists_that_are_not_there_are_said_to_be_skipped() {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("content/checklist.yaml", "{}"),
            ("content/parity/defender.yaml", "{}"),
            ("content/parity/azure-policies.yaml", "{}"),
        ] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let checklist = run(dir.path(), Some(Path::new("/none"))).unwrap();
        assert_eq!((checklist.skipped.len(), checklist.complaints.len()), (3, 0));
    }
}
