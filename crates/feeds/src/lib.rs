//! Public feeds become segments in a directory.
//!
//! ```text
//! https base ─update─► downloads ─┐
//! directory base ─────────────────┴─build─► osv: zip → Advisory ─► segment ─┐
//!                             cisa-kev, epss, nvd, endoflife: list ─► part ┴rename─► index directory ─open─► IndexSet
//! ```
//!
//! Invariant: every record is a row or a drop counted by class, and a feed that looks damaged never replaces what an
//! earlier build left.
mod alma_errata;
mod alpine_secdb;
mod amazon;
mod azure_oval;
mod build;
mod chainguard;
mod cisa_kev;
mod compressed;
mod debian_tracker;
mod directory;
mod documents;
mod download;
mod downloads;
mod endoflife;
mod enrichment;
mod epss;
mod export;
mod feed;
mod fuzzing;
mod listing;
mod nvd;
mod oracle_oval;
mod osv;
mod oval;
mod photon;
mod rebuilds;
mod records;
mod redhat_vex;
mod report;
mod rocky;
mod suse_oval;
mod time;
mod ubuntu;
mod update;
mod wolfi_secdb;

pub use build::build;
pub use cisa_kev::parse_kev_for_fuzzing;
pub use directory::{MANIFEST, OpenError, open};
pub use feed::{ALL, Base, Feed, InvalidBase, Roots, UnknownFeed, select};
pub use fuzzing::parse_json_for_fuzzing;
pub use osv::parse_osv_for_fuzzing;
pub use oval::parse_oval_for_fuzzing;
pub use redhat_vex::parse_csaf_for_fuzzing;
pub use report::{BuildError, BuildReport, FeedReport, FeedStatus, FileReport, SegmentReport};
pub use update::{UpdateError, update};
