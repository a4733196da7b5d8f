//! Version orders: one file per scheme, a direct comparison beside a key whose `memcmp` order is the same.
//!
//! Matching looks at keys alone. Two schemes compare by a relation that is no order, so their keys hold the order next
//! to it ([`Scheme::is_order`]); `maven.rs` and `packagist.rs` say where the two part.
//!
//! A version that [`Scheme::key`] refuses is outside its order: it compares with nothing and decides nothing. Whose
//! order an ecosystem follows: OSV schema, "affected[].package field".
mod alpine;
mod cran;
// `pub` is a keyword.
mod dart;
mod debian;
mod digits;
mod hackage;
mod maven;
mod nuget;
mod numbers;
mod packagist;
mod pypi;
mod redhat;
mod rubygems;
mod semver;

use seawall_model::package::{Ecosystem, Format};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// One way to order versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    Alpine,
    Cran,
    Debian,
    Hackage,
    Maven,
    NuGet,
    Packagist,
    Pub,
    PyPI,
    RedHat,
    RubyGems,
    SemVer,
}

impl Scheme {
    pub const ALL: [Self; 12] = [
        Self::Alpine,
        Self::Cran,
        Self::Debian,
        Self::Hackage,
        Self::Maven,
        Self::NuGet,
        Self::Packagist,
        Self::Pub,
        Self::PyPI,
        Self::RedHat,
        Self::RubyGems,
        Self::SemVer,
    ];

    /// The key used on the command line, in findings and in the version tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alpine => "alpine",
            Self::Cran => "cran",
            Self::Debian => "debian",
            Self::Hackage => "hackage",
            Self::Maven => "maven",
            Self::NuGet => "nuget",
            Self::Packagist => "packagist",
            Self::Pub => "pub",
            Self::PyPI => "pypi",
            Self::RedHat => "redhat",
            Self::RubyGems => "rubygems",
            Self::SemVer => "semver",
        }
    }

    pub fn of(ecosystem: Ecosystem) -> Self {
        match ecosystem.format() {
            Format::Deb => Self::Debian,
            Format::Rpm => Self::RedHat,
            Format::Apk => Self::Alpine,
            Format::Language => match ecosystem {
                Ecosystem::PyPI => Self::PyPI,
                Ecosystem::Maven => Self::Maven,
                Ecosystem::RubyGems => Self::RubyGems,
                Ecosystem::Packagist => Self::Packagist,
                Ecosystem::NuGet => Self::NuGet,
                Ecosystem::Pub => Self::Pub,
                Ecosystem::Hackage => Self::Hackage,
                Ecosystem::Cran => Self::Cran,
                _ => Self::SemVer,
            },
        }
    }

    /// Whether [`Scheme::compare`] is transitive. If so, keys order exactly as it does.
    pub fn is_order(self) -> bool {
        !matches!(self, Self::Maven | Self::Packagist)
    }

    /// Compares two versions as the scheme's own tool does, without building keys. `None` if either is outside the
    /// order.
    pub fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        (well_formed(a) && well_formed(b)).then_some(())?;
        Some(match self {
            Self::Alpine => alpine::Version::parse(a)?.cmp(&alpine::Version::parse(b)?),
            Self::Cran => cran::parse(a)?.cmp(&cran::parse(b)?),
            Self::Hackage => hackage::parse(a)?.cmp(&hackage::parse(b)?),
            Self::Maven => maven::Version::parse(a).cmp(&maven::Version::parse(b)),
            Self::NuGet => nuget::compare(a, b)?,
            Self::Packagist => packagist::Version::parse(a).cmp(&packagist::Version::parse(b)),
            Self::Pub => dart::Version::parse(a)?.cmp(&dart::Version::parse(b)?),
            Self::RedHat => redhat::Version::parse(a).cmp(&redhat::Version::parse(b)),
            Self::RubyGems => rubygems::Version::parse(a)?.cmp(&rubygems::Version::parse(b)?),
            Self::Debian => debian::Version::parse(a)?.cmp(&debian::Version::parse(b)?),
            Self::PyPI => pypi::Version::parse(a).cmp(&pypi::Version::parse(b)),
            Self::SemVer => semver::Version::parse(a)?.cmp(&semver::Version::parse(b)?),
        })
    }

    /// Bytes whose order is the scheme's, or next to it where that is none ([`Scheme::is_order`]); versions the scheme
    /// holds equal have equal keys. `None` if the version is outside the order.
    pub fn key(self, version: &str) -> Option<Vec<u8>> {
        well_formed(version).then_some(())?;
        let mut key = Vec::with_capacity(version.len() + 8);
        match self {
            Self::Alpine => alpine::Version::parse(version)?.encode(&mut key),
            Self::Cran => cran::parse(version)?.encode(&mut key),
            Self::Hackage => hackage::parse(version)?.encode(&mut key),
            Self::Maven => maven::Version::parse(version).encode(&mut key),
            Self::NuGet => nuget::encode(version, &mut key)?,
            Self::Packagist => packagist::Version::parse(version).encode(&mut key),
            Self::Pub => dart::Version::parse(version)?.encode(&mut key),
            Self::RedHat => redhat::Version::parse(version).encode(&mut key),
            Self::RubyGems => rubygems::Version::parse(version)?.encode(&mut key),
            Self::Debian => debian::Version::parse(version)?.encode(&mut key),
            Self::PyPI => pypi::Version::parse(version).encode(&mut key),
            Self::SemVer => semver::Version::parse(version)?.encode(&mut key),
        }
        Some(key)
    }

    /// Answers one line `A<TAB>B` with `<`, `=`, `>` or `invalid`. A trailing CR is dropped; a line without exactly
    /// one tab, or with a version outside the order, is `invalid`.
    pub fn compare_line(self, line: &[u8]) -> &'static str {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(line) = std::str::from_utf8(line) else { return INVALID };
        let Some((a, b)) = line.split_once('\t') else { return INVALID };
        self.compare(a, b).map_or(INVALID, symbol)
    }
}

