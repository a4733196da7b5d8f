//! What every extractor file needs.
pub(crate) use crate::facts::FoundPackage;
pub(crate) use crate::found::{Extract, Extractor, Found, Needle, Route};
pub(crate) use seawall_model::package::{Ecosystem, SourcePackage};

/// Bytes.
pub(crate) const KIB: u64 = 1024;
/// Bytes.
pub(crate) const MIB: u64 = 1024 * KIB;
/// Bytes.
pub(crate) const GIB: u64 = 1024 * MIB;

#[cfg(test)]
pub(crate) use crate::found::{check, check_at};
