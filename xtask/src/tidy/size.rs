//! A file is read in one sitting: warned over 500 lines, refused over 1,000, its tests apart.
use super::{Complaint, files, read};
use anyhow::Result;
use std::path::Path;

const WARN_LINES: usize = 500;
const FAIL_LINES: usize = 1000;

pub(super) fn check(root: &Path) -> Result<Vec<Complaint>> {
    let mut complaints = Vec::new();
    for (folder, suffix) in [
        ("crates", ".rs"),
        ("xtask", ".rs"),
        ("e2e", ".rs"),
        ("web/src", ".ts"),
        ("web/src", ".tsx"),
    ] {
        for path in files(root, folder, suffix)? {
            let text = read(root, &path)?;
            let is_test = path.components().any(|part| part.as_os_str() == "tests");
            let is_generated =
                crate::generated::ALL.iter().any(|generated| Path::new(generated.path) == path);
            if is_test || is_generated {
                continue;
            }
            let lines = text.split("#[cfg(test)]").next().unwrap_or(&text).lines().count();
            if lines > FAIL_LINES {
                let message =
                    format!("{lines} lines without tests, at most {FAIL_LINES}: split along nouns");
                complaints.push(Complaint::new(path, "size", message));
            } else if lines > WARN_LINES {
                let message = format!("{lines} lines without tests, better under {WARN_LINES}");
                complaints.push(Complaint::new(path, "size", message).warning());
            }
        }
    }
    Ok(complaints)
}

#[test]
fn long_files_are_told() {
    let long = "// line\n".repeat(1001);
    let tested = format!("// line\n#[cfg(test)]\n{long}");
    super::tree::check(
        check,
        &[("crates/a/src/long.rs", &long), ("crates/a/src/tested.rs", &tested)],
        &["crates/a/src/long.rs size"],
    );
}
