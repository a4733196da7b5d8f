//! Bytes of one file → packages; the files of many layers → one list.
//!
//! ```text
//! entry ─route─► LayerReader ─extract─► LayerFacts ─┐
//! entry ─route─► LayerReader ─extract─► LayerFacts ─┴─merge─► Contents {distro, packages, problems}
//! ```
//!
//! One file per format below `os` and `lang`; the table [`ALL`] is the register. In images and root file systems
//! installed evidence counts, in source trees lock files ([`LayerReader::of_source`]). Whatever is read comes as `&[u8]`
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
pub use found::{Extract, Extractor, Found, Needle, Route};
pub use layer::{Head, Kind, LayerReader, MAX_NEEDLES, Want};
pub use merge::{Contents, merge};

/// Raised whenever the output for any input changes, so that cached layers are read again.
pub const EXTRACTOR_VERSION: u32 = 4;

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
    &lang::rust_audit::EXTRACTOR,
    &lang::jar::EXTRACTOR,
    &lang::npm_package_json::EXTRACTOR,
    &lang::ruby_gemspec::EXTRACTOR,
    &lang::composer_installed::EXTRACTOR,
    &lang::dotnet_deps::EXTRACTOR,
    &lang::r_description::EXTRACTOR,
    &lang::bitnami_spdx::EXTRACTOR,
    // What source trees fix; read there alone.
    &lang::go_mod::EXTRACTOR,
    &lang::go_work::EXTRACTOR,
    &lang::cargo_lock::EXTRACTOR,
    &lang::maven_pom::EXTRACTOR,
    &lang::gradle_lock::EXTRACTOR,
    &lang::npm_lock::EXTRACTOR,
    &lang::yarn_lock::EXTRACTOR,
    &lang::pnpm_lock::EXTRACTOR,
    &lang::bun_lock::EXTRACTOR,
    &lang::poetry_lock::EXTRACTOR,
    &lang::uv_lock::EXTRACTOR,
    &lang::pdm_lock::EXTRACTOR,
    &lang::pipfile_lock::EXTRACTOR,
    &lang::pylock::EXTRACTOR,
    &lang::python_requirements::EXTRACTOR,
    &lang::gemfile_lock::EXTRACTOR,
    &lang::composer_lock::EXTRACTOR,
    &lang::nuget_packages_lock::EXTRACTOR,
    &lang::nuget_packages_config::EXTRACTOR,
    &lang::pubspec_lock::EXTRACTOR,
    &lang::cabal_freeze::EXTRACTOR,
    &lang::stack_lock::EXTRACTOR,
    &lang::renv_lock::EXTRACTOR,
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
