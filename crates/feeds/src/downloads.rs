//! What was downloaded last, below the index directory. The last file that a build accepted is kept aside until a
//! build accepts the next one.
//!
//! ```text
//! all.zip, all.validators.json                             the last download, the base of the next request
//! all.zip.accepted, all.zip.accepted.validators.json       the one before, while no build has judged the last
//! ```
use crate::report::BuildReport;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

const DIRECTORY: &str = "downloads";

/// What the server said about a file, sent back with the next request.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Validators {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    /// The address they came from: another base starts over.
    pub(crate) url: String,
}

/// Where the files of a feed lie.
pub(crate) fn directory(out: &Path, feed: &str) -> PathBuf {
    out.join(DIRECTORY).join(feed)
}

/// What is known of the file that lies at `path`, if it came from `url`.
pub(crate) fn validators(path: &Path, url: &str) -> Validators {
    if !path.exists() {
        return Validators::default();
    }
    let text = std::fs::read(validators_path(path)).ok();
    let known: Option<Validators> = text.and_then(|text| serde_json::from_slice(&text).ok());
    known.filter(|known| known.url == url).unwrap_or_default()
}

/// Puts a whole download in place. The file before it goes aside, unless one that was accepted lies there already: it
/// was then never judged itself.
pub(crate) fn place(part: &Path, path: &Path, validators: &Validators) -> io::Result<()> {
    let aside = accepted(path);
    if path.exists() && !aside.exists() {
        move_with_validators(path, &aside)?;
    }
    // Without them first: those of another file would keep this one for ever.
    forget(&validators_path(path));
    std::fs::rename(part, path)?;
    let text = serde_json::to_vec(validators).expect("plain values serialise");
    std::fs::write(validators_path(path), text)
}

/// Drops what the build accepted a successor of, and puts it back where the successor was refused: that is asked for
/// anew, since "not modified" would keep it refused for ever. `feeds` are those that were downloaded; another's base
/// says nothing about what lies here.
pub(crate) fn settle(report: &BuildReport, feeds: &[&str], out: &Path) -> io::Result<()> {
    for feed in report.feeds.iter().filter(|feed| feeds.contains(&feed.key.as_str())) {
        for file in &feed.files {
            let path = directory(out, &feed.key).join(&file.path);
            let aside = accepted(&path);
            // A folder of documents that a list names: all of them are asked for anew.
            if path.is_dir() {
                if file.refused.is_some() {
                    forget_folders(&path)?;
                }
                continue;
            }
            match (file.refused.is_some(), aside.exists()) {
                (true, true) => move_with_validators(&aside, &path)?,
                (true, false) => {
                    forget(&path);
                    forget(&validators_path(&path));
                }
                (false, _) => {
                    forget(&aside);
                    forget(&validators_path(&aside));
                }
            }
        }
    }
    Ok(())
}

fn move_with_validators(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    // They may be absent: the next request is then unconditional.
    if std::fs::rename(validators_path(from), validators_path(to)).is_err() {
        forget(&validators_path(to));
    }
    Ok(())
}

fn forget_folders(path: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            std::fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

/// Removes a download with all that is known of it.
pub(crate) fn remove(path: &Path) {
    forget(path);
    forget(&validators_path(path));
}

/// Best effort: what stays is asked for again or replaced.
fn forget(path: &Path) {
    let _ = std::fs::remove_file(path);
}

fn accepted(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".accepted");
    name.into()
}

fn validators_path(path: &Path) -> PathBuf {
    let is_aside = path.extension().is_some_and(|extension| extension == "accepted");
    path.with_extension(if is_aside { "accepted.validators.json" } else { "validators.json" })
}
