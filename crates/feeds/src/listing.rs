//! Documents that only a publisher's own list names: an archive of all of them, and each that was changed since.
//!
//! ```text
//! archive_latest.txt ─names─► csaf_vex_2025-02-15.tar.zst
//! changes.csv        ─names─► 2025/cve-2025-0001.json …, newest first, with the time of the change
//! deletions.csv                what the archive still holds and nobody shall read
//! ```
use crate::download::{self, DownloadError, Outcome};
use crate::downloads;
use crate::records::files;
use jiff::Timestamp;
use reqwest::Url;
use seawall_model::Problem;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const LATEST: &str = "archive_latest.txt";
const CHANGES: &str = "changes.csv";
/// What was taken of the list of changes: path → time, as the list writes it.
const TAKEN: &str = "changes.taken.json";
/// Documents taken in one update: a day has some 500, and the archive is made every day. More is a list gone wrong.
const CHANGED: usize = 20_000;

/// One folder of one feed.
pub(crate) struct Folder<'a> {
    pub(crate) client: &'a reqwest::Client,
    pub(crate) feed: &'static str,
    /// Ends in a slash.
    pub(crate) url: Url,
    pub(crate) path: PathBuf,
}

impl Folder<'_> {
    /// Downloads what is new. Whatever fails leaves the last download in use and is told.
    pub(crate) async fn update(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        match self.get(LATEST).await {
            Ok(_) => {}
            Err(DownloadError::Absent) => {
                let message = format!("{} has no {LATEST}", self.url);
                return vec![Problem::note("feed-listing-absent", message).item(self.feed)];
            }
            Err(error) => return vec![self.failed(LATEST, &error)],
        }
        let Some(archive) = self.read(LATEST).and_then(|text| archive_name(&text)) else {
            let message = format!("{}{LATEST} names no archive", self.url);
            return vec![Problem::error("download-failed", message).item(self.feed)];
        };
        match self.get(&archive).await {
            Ok(outcome) => {
                tracing::info!(feed = self.feed, archive, ?outcome, "feed archive requested");
                self.forget_older(&archive);
            }
            Err(error) => problems.push(self.failed(&archive, &error)),
        }
        for list in [CHANGES, crate::redhat_vex::DELETIONS] {
            match self.get(list).await {
                Ok(_) | Err(DownloadError::Absent) => {}
                Err(error) => problems.push(self.failed(list, &error)),
            }
        }
        problems.extend(self.changed(&archive).await);
        problems
    }

    async fn changed(&self, archive: &str) -> Vec<Problem> {
        let text = self.read(CHANGES).unwrap_or_default();
        let since = day_of(archive);
        let changes: BTreeMap<String, String> = changes(&text)
            .filter(|(_, time)| since.is_none_or(|since| *time >= since))
            .map(|(path, time)| (path.to_owned(), time.to_string()))
            .collect();
        let mut taken = self.taken();
        // What the archive holds in its newest state is no change any more.
        for path in taken.keys().filter(|path| !changes.contains_key(*path)) {
            let _ = std::fs::remove_file(self.path.join(path));
        }
        taken.retain(|path, _| changes.contains_key(path));
        let due: Vec<_> =
            changes.iter().filter(|(path, time)| taken.get(*path) != Some(*time)).collect();
        let mut problems = Vec::new();
        if due.len() > CHANGED {
            let message = format!("{CHANGES} names {} documents, more than {CHANGED}", due.len());
            problems.push(Problem::error("download-failed", message).item(self.feed));
        }
        for (path, time) in due.into_iter().take(CHANGED) {
            match self.get(path).await {
                Ok(_) => _ = taken.insert(path.clone(), time.clone()),
                // Deleted since the list was made.
                Err(DownloadError::Absent) => {}
                Err(error) => {
                    problems.push(self.failed(path, &error));
                    break;
                }
            }
        }
        let text = serde_json::to_vec(&taken).expect("plain values serialise");
        if let Err(error) = std::fs::write(self.path.join(TAKEN), text) {
            let message = format!("write {}: {error}", self.path.join(TAKEN).display());
            problems.push(Problem::error("download-failed", message).item(self.feed));
        }
        problems
    }

    fn taken(&self) -> BTreeMap<String, String> {
        let text = self.read(TAKEN).unwrap_or_default();
        let taken: BTreeMap<String, String> = serde_json::from_str(&text).unwrap_or_default();
        taken.into_iter().filter(|(path, _)| self.path.join(path).is_file()).collect()
    }

    async fn get(&self, name: &str) -> Result<Outcome, DownloadError> {
        let url = self.url.join(name).expect("names are checked to be plain");
        download::download(self.client, &url, &self.path.join(name)).await
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path.join(name)).ok()
    }

    fn failed(&self, name: &str, error: &DownloadError) -> Problem {
        let message = format!("download {}{name}: {}", self.url, download::chain(error));
        Problem::error("download-failed", message).item(self.feed)
    }

    /// Archives of other days, now that one is whole.
    fn forget_older(&self, archive: &str) {
        let day = archive.split(".tar").next().unwrap_or(archive);
        let is_other = |path: &str| path.contains(".tar") && !path.starts_with(day);
        for path in files(&self.path, 0, |_| true).unwrap_or_default() {
            if is_other(&path) {
                downloads::remove(&self.path.join(path));
            }
        }
    }
}

