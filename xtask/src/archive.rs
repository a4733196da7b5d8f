//! Archives whose bytes are a function of their content: tar (POSIX ustar), gzip and ar.
use anyhow::{Context, Result, ensure};
use std::io::Write;

/// One file or folder of a tar archive.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Without a leading slash; a folder's ends in one.
    pub(crate) path: String,
    pub(crate) mode: u32,
    /// User and group.
    pub(crate) owner: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Entry {
    pub(crate) fn file(path: impl Into<String>, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), mode, owner: 0, bytes: bytes.into() }
    }

    pub(crate) fn folder(path: impl Into<String>, mode: u32, owner: u32) -> Self {
        Self { path: format!("{}/", path.into()), mode, owner, bytes: Vec::new() }
    }
}

/// The entries in the given order, all of one time (seconds since 1970).
pub(crate) fn tar(entries: &[Entry], time: u64) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for entry in entries {
        out.extend(header(entry, time).with_context(|| format!("tar entry {}", entry.path))?);
        out.extend(&entry.bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    // Two empty blocks end the archive.
    out.resize(out.len() + 1024, 0);
    Ok(out)
}

/// The folders above every entry that no entry is, each once and before what lies in it; then everything by path.
pub(crate) fn with_folders(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut missing = Vec::new();
    for entry in &entries {
        let inner = entry.path.trim_end_matches('/');
        missing.extend(inner.match_indices('/').map(|(at, _)| inner[..at].to_owned()));
    }
    missing.sort();
    missing.dedup();
    missing.retain(|folder| !entries.iter().any(|entry| entry.path == format!("{folder}/")));
    entries.extend(missing.into_iter().map(|folder| Entry::folder(folder, 0o755, 0)));
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries
}

fn header(entry: &Entry, time: u64) -> Result<[u8; 512]> {
    let mut header = [0; 512];
    // A long path is split at a slash into prefix and name.
    let (prefix, name) = match entry.path.len() {
        ..=100 => ("", entry.path.as_str()),
        _ => {
            let at = entry.path.match_indices('/').map(|(at, _)| at);
            let at = at.filter(|at| *at <= 155).find(|at| entry.path.len() - at - 1 <= 100);
            let at = at.context("the path is too long for ustar")?;
            (&entry.path[..at], &entry.path[at + 1..])
        }
    };
    let mut put = |at: usize, text: &str| {
        header[at..at + text.len()].copy_from_slice(text.as_bytes());
    };
    put(0, name);
    put(100, &format!("{:07o}", entry.mode));
    put(108, &format!("{:07o}", entry.owner));
    put(116, &format!("{:07o}", entry.owner));
    let size = format!("{:011o}", entry.bytes.len());
    ensure!(size.len() == 11, "larger than 8 GiB");
    put(124, &size);
    put(136, &format!("{time:011o}"));
    // The checksum counts its own field as spaces.
    put(148, "        ");
    put(156, if entry.path.ends_with('/') { "5" } else { "0" });
    put(257, "ustar\x0000");
    put(345, prefix);
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

/// Without time and name in the header.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// The archive format of Debian packages. Source: deb(5).
pub(crate) fn ar(members: &[(&str, Vec<u8>)], time: u64) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        out.extend(
            format!("{name:<16}{time:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, "100644", bytes.len())
                .as_bytes(),
        );
        out.extend(bytes);
        if bytes.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// GNU tar's reading of the archive.
    fn listed(entries: &[Entry]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        std::fs::write(&path, tar(entries, 86_400).unwrap()).unwrap();
        let output = Command::new("tar").env("TZ", "UTC").arg("tvf").arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn tar_reads_what_we_write() {
        let deep = format!("{}/{}", "d".repeat(120), "f".repeat(90));
        let entries = with_folders(vec![
            Entry::file("etc/passwd", 0o644, "root"),
            Entry::folder("data", 0o750, 65532),
            Entry::file(deep.clone(), 0o755, vec![7; 513]),
        ]);
        let expected = format!(
            "drwxr-x--- 65532/65532      0 1970-01-02 00:00 data/\n\
             drwxr-xr-x 0/0               0 1970-01-02 00:00 {0}/\n\
             -rwxr-xr-x 0/0             513 1970-01-02 00:00 {deep}\n\
             drwxr-xr-x 0/0               0 1970-01-02 00:00 etc/\n\
             -rw-r--r-- 0/0               4 1970-01-02 00:00 etc/passwd\n",
            "d".repeat(120)
        );
        let columns = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(columns(&listed(&entries)), columns(&expected));
    }

    #[test]
    fn a_path_that_does_not_fit_is_an_error() {
        assert!(tar(&[Entry::file("f".repeat(101), 0o644, "")], 0).is_err());
    }
}