const INVALID: &str = "invalid";

/// `<`, `=` or `>`.
pub fn symbol(order: Ordering) -> &'static str {
    match order {
        Ordering::Less => "<",
        Ordering::Equal => "=",
        Ordering::Greater => ">",
    }
}

/// What no scheme orders: nothing at all, white space, control characters. A second tab in a line ends here too.
fn well_formed(version: &str) -> bool {
    !version.is_empty() && !version.chars().any(|c| c.is_whitespace() || c.is_control())
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no scheme that exists.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version scheme: expected one of {list}", list = Scheme::ALL.map(Scheme::as_str).join(", "))]
pub struct UnknownScheme(String);

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, UnknownScheme> {
        let named = |scheme: &Self| scheme.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownScheme(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scheme: Scheme, line: &[u8], expected: &str) {
        assert_eq!(scheme.compare_line(line), expected, "{scheme}: {:?}", line.escape_ascii());
    }

    #[test]
    fn lines_are_answered_or_invalid() {
        for scheme in Scheme::ALL {
            check(scheme, b"1.0\t2.0", "<");
            check(scheme, b"1.0\t1.0", "=");
            check(scheme, b"2.0\t1.0\r", ">");
            check(scheme, b"1.0 2.0", INVALID);
            check(scheme, b"", INVALID);
            check(scheme, b"\t", INVALID);
            check(scheme, b"1.0\t", INVALID);
            check(scheme, b"\t1.0", INVALID);
            check(scheme, b"1.0\t2.0\t3.0", INVALID);
            check(scheme, b"1.0\t\t2.0", INVALID);
            check(scheme, b"1.0\t2.0\r\r", INVALID);
            check(scheme, b"1.0\t2\xff", INVALID);
            check(scheme, b"1 0\t2.0", INVALID);
            check(scheme, "1.0\u{a0}\t2.0".as_bytes(), INVALID);
            check(scheme, b"1.0\x07\t2.0", INVALID);
        }
        check(Scheme::Debian, b"a:1\t1", INVALID);
        check(Scheme::Debian, b":1\t1", INVALID);
        check(Scheme::Debian, b"1.0-1:2\t1", INVALID);
        check(Scheme::SemVer, b"v\t1", INVALID);
        check(Scheme::SemVer, b"vv1\t1", INVALID);
        check(Scheme::SemVer, b".1\t1", INVALID);
        check(Scheme::SemVer, b"(devel)\t1", INVALID);
        check(Scheme::PyPI, b"anything\t0", "<");
        for scheme in [Scheme::Pub, Scheme::NuGet, Scheme::RubyGems] {
            check(scheme, b"v1\t1", "=");
            check(scheme, b"v\t1", INVALID);
            check(scheme, b"vv1\t1", INVALID);
            check(scheme, b".1\t1", INVALID);
            check(scheme, b"a\t1", INVALID);
        }
        check(Scheme::Alpine, b".1\t0.1", "=");
        check(Scheme::Alpine, b"..1\t1", INVALID);
        check(Scheme::Alpine, b"v1\t1", INVALID);
        check(Scheme::Alpine, b"_rc1\t1", INVALID);
        check(Scheme::Cran, b"1-2\t1.2", "=");
        check(Scheme::Cran, b"1.a\t1", INVALID);
        check(Scheme::Cran, b"v1\t1", INVALID);
        check(Scheme::Hackage, b"1-2\t1.2", INVALID);
        check(Scheme::Hackage, b"1.0a\t1", INVALID);
        for scheme in [Scheme::Maven, Scheme::Packagist, Scheme::RedHat] {
            check(scheme, b"anything\tanything", "=");
        }
    }

    #[test]
    fn an_unknown_scheme_lists_those_that_exist() {
        assert_eq!(
            "rpm".parse::<Scheme>().unwrap_err().to_string(),
            "`rpm` is no version scheme: expected one of alpine, cran, debian, hackage, maven, nuget, \
             packagist, pub, pypi, redhat, rubygems, semver"
        );
        for scheme in Scheme::ALL {
            assert_eq!(scheme.as_str().parse(), Ok(scheme));
        }
    }
}
