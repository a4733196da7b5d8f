//! Trees on disk that no image holds: odd names, paths over the system's limit, files shorter than they say.
use super::*;
use crate::visit::Want;
use std::ffi::OsStr;

/// Wants every file; remembers what it got.
#[derive(Default)]
struct Seen(Vec<String>);

impl Visitor for Seen {
    fn want(&mut self, entry: &Entry) -> Want {
        if entry.kind == EntryKind::File { Want::Whole(1 << 20) } else { Want::Skip }
    }

    fn head(&mut self, _: &Entry, _: &[u8]) -> Want {
        Want::Skip
    }

    fn whole(&mut self, entry: &Entry, bytes: &[u8]) {
        self.0.push(format!("{}: {}", entry.path, String::from_utf8_lossy(bytes)));
    }

    fn refused(&mut self, _: &Entry, problem: Problem) {
        self.0.push(problem.code);
    }
}

/// What was seen, then the problems of the walk.
#[track_caller]
fn check(root: &Path, expected: &[&str]) {
    let mut seen = Seen::default();
    let walk = walk_tree(root, &TreeOptions::default(), &mut seen, &Meters::default());
    seen.0.extend(walk.problems.into_iter().map(|problem| problem.message));
    assert_eq!(seen.0, expected);
}

#[test]
fn names_that_hold_an_escape_as_text_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
    fs::write(at(b"caf\xe9"), "bytes").unwrap();
    fs::write(at(br"caf\xe9"), "text").unwrap();
    fs::create_dir(at(br"d\xff")).unwrap();
    fs::write(at(br"d\xff/f"), "below").unwrap();
    check(folder.path(), &[r"caf\x5cxe9: text", r"caf\xe9: bytes", r"d\x5cxff/f: below"]);
}

#[test]
fn an_entry_whose_status_cannot_be_read_is_a_gap() {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    let folder = tempfile::tempdir().unwrap();
    // The path below the root keeps to 4,096 bytes, the whole of it does not.
    let mut handle = openat(CWD, folder.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
    let name = "d".repeat(200);
    for _ in 0..20 {
        mkdirat(&handle, &name, Mode::RWXU).unwrap();
        handle = openat(&handle, &name, OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    mkdirat(&handle, "e".repeat(4090 - 20 * 201), Mode::RWXU).unwrap();
    let mut seen = Seen::default();
    let walk = walk_tree(folder.path(), &TreeOptions::default(), &mut seen, &Meters::default());
    assert_eq!(walk.problems.len(), 1);
    assert!(walk.problems[0].message.starts_with("1 left out, status cannot be read"));
}

#[test]
fn a_file_that_cannot_be_read_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short");
    fs::write(&path, "xyz").unwrap();
    let (mut seen, options, meters) = (Seen::default(), TreeOptions::default(), Meters::default());
    let dropped = Dropped::default();
    let mut walk = Walk { options: &options, visitor: &mut seen, meters: &meters, dropped };
    let entry =
        Entry { path: "short".into(), kind: EntryKind::File, mode: 0o644, size: 4, link: None };
    walk.file(&entry, &path);
    walk.file(&entry, &folder.path().join("gone"));
    let problems = walk.dropped.finish("");
    assert_eq!((seen.0, problems), (vec!["file-cut-short".to_owned()], Vec::new()));
}
