//! The index directory: one file per segment, and a manifest that lists them. Every file appears by rename, so
//! readers keep what they mapped and need no lock.
use crate::report::{BuildError, FeedReport};
use memmap2::Mmap;
use seawall_model::Millis;
use seawall_model::package::Ecosystem;
use seawall_vuln::segment::SegmentError;
use seawall_vuln::{EndOfLife, Enrichment, Epss, IndexSet, Kev, Nvd, Products, Segment};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file that makes a directory an index.
pub const MANIFEST: &str = "index.json";

/// Raised when the manifest changes its meaning.
const LAYOUT: u32 = 2;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) layout: u32,
    /// Ecosystems whose absence is a gap.
    pub(crate) asked: Vec<Ecosystem>,
    pub(crate) segments: Vec<Entry>,
    /// What the last build of each feed read.
    pub(crate) feeds: Vec<FeedReport>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { layout: LAYOUT, asked: Vec::new(), segments: Vec::new(), feeds: Vec::new() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// `Debian:11`, `PyPI`, `kev`.
    pub(crate) name: String,
    /// `None` for enrichment, such as `kev`.
    pub(crate) ecosystem: Option<Ecosystem>,
    /// Keys of the feeds its rows are from.
    pub(crate) feeds: Vec<String>,
    pub(crate) file: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Newest record, epoch milliseconds.
    pub(crate) newest: Option<Millis>,
}

/// Name of Red Hat's repositories among segments.
pub(crate) const PRODUCTS: &str = "redhat-products";

/// Why a directory cannot be used as an index.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "{path} holds no index: build one with `seawall db build --feeds ROOT` or `seawall db update`"
    )]
    NoIndex { path: PathBuf },
    #[error("read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a readable manifest: build the index again")]
    Manifest { path: PathBuf, source: serde_json::Error },
    #[error("{path} has index layout {found}, this version reads {LAYOUT}: build the index again")]
    Layout { path: PathBuf, found: u32 },
    #[error("{path} is refused: build the index again")]
    Segment { path: PathBuf, source: SegmentError },
}

/// Maps and checks every segment of the index in `dir`. One that is damaged refuses the whole index: without it the
/// answer would look complete.
pub fn open(dir: &Path) -> Result<IndexSet, OpenError> {
    let manifest =
        read_manifest(dir)?.ok_or_else(|| OpenError::NoIndex { path: dir.to_owned() })?;
    let (mut segments, mut kev, mut products) = (Vec::new(), None, None);
    let mut beside = Enrichment::default();
    for entry in &manifest.segments {
        let path = dir.join(&entry.file);
        let map = map(&path)?;
        let refused = |source| OpenError::Segment { path: path.clone(), source };
        match entry.ecosystem {
            Some(_) => segments.push(Segment::open(map).map_err(refused)?),
            None => match entry.name.as_str() {
                PRODUCTS => products = Some(Products::open(map).map_err(refused)?),
                "epss" => beside.epss = Some(Epss::open(map).map_err(refused)?),
                "nvd" => beside.nvd = Some(Nvd::open(map).map_err(refused)?),
                "endoflife" => beside.endoflife = Some(EndOfLife::open(map).map_err(refused)?),
                _ => kev = Some(Kev::open(map).map_err(refused)?),
            },
        }
    }
    let index = IndexSet::new(segments, kev, manifest.asked);
    Ok(index.with_products(products).with_enrichment(beside))
}

#[expect(unsafe_code, reason = "a memory map is the point of the segment format")]
fn map(path: &Path) -> Result<Mmap, OpenError> {
    let read = |source| OpenError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read)?;
    // SAFETY: segment files are written once and replaced by rename, never changed in place; every reader of the map
    // checks bounds and copies nothing by reference beyond the map's life.
    unsafe { Mmap::map(&file) }.map_err(read)
}

/// `None` if there is no manifest.
pub(crate) fn read_manifest(dir: &Path) -> Result<Option<Manifest>, OpenError> {
    let path = dir.join(MANIFEST);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::Read { path, source }),
    };
    let manifest: Manifest = match serde_json::from_slice(&text) {
        Ok(manifest) => manifest,
        Err(source) => return Err(OpenError::Manifest { path, source }),
    };
    if manifest.layout != LAYOUT {
        return Err(OpenError::Layout { path, found: manifest.layout });
    }
    Ok(Some(manifest))
}

/// Writes `bytes` beside the target, then renames it over.
pub(crate) fn write(dir: &Path, file: &str, bytes: &[u8]) -> Result<(), BuildError> {
    let path = dir.join(file);
    let temporary = dir.join(format!(".{file}.{}.part", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut part| part.write_all(bytes).and_then(|()| part.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, &path));
    written.map_err(|source| {
        // Best effort: the error that matters is the one already at hand.
        let _ = std::fs::remove_file(&temporary);
        BuildError::Write { path, source }
    })
}

/// A file name for a segment: releases come from feeds, so whatever is no plain word is escaped.
pub(crate) fn file_name(segment: &str) -> String {
    let mut name = String::new();
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' => {
                name.push(byte.to_ascii_lowercase() as char)
            }
            b'.' if !name.is_empty() => name.push('.'),
            b':' => name.push('-'),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    format!("{name}.seg")
}

#[test]
fn file_names_stay_in_the_directory() {
    for (segment, file) in [
        ("Debian:11", "debian-11.seg"),
        ("PyPI", "pypi.seg"),
        ("Debian:3.1", "debian-3.1.seg"),
        ("Debian:../../etc", "debian-..%2f..%2fetc.seg"),
        ("..", "%2e..seg"),
    ] {
        assert_eq!(file_name(segment), file);
    }
}
