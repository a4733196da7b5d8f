//! The shape of an extractor and what it fills.
use crate::facts::{FoundPackage, OsRelease};
use crate::hash::path_hash;
use seawall_model::Problem;
use seawall_model::package::Ecosystem;
use std::collections::HashSet;
use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Problems kept per file; the rest is one counted line, so that a hostile file cannot flood a report.
const MAX_PROBLEMS: usize = 20;
/// Paths kept per file that its packages own: the files of the largest image the design counts on.
const MAX_OWNED: usize = 3_000_000;
/// Names in a counted problem.
const MAX_NAMED: usize = 3;

/// One file format.
pub struct Extractor {
    /// Kebab-case, stable: it stands in cached facts.
    pub id: &'static str,
    pub title: &'static str,
    pub route: Route,
    /// A larger file is a gap. Unit: bytes.
    pub max_bytes: u64,
    pub extract: Extract,
}

/// Which files an extractor reads.
pub enum Route {
    /// Paths that fit a pattern: `*` within a segment, `**` over segments.
    Files(&'static [&'static str]),
    /// Lock files: as [`Route::Files`], but in source trees alone, where nothing else counts.
    Locked(&'static [&'static str]),
    /// Executables and shared objects whose first bytes make `needles` name something to look for.
    Binary { needles: fn(&[u8]) -> Vec<Needle> },
}

/// What tells that a binary is worth reading. A file with one of several is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needle {
    pub bytes: &'static [u8],
    /// It lies at a multiple of this many bytes.
    pub alignment: usize,
    /// First byte and end of the part of the file to look in; `None` is everywhere.
    pub within: Option<(u64, u64)>,
}

/// Text extractors get the file with bytes that are not UTF-8 replaced, binary ones get it as it is.
pub enum Extract {
    Text(fn(&str, &mut Found)),
    Bytes(fn(&[u8], &mut Found)),
}

/// What one file yields: results and problems side by side.
#[derive(Debug, Default)]
pub struct Found {
    /// Where the file lies, if that is known: some formats say half of it in their name.
    pub(crate) path: String,
    pub packages: Vec<FoundPackage>,
    pub os_release: Option<OsRelease>,
    pub repositories: Vec<String>,
    /// Hashes of owned paths, unsorted.
    pub owned: Vec<u64>,
    pub problems: Vec<Problem>,
    /// Paths asked for with [`Found::owned_by_package`].
    asked: usize,
    /// Count and worst of those over the limit.
    dropped: Option<(usize, Problem)>,
    /// Hashes of the packages there are, for large lock files.
    seen: HashSet<u64>,
    /// Count of the dependencies without version, and the first names.
    unlocked: (usize, Vec<String>),
}

impl Extractor {
    /// Reads one whole file. Never fails: what cannot be read is a problem.
    pub fn run(&self, bytes: &[u8]) -> Found {
        self.run_at("", bytes)
    }

    /// As [`Extractor::run`], of the file at `path`.
    pub fn run_at(&self, path: &str, bytes: &[u8]) -> Found {
        let mut found = Found { path: path.to_owned(), ..Found::default() };
        match self.extract {
            Extract::Text(extract) => extract(&String::from_utf8_lossy(bytes), &mut found),
            Extract::Bytes(extract) => extract(bytes, &mut found),
        }
        found.tell_unlocked();
        if let Some((count, worst)) = found.dropped.take() {
            let rest = format!("{count} further problems in this file, such as: {}", worst.message);
            found.problems.push(Problem::new(worst.kind, &worst.code, rest));
        }
        found
    }
}

impl Found {
    /// A package of a language ecosystem.
    pub fn package(
        &mut self,
        ecosystem: Ecosystem,
        name: impl Into<String>,
        version: impl Into<String>,
    ) {
        let package = FoundPackage::new(ecosystem, name, version);
        let mut hasher = DefaultHasher::new();
        (package.ecosystem, &package.name, &package.version).hash(&mut hasher);
        // Equal hashes are so rare that the list is searched for each of them.
        if self.seen.insert(hasher.finish()) || !self.packages.contains(&package) {
            self.packages.push(package);
        }
    }

    /// A dependency whose version the file leaves open: it is used, and nobody can judge it.
    pub fn unlocked(&mut self, name: &str) {
        let (count, names) = &mut self.unlocked;
        *count += 1;
        if names.len() < MAX_NAMED {
            names.push(name.escape_debug().to_string());
        }
    }

    fn tell_unlocked(&mut self) {
        let (count, names) = std::mem::take(&mut self.unlocked);
        if count > 0 {
            let message =
                format!("{count} dependencies have no fixed version: {}", names.join(", "));
            self.add(Problem::gap("version-not-locked", message));
        }
    }

