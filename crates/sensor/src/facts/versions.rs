//! The Kubernetes version of a program, from what Go's linker records of its modules and flags. Programs are not run
//! to ask them.
//! Source: Go `debug/buildinfo/buildinfo.go` (module text in a writable segment), Kubernetes `hack/lib/version.sh`
//! (`-X k8s.io/component-base/version.gitVersion`), elf(5).
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bytes of one writable segment that are searched; the kubelet's has 3 MB.
const MAX_SEGMENT: u64 = 64 << 20;
/// What stands before the version: the linker flag of releases, then the module where it was built as one.
const MARKS: [&[u8]; 2] = [b"component-base/version.gitVersion=v", b"\tk8s.io/kubernetes\tv"];
/// Letters of a version; `v1.29.3-gke.1282000+abc` has 24.
const MAX_VERSION: usize = 64;

/// What is known of programs' files, by device, inode and time of change: each is searched once.
#[derive(Debug, Default)]
pub struct Versions(HashMap<(u64, u64, i64), Option<String>>);

impl Versions {
    /// Of the running `process`, `/proc/PID`.
    pub(super) fn of(&mut self, process: &Path) -> Option<String> {
        let file = File::open(process.join("exe")).ok()?;
        let metadata = file.metadata().ok()?;
        let key = (metadata.dev(), metadata.ino(), metadata.mtime());
        self.0.entry(key).or_insert_with(|| search(file)).clone()
    }
}

fn search(mut file: File) -> Option<String> {
    let mut header = [0; 64];
    file.read_exact(&mut header).ok()?;
    // 64-bit, little-endian; nodes of other kinds run no current Kubernetes.
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let number =
        |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    let (table, size, count) =
        (number(&header[32..40]), number(&header[54..56]), number(&header[56..58]));
    for index in 0..count.min(64) {
        let mut segment = [0; 56];
        file.seek(SeekFrom::Start(table.checked_add(index * size)?)).ok()?;
        file.read_exact(&mut segment).ok()?;
        let (kind, flags) = (number(&segment[0..4]), number(&segment[4..8]));
        let (at, length) = (number(&segment[8..16]), number(&segment[32..40]));
        // PT_LOAD, writable and not executable.
        if kind != 1 || flags & 3 != 2 {
            continue;
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(at)).ok()?;
        (&file).take(length.min(MAX_SEGMENT)).read_to_end(&mut bytes).ok()?;
        if let Some(version) = MARKS.iter().find_map(|mark| after(&bytes, mark)) {
            return Some(version);
        }
    }
    None
}

/// The version that follows `mark`.
fn after(bytes: &[u8], mark: &[u8]) -> Option<String> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)? + mark.len();
    let rest = &bytes[at..];
    let letter = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    let version: Vec<u8> = rest.iter().take(MAX_VERSION).take_while(letter).copied().collect();
    let version = String::from_utf8(version).ok()?;
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("v{version}"))
}

#[test]
fn versions_after_their_marks() {
    let text = b"path\tcmd\ndep\tk8s.io/kubernetes\tv1.36.3\th1:x=\nbuild\t-ldflags=\"-X 'k8s.io/component-base/version.gitVersion=v1.30.1-gke.5' -s\"";
    assert_eq!(after(text, MARKS[0]).as_deref(), Some("v1.30.1-gke.5"));
    assert_eq!(after(text, MARKS[1]).as_deref(), Some("v1.36.3"));
    assert_eq!(after(b"\tk8s.io/kubernetes\t(devel)", MARKS[1]), None);
    let own = Versions::default().of(Path::new("/proc/self"));
    assert_eq!(own, None, "no program of Kubernetes");
}
