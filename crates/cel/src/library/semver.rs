//! `semver(string)`: versions after SemVer 2.0.0. Source: blang/semver v4 and k8s.io/apiserver/pkg/cel/library/semverlib.go.
pub(super) mod functions;

use super::go_text::quote;
use std::cmp::Ordering;
use std::fmt;

#[derive(Clone)]
pub(crate) struct Semver {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) patch: u64,
    prerelease: Vec<Identifier>,
    /// Has no part in comparisons.
    build: Option<String>,
}

/// Ordered: numbers come before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

impl Semver {
    /// Error: blang/semver's text.
    pub(crate) fn parse(text: &str) -> Result<Semver, String> {
        if text.is_empty() {
            return Err("Version string empty".into());
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err("No Major.Minor.Patch elements found".into());
        };
        let (major, minor) = (number(major, Part::MAJOR)?, number(minor, Part::MINOR)?);
        let (rest, build) = cut(rest, '+');
        let (patch, prerelease) = cut(rest, '-');
        let patch = number(patch, Part::PATCH)?;
        let prerelease = match prerelease {
            Some(words) => words.split('.').map(identifier).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        for word in build.iter().flat_map(|build| build.split('.')) {
            if word.is_empty() {
                return Err("Build meta data is empty".into());
            }
            if !is_word(word) {
                let word = quote(word);
                return Err(format!("Invalid character(s) found in build meta data {word}"));
            }
        }
        Ok(Semver { major, minor, patch, prerelease, build: build.map(str::to_owned) })
    }

    /// `semver(string, true)`: a leading `v`, leading zeros and missing minor or patch numbers are allowed.
    pub(crate) fn parse_tolerant(text: &str) -> Result<Semver, String> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_zeros).collect();
        if parts.len() < 3 && parts.last().is_some_and(|part| part.contains(['+', '-'])) {
            return Err("short version cannot contain PreRelease/Build meta data".into());
        }
        parts.resize(3, "0".into());
        Semver::parse(&parts.join("."))
    }
}

/// As Go's `%v` prints it into messages.
impl fmt::Debug for Semver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        for (index, identifier) in self.prerelease.iter().enumerate() {
            f.write_str(if index == 0 { "-" } else { "." })?;
            match identifier {
                Identifier::Number(number) => write!(f, "{number}")?,
                Identifier::Word(word) => f.write_str(word)?,
            }
        }
        self.build.iter().try_for_each(|build| write!(f, "+{build}"))
    }
}

impl PartialEq for Semver {
    fn eq(&self, other: &Semver) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Semver {}

impl Ord for Semver {
    fn cmp(&self, other: &Semver) -> Ordering {
        let numbers = |version: &Semver| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| {
            // A release comes after its prereleases.
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (false, false) => self.prerelease.cmp(&other.prerelease),
                (ours, theirs) => ours.cmp(&theirs),
            }
        })
    }
}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Semver) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn cut(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// How messages name a number.
struct Part {
    lower: &'static str,
    upper: &'static str,
}

impl Part {
    const MAJOR: Part = Part { lower: "major", upper: "Major" };
    const MINOR: Part = Part { lower: "minor", upper: "Minor" };
    const PATCH: Part = Part { lower: "patch", upper: "Patch" };
}

fn number(text: &str, part: Part) -> Result<u64, String> {
    let (quoted, Part { lower, upper }) = (quote(text), part);
    if !is_digits(text) {
        return Err(format!("Invalid character(s) found in {lower} number {quoted}"));
    }
    if has_leading_zeros(text) {
        return Err(format!("{upper} number must not contain leading zeroes {quoted}"));
    }
    parse_uint(text)
}

fn identifier(text: &str) -> Result<Identifier, String> {
    if text.is_empty() {
        return Err("Prerelease is empty".into());
    }
    if !is_digits(text) {
        if !is_word(text) {
            return Err(format!("Invalid character(s) found in prerelease {}", quote(text)));
        }
        return Ok(Identifier::Word(text.to_owned()));
    }
    if has_leading_zeros(text) {
        let text = quote(text);
        return Err(format!("Numeric PreRelease version must not contain leading zeroes {text}"));
    }
    parse_uint(text).map(Identifier::Number)
}

/// `text` is digits or empty, so that only two things can go wrong.
fn parse_uint(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        let what = if text.is_empty() { "invalid syntax" } else { "value out of range" };
        format!("strconv.ParseUint: parsing {}: {what}", quote(text))
    })
}

fn without_zeros(part: &str) -> String {
    if part.len() <= 1 {
        return part.to_owned();
    }
    let trimmed = part.trim_start_matches('0');
    let zero = if trimmed.starts_with(|letter: char| letter.is_ascii_digit()) { "" } else { "0" };
    format!("{zero}{trimmed}")
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn has_leading_zeros(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_as_in_the_specification() {
        let ordered = [
            "0.9.9",
            "1.0.0-1",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.10.0",
        ];
        let versions: Vec<_> = ordered.iter().map(|text| Semver::parse(text).unwrap()).collect();
        assert!(versions.is_sorted_by(|a, b| a < b));
        assert_eq!(Semver::parse("1.0.0+a"), Semver::parse("1.0.0+b"));
    }

    #[test]
    fn errors_are_those_of_the_library() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Semver::parse(text).unwrap_err(), expected, "{text}");
        };
        check("", "Version string empty");
        check("1.2", "No Major.Minor.Patch elements found");
        check("v1.2.3", "Invalid character(s) found in major number \"v1\"");
        check("01.2.3", "Major number must not contain leading zeroes \"01\"");
        check("1.x.3", "Invalid character(s) found in minor number \"x\"");
        check("1..3", "strconv.ParseUint: parsing \"\": invalid syntax");
        check("1.2.3.4", "Invalid character(s) found in patch number \"3.4\"");
        check("1.2.3-", "Prerelease is empty");
        check("1.2.3-a_", "Invalid character(s) found in prerelease \"a_\"");
        check("1.2.3-01", "Numeric PreRelease version must not contain leading zeroes \"01\"");
        check("1.2.3+", "Build meta data is empty");
        check("1.2.3+a_", "Invalid character(s) found in build meta data \"a_\"");
        check(
            "99999999999999999999.0.0",
            "strconv.ParseUint: parsing \"99999999999999999999\": value out of range",
        );
    }

    #[test]
    fn tolerant_versions() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let expected = expected.map(|text| Semver::parse(text).unwrap()).map_err(str::to_owned);
            assert_eq!(Semver::parse_tolerant(text), expected, "{text}");
        };
        check("v1", Ok("1.0.0"));
        check("01.02", Ok("1.2.0"));
        check("v1.02.003-rc", Ok("1.2.3-rc"));
        check("00.0.0", Ok("0.0.0"));
        check("1.2-rc", Err("short version cannot contain PreRelease/Build meta data"));
        check("vv1.0.0", Err("Invalid character(s) found in major number \"0v1\""));
    }
}
