//! What parsers of several feeds share: records to fill, files to find, ids to tell apart.
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected, Only, Range, RangeEnd};
use seawall_model::finding::FixStatus;
use seawall_model::package::Ecosystem;
use std::io;
use std::path::Path;

/// A record that says nothing yet.
pub(crate) fn advisory(id: impl Into<String>) -> Advisory {
    Advisory {
        id: id.into(),
        cves: Vec::new(),
        aliases: Vec::new(),
        title: None,
        severity: Severity::Unknown,
        cvss: None,
        references: Vec::new(),
        published: None,
        modified: None,
        withdrawn: None,
        affected: Vec::new(),
    }
}

/// An entry that asks nothing beside `ranges`. `name` as the ecosystem writes it.
pub(crate) fn affected(
    ecosystem: Ecosystem,
    release: Option<&str>,
    name: &str,
    ranges: Vec<Range>,
) -> Affected {
    Affected {
        ecosystem,
        release: release.map(str::to_owned),
        name: name.to_owned(),
        ranges,
        versions: Vec::new(),
        severity: None,
        undecidable: false,
        only: Only::default(),
        unfixed: FixStatus::None,
    }
}

/// Everything before `fix`.
pub(crate) fn below(fix: &str) -> Range {
    Range { introduced: None, end: RangeEnd::Fixed(fix.to_owned()) }
}

/// Every version.
pub(crate) fn all() -> Range {
    Range { introduced: None, end: RangeEnd::Open }
}

/// `CVE-` year `-` number.
pub(crate) fn is_cve(id: &str) -> bool {
    let digits = |text: &str| text.len() >= 4 && text.bytes().all(|b| b.is_ascii_digit());
    let rest = id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(year, number)| digits(year) && digits(number))
}

/// Paths below `base`, with slashes and in order, of files at most `depth` folders down that `fits` takes.
pub(crate) fn files(base: &Path, depth: usize, fits: fn(&str) -> bool) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(base)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = entry.path();
        if path.is_dir() && depth > 0 {
            let below = files(&path, depth - 1, |_| true)?;
            found.extend(below.into_iter().map(|path| format!("{name}/{path}")));
        } else if path.is_file() {
            found.push(name);
        }
    }
    found.retain(|path| fits(path));
    found.sort();
    Ok(found)
}

/// A whole file of at most `limit` bytes; the error says why it cannot be trusted.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > limit {
        return Err(format!("larger than {limit} bytes"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// Characters of a title taken from the description.
const TITLE: usize = 160;

/// The first words of a text, whole ones; `None` where it has none.
pub(crate) fn title(description: &str) -> Option<String> {
    let text = description.trim();
    if text.is_empty() {
        return None;
    }
    Some(match text.char_indices().nth(TITLE) {
        None => text.to_owned(),
        Some((at, _)) => {
            let cut = &text[..at];
            format!("{}…", cut.rsplit_once(' ').map_or(cut, |(words, _)| words))
        }
    })
}
