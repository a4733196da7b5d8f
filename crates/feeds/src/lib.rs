//! Public feeds become segments in a directory.
//!
//! ```text
//! https base ─update─► downloads ─┐
//! directory base ─────────────────┴─build─► osv: zip → Advisory ─► segment ─┐
//!                                          cisa-kev: JSON → days ─► segment ┴rename─► index directory ─open─► IndexSet
//! ```
//!
//! Invariant: every record is a row or a drop counted by class, and a feed that looks damaged never replaces what an
//! earlier build left.
mod alpine_secdb;
mod build;
mod cisa_kev;
mod debian_tracker;
mod directory;
mod downloads;
mod export;
mod feed;
mod osv;
mod records;
mod report;
mod time;
mod update;

pub use build::build;
pub use cisa_kev::parse_kev_for_fuzzing;
pub use directory::{MANIFEST, OpenError, open};
pub use feed::{ALL, Base, Feed, InvalidBase, Roots, UnknownFeed, select};
pub use osv::parse_osv_for_fuzzing;
pub use report::{BuildError, BuildReport, FeedReport, FeedStatus, FileReport, SegmentReport};
pub use update::{UpdateError, update};
