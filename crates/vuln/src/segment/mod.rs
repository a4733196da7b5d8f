//! One immutable file per (ecosystem, release): every status every record gave its packages.
//!
//! ```text
//! container: magic, layout, kind, SHA-256 of the rest, table of sections
//!   meta     JSON: what it covers, from which feeds
//!   names    fst: package name → range of rows
//!   rows     fixed size: advisory, introduced, end, kind, flags, fix status, qualifier
//!   keys     spans of key and original version, then their bytes
//!   only     JSON: what rows ask beside the version, each once
//!   records  spans of the details of each advisory: block, offset, length
//!   blocks   zstd blocks of advisory JSON, read only for output
//! ```
mod build;
pub(crate) mod container;
pub(crate) mod details;
mod read;

pub use build::{BuildError, Built, Counts, Source, build, build_from, drop_listed_within_ranges};
pub use container::SegmentError;
pub use details::DetailsCache;
pub use read::Segment;

use crate::order::Scheme;
use seawall_model::Millis;
use seawall_model::finding::FixStatus;
use seawall_model::package::Ecosystem;
use serde::{Deserialize, Serialize};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What a segment covers and where that came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub ecosystem: Ecosystem,
    /// `11` of `Debian:11`.
    pub release: Option<String>,
    pub scheme: Scheme,
    /// Newest record among its feeds, epoch milliseconds: the only date that leaves equal input with equal bytes.
    pub built: Option<Millis>,
    pub feeds: Vec<FeedDate>,
    /// No record speaks of flaws without a fix, so their absence says nothing.
    pub fixed_only: bool,
    pub advisories: u32,
    pub rows: u32,
    pub names: u32,
}

/// A feed and its newest record, epoch milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedDate {
    pub key: String,
    pub newest: Option<Millis>,
}

/// One range or listed version of one record for one name. `introduced` and `end` are places in the key table,
/// [`NONE`] for no bound.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Row {
    pub(crate) advisory: U32,
    /// Which `affected` entry of the advisory: fixes are looked for among the rows of one entry.
    pub(crate) entry: U32,
    pub(crate) introduced: U32,
    pub(crate) end: U32,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// Place in [`Meta::feeds`].
    pub(crate) feed: u8,
    /// What is known of a fix where there is no end, by [`fix_from_byte`].
    pub(crate) unfixed: u8,
    /// Place in the table of what is asked beside the version, [`NONE`] for nothing.
    pub(crate) only: U32,
}

pub(crate) const NONE: u32 = u32::MAX;
pub(crate) const WITHDRAWN: u8 = 1;
pub(crate) const UNDECIDABLE: u8 = 2;
/// Undecidable because a bound is outside the order, not because the record says so.
pub(crate) const BROKEN_BOUND: u8 = 4;

/// What ends a row. Numbers are the file format's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RowKind {
    Open = 0,
    Fixed = 1,
    LastAffected = 2,
    /// The version `end` alone.
    Listed = 3,
    /// The record says that the package never was affected.
    NotAffected = 4,
}

impl Meta {
    /// Keys of its feeds, in order.
    pub(crate) fn feed_keys(&self) -> impl PartialEq {
        self.feeds.iter().map(|feed| feed.key.clone()).collect::<Vec<_>>()
    }
}

impl RowKind {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Open, Self::Fixed, Self::LastAffected, Self::Listed, Self::NotAffected]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// Numbers of the file format, by place.
const FIXES: [FixStatus; 8] = [
    FixStatus::None,
    FixStatus::Unknown,
    FixStatus::Deferred,
    FixStatus::WillNotFix,
    FixStatus::EndOfLife,
    FixStatus::UnderInvestigation,
    FixStatus::InChannel,
    FixStatus::Available,
];

pub(crate) fn fix_to_byte(status: FixStatus) -> u8 {
    let place = FIXES.iter().position(|own| *own == status);
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default()
}

/// `Unknown` for a number that no status has.
pub(crate) fn fix_from_byte(byte: u8) -> FixStatus {
    FIXES.get(usize::from(byte)).copied().unwrap_or(FixStatus::Unknown)
}

/// Where a key and the version as written lie in the key bytes.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct KeySpan {
    pub(crate) key_start: U32,
    pub(crate) key_len: U32,
    pub(crate) text_len: U32,
}

/// Where the details of one advisory lie.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct DetailSpan {
    pub(crate) block: U32,
    pub(crate) start: U32,
    pub(crate) len: U32,
    /// The first bytes of the text's SHA-256: two builds tell whether a record changed without reading it.
    pub(crate) hash: U64,
}

/// Where a compressed block lies in the block bytes, and its size inflated.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct BlockSpan {
    pub(crate) start: U32,
    pub(crate) len: U32,
    pub(crate) inflated: U32,
}

/// Places of the sections in the container.
pub(crate) mod section {
    pub(crate) const META: usize = 0;
    pub(crate) const NAMES: usize = 1;
    pub(crate) const ROWS: usize = 2;
    pub(crate) const KEY_SPANS: usize = 3;
    pub(crate) const KEYS: usize = 4;
    pub(crate) const RECORDS: usize = 5;
    pub(crate) const BLOCK_SPANS: usize = 6;
    pub(crate) const BLOCKS: usize = 7;
    pub(crate) const ONLY: usize = 8;
    pub(crate) const COUNT: usize = 9;
}