    /// A path that an OS package owns, which the file's name tells; leading `/` and `./` are cut.
    pub fn owns(&mut self, path: &str) {
        self.owned.push(owned_hash(path));
    }

    /// The hash for a path that a package of this file owns, as `directory` and what is right behind it; none over the
    /// limit, which is told once.
    pub fn owned_by_package(&mut self, directory: &str, name: &str) -> Option<u64> {
        self.asked += 1;
        if self.asked == MAX_OWNED + 1 {
            let message = format!("limit reached: paths that packages own, {MAX_OWNED}");
            self.add(Problem::gap("limit-reached", message));
        }
        (self.asked <= MAX_OWNED).then(|| owned_hash(&format!("{directory}{name}")))
    }

    /// Part of the file could not be read; the rest counts. `line` is 1-based.
    pub fn malformed(&mut self, message: impl Into<String>, line: usize) {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.add(Problem::gap("malformed-package-file", message).at(line, 1));
    }

    /// Part of a binary file, such as `page 7`, could not be read; the rest counts.
    pub fn damaged(&mut self, place: impl Display, reason: &str) {
        self.add(Problem::gap("malformed-package-file", format!("{place}: {reason}")));
    }

    /// The file as a whole could not be read.
    pub fn unreadable(&mut self, message: impl Into<String>) {
        self.add(Problem::gap("unreadable-package-file", message));
    }

    /// Worth knowing, takes nothing away.
    pub fn note(&mut self, code: &str, message: impl Into<String>) {
        self.add(Problem::note(code, message));
    }

    fn add(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
            return;
        }
        self.dropped = Some(match self.dropped.take() {
            Some((count, worst)) if worst.kind >= problem.kind => (count + 1, worst),
            Some((count, _)) => (count + 1, problem),
            None => (1, problem),
        });
    }
}

fn owned_hash(path: &str) -> u64 {
    path_hash(path.strip_prefix("./").unwrap_or(path).trim_start_matches('/'))
}

/// Runs `extractor` on `text` and compares `name version, …; problem at line N, damaged PLACE, note CODE …`.
#[cfg(test)]
#[track_caller]
pub(crate) fn check(extractor: &Extractor, text: impl AsRef<[u8]>, expected: &str) {
    check_at(extractor, "", text, expected);
}

/// As [`check`], of a file at `path`.
#[cfg(test)]
#[track_caller]
pub(crate) fn check_at(extractor: &Extractor, path: &str, text: impl AsRef<[u8]>, expected: &str) {
    let found = extractor.run_at(path, text.as_ref());
    let packages: Vec<_> = found
        .packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version))
        .collect();
    let mut actual = packages.join(", ");
    for problem in &found.problems {
        use seawall_model::problem::ProblemKind::Note;
        let what = match (problem.kind, problem.line) {
            (Note, _) => format!("note {}", problem.code),
            (_, Some(line)) => format!("problem at line {line}"),
            _ if problem.code == "version-not-locked" => {
                let count = problem.message.split(' ').next().unwrap_or_default();
                format!("{count} unlocked")
            }
            (_, None) => match problem.message.split_once(": ") {
                Some((place, _)) if problem.code == "malformed-package-file" => {
                    format!("damaged {place}")
                }
                _ => "unreadable".to_owned(),
            },
        };
        actual.push_str("; ");
        actual.push_str(&what);
    }
    assert_eq!(actual.trim_start_matches("; "), expected);
}

#[test]
fn problems_over_the_limit_keep_the_worst_kind() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        use crate::os::dpkg::STATUS;
        let found = STATUS.run(text.repeat(MAX_PROBLEMS).as_bytes());
        assert_eq!(found.problems.len(), MAX_PROBLEMS);
        let found = STATUS.run(text.repeat(MAX_PROBLEMS + 5).as_bytes());
        let last = found.problems.last().unwrap();
        let (count, _) = last.message.split_once(" further").unwrap();
        assert_eq!(format!("{:?} {} {count}", last.kind, last.code), expected);
    }
    let half = "Package: a\nStatus: install ok half-installed\nVersion: 1\n\n";
    check(half, "Note half-installed 5");
    check("Package: a\n\n", "Gap malformed-package-file 5");
    let notes = half.repeat(MAX_PROBLEMS + 2);
    let mixed = format!("{notes}Version: 1\n\n{half}");
    let found = crate::os::dpkg::STATUS.run(mixed.as_bytes());
    assert_eq!(found.problems.last().unwrap().code, "malformed-package-file");
}
