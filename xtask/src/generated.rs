//! Files that a program writes and people commit: each with the command that makes it.
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

/// One generated file.
pub(crate) struct Generated {
    /// Path below the root.
    pub(crate) path: &'static str,
    /// Program and arguments, run in the root, that print the file.
    pub(crate) command: &'static [&'static str],
}

/// In order: a later one may read an earlier one.
pub(crate) static ALL: &[Generated] = &[
    Generated {
        path: "crates/hub/openapi.json",
        // The whole workspace, so that features and thereby artifacts are those of the tests.
        command: &[
            "sh",
            "-c",
            "cargo build --quiet --workspace && \"${CARGO_TARGET_DIR:-target}/debug/seawall\" hub openapi",
        ],
    },
    Generated {
        path: "web/src/api/schema.ts",
        command: &["npm", "--prefix", "web", "run", "--silent", "schema"],
    },
];

/// What the command prints now.
pub(crate) fn render(root: &Path, generated: &Generated) -> Result<Vec<u8>> {
    let (program, arguments) =
        generated.command.split_first().context("a generated file has a command")?;
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .with_context(|| format!("cannot run {program} for {}", generated.path))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} for {} failed:\n{errors}", program, generated.path);
    Ok(output.stdout)
}

/// Writes every generated file.
pub(crate) fn write(root: &Path) -> Result<()> {
    for generated in ALL {
        let text = render(root, generated)?;
        let path = root.join(generated.path);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
