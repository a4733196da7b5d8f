//! Bytes of one file → packages; the files of many layers → one list.
//!
//! ```text
//! entry ─route─► LayerReader ─extract─► LayerFacts ─┐
//! entry ─route─► LayerReader ─extract─► LayerFacts ─┴─merge─► Contents {distro, packages, problems}
//! ```
//!
//! One file per format below `os` and `lang`; the table [`ALL`] is the register. Whatever is read comes as `&[u8]`
//! from an adapter: this crate opens nothing. Facts are kept by others, keyed by layer digest and
//! [`EXTRACTOR_VERSION`].
//!
//! Deliberately absent: paths on disk, image manifests, advisories.

mod codec;
mod facts;
mod found;
mod glob;
mod hash;
mod lang;
mod layer;
mod merge;
mod os;
mod prelude;
mod purl;

pub use codec::{CodecError, decode, encode};
pub use facts::{FileFacts, FoundPackage, LayerFacts, Link, OsRelease};
pub use found::{Extract, Extractor, Found, Route};
pub use layer::{Head, Kind, LayerReader, Want};
pub use merge::{Contents, merge};

/// Raised whenever the output for any input changes, so that cached layers are read again.
pub const EXTRACTOR_VERSION: u32 = 3;

/// Every extractor, in the order they are asked.
pub static ALL: &[&Extractor] = &[
    &os::os_release::EXTRACTOR,
    &os::dpkg::STATUS,
    &os::dpkg::FILES,
    &os::chisel::EXTRACTOR,
    &os::apk::INSTALLED,
    &os::apk::REPOSITORIES,
    &os::rpm::sqlite::EXTRACTOR,
    &os::rpm::sqlite::LOG,
    &os::rpm::ndb::EXTRACTOR,
    &os::rpm::bdb::EXTRACTOR,
    &os::rpm::manifest::EXTRACTOR,
    &os::content_sets::EXTRACTOR,
    &os::dnf_history::EXTRACTOR,
    &os::ubuntu_pro::SOURCES,
    &os::ubuntu_pro::STATUS,
    &lang::python_dist_info::EXTRACTOR,
    &lang::python_egg_info::EXTRACTOR,
    &lang::go_buildinfo::EXTRACTOR,
];

/// Where package managers keep their databases, by path below the root; not all of them are read.
pub fn database_paths() -> impl Iterator<Item = &'static str> {
    let read = [&os::dpkg::PLACES[..], &os::chisel::PLACES, &os::apk::PLACES, &os::rpm::PLACES];
    let unread = os::unread::FORMATS.iter().map(|(path, _)| *path);
    read.into_iter().flatten().copied().chain(unread)
}

/// The extractor of that id.
pub fn by_id(id: &str) -> Option<&'static Extractor> {
    ALL.iter().copied().find(|extractor| extractor.id == id)
}
