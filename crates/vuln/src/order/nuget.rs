//! NuGet versions: SemVer in any case of letters. Source: `VersionComparer` in NuGet.Client `NuGet.Versioning`.
//!
//! NuGet has four numbers; versions with more order as if it had as many.
use super::semver::Version;
use std::cmp::Ordering;

/// `None` where [`Version::parse`] says so of either.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    Some(Version::parse(&a)?.cmp(&Version::parse(&b)?))
}

pub(super) fn encode(text: &str, key: &mut Vec<u8>) -> Option<()> {
    Version::parse(&text.to_lowercase())?.encode(key);
    Some(())
}
