//! The feeds that exist, and where each is read from.
use crate::enrichment::List;
use crate::export::Export;
use seawall_model::package::Ecosystem;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// One public source of records.
pub struct Feed {
    /// The word in `--only`, in configuration and below `--feeds ROOT`.
    pub key: &'static str,
    pub title: &'static str,
    /// What may be done with the records.
    pub licence: &'static str,
    /// Tested on real records of it; else on its published description alone.
    pub verified: bool,
    pub default_base: &'static str,
    /// Paths below the base that `update` downloads. A directory base is searched instead.
    pub files: &'static [&'static str],
    /// What else there is to download, where only the publisher can say.
    pub(crate) listing: Option<Listing>,
    /// Ecosystems it is the first source of: where it speaks of a release, other feeds do not.
    pub leads: &'static [Ecosystem],
    pub(crate) content: Content,
}

/// A list of files at the publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Folders with an archive of all documents, what was changed and what was deleted since.
    /// Source: CSAF 2.0, section 7.1.11 to 7.1.13; `archive_latest.txt` is Red Hat's own.
    Csaf(&'static str),
}

/// How the files below a base are read.
pub(crate) enum Content {
    /// An export without files is a feed that is not there.
    Advisories(fn(&Path) -> io::Result<Export>),
    /// What the index holds beside advisories, under `name`; `None` is a feed that is not there.
    List { name: &'static str, read: fn(&Path) -> Option<List> },
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key)
    }
}

/// Keys are unique.
impl PartialEq for Feed {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Feed {}

pub static ALL: [&Feed; 18] = [
    &crate::osv::FEED,
    &crate::debian_tracker::FEED,
    &crate::alpine_secdb::FEED,
    &crate::cisa_kev::FEED,
    &crate::redhat_vex::FEED,
    &crate::alma_errata::FEED,
    &crate::rocky::FEED,
    &crate::oracle_oval::FEED,
    &crate::suse_oval::FEED,
    &crate::azure_oval::FEED,
    &crate::ubuntu::FEED,
    &crate::wolfi_secdb::FEED,
    &crate::chainguard::FEED,
    &crate::amazon::FEED,
    &crate::photon::FEED,
    &crate::epss::FEED,
    &crate::nvd::FEED,
    &crate::endoflife::FEED,
];

/// The key names no feed that exists.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no feed: expected one of {list}", list = ALL.map(|feed| feed.key).join(", "))]
pub struct UnknownFeed(String);

/// The feeds that `--only` names; all of them if it names none.
pub fn select<S: AsRef<str>>(only: &[S]) -> Result<Vec<&'static Feed>, UnknownFeed> {
    if only.is_empty() {
        return Ok(ALL.to_vec());
    }
    for key in only {
        find(key.as_ref())?;
    }
    Ok(ALL.into_iter().filter(|feed| only.iter().any(|key| key.as_ref() == feed.key)).collect())
}

fn find(key: &str) -> Result<&'static Feed, UnknownFeed> {
    ALL.into_iter().find(|feed| feed.key == key).ok_or_else(|| UnknownFeed(key.to_owned()))
}

/// Where a feed is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    Directory(PathBuf),
    /// Ends in a slash. `https`, or `http` to this machine alone.
    Url(reqwest::Url),
}

/// The text names no place that feeds are read from.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no base for feeds: {reason}; expected https://…, file:///… or a directory")]
pub struct InvalidBase {
    text: String,
    reason: &'static str,
}

impl Base {
    /// `https://`, `file://` or a directory. Plain `http` is taken from a loopback address alone: feeds carry no
    /// signature of their own.
    pub fn parse(text: &str) -> Result<Self, InvalidBase> {
        let invalid = |reason| InvalidBase { text: text.to_owned(), reason };
        if !text.contains("://") {
            return match text {
                "" => Err(invalid("it is empty")),
                path => Ok(Self::Directory(PathBuf::from(path))),
            };
        }
        let slashed = if text.ends_with('/') { text.to_owned() } else { format!("{text}/") };
        let url: reqwest::Url =
            slashed.parse().map_err(|_| invalid("the address is not well formed"))?;
        match url.scheme() {
            "https" => Ok(Self::Url(url)),
            "http" if is_loopback(&url) => Ok(Self::Url(url)),
            "http" => Err(invalid("http is not protected on its way")),
            "file" => url
                .to_file_path()
                .map(Self::Directory)
                .map_err(|()| invalid("the path is not absolute")),
            _ => Err(invalid("the scheme is not supported")),
        }
    }
}

pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// The base of each feed.
#[derive(Clone, Debug)]
pub struct Roots(BTreeMap<&'static str, Base>);

impl Roots {
    /// Where the publishers serve them.
    pub fn defaults() -> Self {
        let base = |feed: &'static Feed| {
            (
                feed.key,
                Base::parse(feed.default_base).expect("the table's addresses are well formed"),
            )
        };
        Self(ALL.into_iter().map(base).collect())
    }

    /// `ROOT/<key>/` for each feed.
    pub fn below(root: &str) -> Result<Self, InvalidBase> {
        let base = match Base::parse(root)? {
            Base::Directory(path) => {
                ALL.map(|feed| (feed.key, Base::Directory(path.join(feed.key))))
            }
            Base::Url(url) => ALL.map(|feed| {
                let below =
                    url.join(&format!("{}/", feed.key)).expect("keys are plain path segments");
                (feed.key, Base::Url(below))
            }),
        };
        Ok(Self(base.into_iter().collect()))
    }

    /// Overrides one feed's base.
    pub fn set(&mut self, key: &str, base: Base) -> Result<(), UnknownFeed> {
        self.0.insert(find(key)?.key, base);
        Ok(())
    }

    pub fn base(&self, feed: &Feed) -> &Base {
        self.0.get(feed.key).expect("every constructor names all feeds")
    }
}

/// Whether a directory base holds anything at all.
pub(crate) fn exists(path: &Path) -> bool {
    path.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let base =
            Base::parse(text).map_or_else(|error| error.to_string(), |base| base.to_string());
        assert!(base.starts_with(expected), "{text}: {base}");
    }

    #[test]
    fn bases_are_directories_or_protected_addresses() {
        check("feeds", "feeds");
        check("file:///srv/feeds", "/srv/feeds");
        check("https://mirror.example/osv", "https://mirror.example/osv/");
        check("http://127.0.0.1:8080/", "http://127.0.0.1:8080/");
        check("http://[::1]:8080/", "http://[::1]:8080/");
        check(
            "http://mirror.example/",
            "`http://mirror.example/` is no base for feeds: http is not protected",
        );
        check("ftp://mirror.example/", "`ftp://mirror.example/` is no base for feeds: the scheme");
        check("", "`` is no base");
    }

    #[test]
    fn the_readme_lists_every_feed() {
        let readme = include_str!("../../../README.md");
        for Feed { key, licence, verified, .. } in ALL {
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
            let tested = if *verified { "real records" } else { "its description alone" };
            let end = format!("| {licence} | {tested} |");
            assert!(row.is_some_and(|row| row.ends_with(&end)), "{key}: … {end}");
        }
    }

    #[test]
    fn selections_name_known_feeds() {
        assert_eq!(select::<&str>(&[]).unwrap(), ALL.to_vec());
        assert_eq!(select(&["cisa-kev"]).unwrap(), [&crate::cisa_kev::FEED]);
        let error = select(&["osv", "nowhere"]).unwrap_err().to_string();
        assert!(
            error.starts_with("`nowhere` is no feed: expected one of osv, debian-tracker, "),
            "{error}"
        );
    }
}
