//! The frame of every index file: magic, layout version, kind, digest, table of sections.
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Bytes of an index file: a vector or a memory map.
pub(crate) type Bytes = Box<dyn AsRef<[u8]> + Send + Sync>;

const MAGIC: [u8; 8] = *b"SEAWALLX";
/// Raised when any section changes its meaning; readers refuse what they do not know.
const LAYOUT: u32 = 3;
/// Magic, layout, kind, then the digest; the digest covers everything after itself.
const DIGEST: Range<usize> = 16..48;
/// Bytes per entry of the section table: offset and length.
const ENTRY: usize = 16;

/// What an index file holds. Numbers are the file format's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Segment = 1,
    Kev = 2,
    Products = 3,
    Epss = 4,
    Nvd = 5,
    EndOfLife = 6,
}

/// Why bytes are no index file. All of these refuse the whole file.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error("not an index file")]
    Magic,
    #[error("index layout {found}, this version reads {LAYOUT}: build the index again")]
    Layout { found: u32 },
    #[error("an index file of another kind")]
    Kind,
    #[error("the file is cut short")]
    Truncated,
    #[error("the SHA-256 in the header does not match the content")]
    Digest,
    #[error("the section `{0}` is damaged")]
    Section(&'static str),
    #[error("the header is not readable")]
    Meta(#[source] serde_json::Error),
}

pub(crate) fn pack(kind: Kind, sections: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut start = DIGEST.end + 4 + sections.len() * ENTRY;
    body.extend(u32::try_from(sections.len()).expect("fewer than ten sections").to_le_bytes());
    for section in sections {
        body.extend((start as u64).to_le_bytes());
        body.extend((section.len() as u64).to_le_bytes());
        start += section.len();
    }
    sections.iter().for_each(|section| body.extend(section));
    let mut file = Vec::with_capacity(DIGEST.end + body.len());
    file.extend(MAGIC);
    file.extend(LAYOUT.to_le_bytes());
    file.extend((kind as u32).to_le_bytes());
    file.extend(Sha256::digest(&body));
    file.extend(body);
    file
}

/// Checks frame and digest; returns where each of `count` sections lies.
pub(crate) fn sections(
    bytes: &[u8],
    kind: Kind,
    count: usize,
) -> Result<Vec<Range<usize>>, SegmentError> {
    let magic = bytes.get(..MAGIC.len()).ok_or(SegmentError::Magic)?;
    if magic != MAGIC {
        return Err(SegmentError::Magic);
    }
    let layout = u32_at(bytes, 8)?;
    if layout != LAYOUT {
        return Err(SegmentError::Layout { found: layout });
    }
    if u32_at(bytes, 12)? != kind as u32 {
        return Err(SegmentError::Kind);
    }
    let digest = bytes.get(DIGEST).ok_or(SegmentError::Truncated)?;
    let body = bytes.get(DIGEST.end..).ok_or(SegmentError::Truncated)?;
    if Sha256::digest(body).as_slice() != digest {
        return Err(SegmentError::Digest);
    }
    if u32_at(bytes, DIGEST.end)? as usize != count {
        return Err(SegmentError::Section("table"));
    }
    (0..count).map(|index| section(bytes, index)).collect()
}

/// The digest in the header, once [`sections`] has checked it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    bytes.get(DIGEST).map(hex::encode).unwrap_or_default()
}

fn section(bytes: &[u8], index: usize) -> Result<Range<usize>, SegmentError> {
    let entry = DIGEST.end + 4 + index * ENTRY;
    let (start, len) = (u64_at(bytes, entry)?, u64_at(bytes, entry + 8)?);
    let end = start.checked_add(len).filter(|end| *end <= bytes.len() as u64);
    let end = end.ok_or(SegmentError::Section("table"))?;
    // Both fit: they are at most the length of a slice.
    Ok(start as usize..end as usize)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, SegmentError> {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
    field.map(u32::from_le_bytes).ok_or(SegmentError::Truncated)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, SegmentError> {
    let field = bytes.get(at..at + 8).and_then(|field| field.try_into().ok());
    field.map(u64::from_le_bytes).ok_or(SegmentError::Truncated)
}

/// Writes the digest of a changed file.
#[cfg(test)]
pub(super) fn seal(file: &mut [u8]) {
    let digest = Sha256::digest(&file[DIGEST.end..]);
    file[DIGEST].copy_from_slice(&digest);
}
