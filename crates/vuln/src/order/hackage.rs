//! Versions of Haskell packages. Source: Package Versioning Policy, "Version numbers"; `Ord` of `Data.Version`, whose
//! tags are gone.
pub(super) use super::numbers::Numbers as Version;

pub(super) fn parse(text: &str) -> Option<Version<'_>> {
    Version::parse(text, &['.'])
}
