//! The binary that is shipped: built static, or given with the shared libraries it needs.
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program and what must lie beside it.
pub(crate) struct Binary {
    pub(crate) bytes: Vec<u8>,
    /// Absolute path and bytes; none for a static program.
    pub(crate) libraries: Vec<(String, Vec<u8>)>,
}

/// The given program, else the release build.
pub(crate) fn load(root: &Path, given: Option<&Path>) -> Result<Binary> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => build(root)?,
    };
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let dynamic =
        is_dynamic(&bytes).with_context(|| format!("{} is no program", path.display()))?;
    ensure!(given.is_some() || !dynamic, "{} is not static", path.display());
    let libraries = if dynamic { libraries(&path)? } else { Vec::new() };
    Ok(Binary { bytes, libraries })
}

/// This machine's architecture; there is no cross-compiler to rely on.
pub(crate) fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// As Debian, Docker and Go call it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Static against glibc: it needs 2.34 or later, whose look-up of host names is built in (`crates/cli/src/names.rs`).
/// The explicit target keeps build scripts and procedural macros, which cannot be static, out of it.
fn build(root: &Path) -> Result<PathBuf> {
    let target = target();
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let status = Command::new(cargo())
        .args(["build", "--release", "--package", "seawall-cli", "--target", &target])
        .env("RUSTFLAGS", format!("{flags} -C target-feature=+crt-static"))
        .current_dir(root)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "cargo build failed");
    let folder = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let folder = root.join(folder.unwrap_or_else(|| "target".into()));
    Ok(folder.join(target).join("release/seawall"))
}

/// The cargo that runs us.
pub(crate) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Whether a 64-bit little-endian ELF program names a loader: it has a segment of type PT_INTERP (3).
/// Source: elf(5).
fn is_dynamic(bytes: &[u8]) -> Result<bool> {
    let word = |at: usize, length: usize| -> Result<usize> {
        let field = bytes.get(at..at + length).context("cut short")?;
        Ok(field.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte)))
    };
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        bail!("not an ELF file of 64 bits");
    }
    let (table, size, count) = (word(32, 8)?, word(54, 2)?, word(56, 2)?);
    for index in 0..count {
        if word(table + index * size, 4)? == 3 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the loader of this machine would map, the loader included, by the paths it would open.
fn libraries(program: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let output = Command::new("ldd").arg(program).output().context("cannot run ldd")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "ldd {}: {text}", program.display());
    let mut found = Vec::new();
    for path in library_paths(&text)? {
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {path}"))?;
        found.push((path, bytes));
    }
    Ok(found)
}

/// Lines are `NAME => PATH (ADDRESS)`, `PATH (ADDRESS)` for the loader, and the kernel's own without a path.
fn library_paths(listing: &str) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for line in listing.lines().map(str::trim) {
        if line.contains("not found") {
            bail!("a shared library is missing: {line}");
        }
        let path = line.split_once(" => ").map_or(line, |(_, path)| path);
        let path = path.split(" (").next().unwrap_or_default();
        if path.starts_with('/') {
            paths.push(path.to_owned());
        }
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_of_libraries_is_read() {
        let listing = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibm.so.6 => /lib/x/libm.so.6 (0x7f)\n\
                       \tlibc.so.6 => /lib/x/libc.so.6 (0x7f)\n\t/lib64/ld-linux-x86-64.so.2 (0x7f)\n";
        assert_eq!(
            library_paths(listing).unwrap(),
            ["/lib/x/libc.so.6", "/lib/x/libm.so.6", "/lib64/ld-linux-x86-64.so.2"]
        );
        assert!(library_paths("\tliblost.so => not found\n").is_err());
    }

    #[test]
    fn our_own_test_program_names_a_loader() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(is_dynamic(&own).unwrap());
        assert!(is_dynamic(b"#!/bin/sh\n").is_err());
    }
}
