//! Generated files are committed and current.
use super::Complaint;
use crate::generated::{ALL, Generated, render};
use anyhow::Result;
use std::path::Path;

pub(super) fn check(root: &Path) -> Result<Vec<Complaint>> {
    check_all(root, ALL)
}

fn check_all(root: &Path, all: &[Generated]) -> Result<Vec<Complaint>> {
    let mut complaints = Vec::new();
    for generated in all {
        let committed = std::fs::read(root.join(generated.path)).unwrap_or_default();
        if render(root, generated)? != committed {
            complaints.push(Complaint::new(
                generated.path,
                "stale",
                "run `cargo xtask gen` and commit the result",
            ));
        }
    }
    Ok(complaints)
}

#[test]
fn stale_files_are_told() {
    let all = [
        Generated { path: "fresh.txt", command: &["printf", "new"] },
        Generated { path: "stale.txt", command: &["printf", "new"] },
    ];
    super::tree::check(
        |root| check_all(root, &all),
        &[("fresh.txt", "new"), ("stale.txt", "old")],
        &["stale.txt stale"],
    );
}
