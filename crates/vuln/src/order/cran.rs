//! Versions of R packages. Source: `numeric_version` and `.encode_numeric_version` in R `src/library/base/R/version.R`:
//! integers between `.` or `-`, which mean the same.
pub(super) use super::numbers::Numbers as Version;

pub(super) fn parse(text: &str) -> Option<Version<'_>> {
    Version::parse(text, &['.', '-'])
}
