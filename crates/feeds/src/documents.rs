//! Feeds of one JSON document per record: in folders, or packed in one archive.
use crate::compressed::{self, Limits};
use crate::records::{files, read};
use crate::report::FileReport;
use std::fs::File;
use std::io;
use std::path::Path;

/// Bytes of one document: Canonical's largest has 5 MB.
const DOCUMENT: u64 = 64 * 1024 * 1024;
/// Bytes of one archive, inflated: Canonical's VEX has some 10 GB.
const ARCHIVE: u64 = 64 * 1024 * 1024 * 1024;
/// Folders within each other, `osv/cve/2024`.
const DEPTH: usize = 4;

/// Calls `each` with every document below `folder` of `base` whose path `fits`, packed or not. One report for those in
/// folders and one for each archive; each document is a record of it.
pub(crate) fn each(
    base: &Path,
    folder: &str,
    fits: impl Fn(&str) -> bool,
    mut each: impl FnMut(&str, &[u8], &mut FileReport),
) -> io::Result<Vec<FileReport>> {
    let root = base.join(folder);
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let join =
        |path: &str| if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") };
    let mut reports = Vec::new();
    let mut plain = FileReport { path: join("**.json"), ..FileReport::default() };
    for path in files(&root, DEPTH, |_| true)? {
        if is_archive(&path) {
            let mut report = FileReport { path: join(&path), ..FileReport::default() };
            let limits = Limits { whole: ARCHIVE, document: DOCUMENT };
            let packed = File::open(root.join(&path))?;
            let read = compressed::documents(Box::new(packed), limits, |path, text| {
                if path.ends_with(".json") && fits(path) {
                    report.records += 1;
                    each(path, text, &mut report);
                }
            });
            if let Err(reason) = read {
                report.refused = Some(reason);
            }
            reports.push(report);
        } else if path.ends_with(".json") && fits(&path) {
            plain.records += 1;
            match read(&root.join(&path), DOCUMENT) {
                Ok(text) => each(&path, &text, &mut plain),
                Err(_) => plain.drop(crate::export::MALFORMED),
            }
        }
    }
    if plain.records > 0 {
        reports.insert(0, plain);
    }
    reports.iter_mut().for_each(FileReport::refuse_if_malformed);
    Ok(reports)
}

fn is_archive(path: &str) -> bool {
    [".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst"].iter().any(|end| path.ends_with(end))
}