/// `csaf_vex_2025-02-15.tar.zst`; nothing that leads elsewhere.
fn archive_name(text: &str) -> Option<String> {
    let name = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let fits = name.contains(".tar") && !name.starts_with('.') && name.chars().all(plain);
    fits.then(|| name.to_owned())
}

/// Midnight of the day in an archive's name: it holds what was there some time later.
fn day_of(archive: &str) -> Option<Timestamp> {
    let at = archive.find(|c: char| c.is_ascii_digit())?;
    format!("{}T00:00:00Z", archive.get(at..at + 10)?).parse().ok()
}

/// `"2024/cve-2024-1.json","2025-02-18T14:28:08+00:00"`: paths of a year's folder and times.
fn changes(text: &str) -> impl Iterator<Item = (&str, Timestamp)> {
    text.lines().filter_map(|line| {
        let (path, time) = line.split_once(',')?;
        let path = path.trim().trim_matches('"');
        let (year, name) = path.split_once('/')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let fits = year.len() == 4
            && year.bytes().all(|b| b.is_ascii_digit())
            && name.strip_suffix(".json").is_some_and(|name| name.chars().all(plain));
        let time = time.trim().trim_matches('"').parse().ok()?;
        fits.then_some((path, time))
    })
}

/// Where a feed's folder lies below `directory`.
pub(crate) fn below(directory: &Path, folder: &str) -> PathBuf {
    directory.join(folder.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_documents_below_their_folder_alone() {
        assert_eq!(
            archive_name("csaf_vex_2025-02-15.tar.zst\n").as_deref(),
            Some("csaf_vex_2025-02-15.tar.zst")
        );
        for other in ["", "../x.tar", "a/b.tar", ".tar", "x.zip", "https://example.org/x.tar"] {
            assert_eq!(archive_name(other), None, "{other}");
        }
        let day = day_of("csaf_vex_2025-02-15.tar.zst").unwrap();
        assert_eq!(day.to_string(), "2025-02-15T00:00:00Z");
        let text = "\"2024/rhsa-2024_0010.json\",\"2025-02-18T14:28:08+00:00\"\n\
            2024/cve-2024-1.json,2025-02-14T14:28:08+00:00\n\
            \"../cve.json\",\"2025-02-18T14:28:08+00:00\"\n\
            \"2024/../cve.json\",\"2025-02-18T14:28:08+00:00\"\n\
            \"2024/cve-1.json\",\"yesterday\"\n\n";
        let told: Vec<_> = changes(text).map(|(path, time)| (path, time >= day)).collect();
        assert_eq!(told, [("2024/rhsa-2024_0010.json", true), ("2024/cve-2024-1.json", false)]);
    }
}
