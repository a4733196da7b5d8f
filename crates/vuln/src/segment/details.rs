//! Advisory details in zstd blocks: written once, read only for what a report shows.
use super::read::Segment;
use super::{BlockSpan, DetailSpan, SegmentError, section};
use seawall_model::advisory::Advisory;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use zerocopy::IntoBytes;
use zerocopy::little_endian::U64;

/// Bytes of JSON a block is closed at: large enough to compress well, small enough to inflate in microseconds.
const BLOCK: usize = 64 * 1024;
/// Bytes a block may inflate to: one record of the largest feed is below 1 MiB.
const INFLATED_LIMIT: usize = 16 * 1024 * 1024;
const LEVEL: i32 = 12;

/// Records, block spans and blocks, in that order of sections.
pub(crate) struct Blocks {
    pub(crate) records: Vec<u8>,
    pub(crate) spans: Vec<u8>,
    pub(crate) blocks: Vec<u8>,
}

#[derive(Default)]
pub(crate) struct BlockWriter {
    records: Vec<DetailSpan>,
    spans: Vec<BlockSpan>,
    blocks: Vec<u8>,
    open: Vec<u8>,
}

impl BlockWriter {
    /// `None` if a span leaves 32 bits.
    pub(crate) fn add(&mut self, json: &[u8]) -> Option<()> {
        let (block, start) =
            (u32::try_from(self.spans.len()).ok()?, u32::try_from(self.open.len()).ok()?);
        let len = u32::try_from(json.len()).ok()?;
        let digest: [u8; 32] = Sha256::digest(json).into();
        let hash = U64::from_bytes(*digest.first_chunk().expect("a digest is longer"));
        let (block, start, len) = (block.into(), start.into(), len.into());
        self.records.push(DetailSpan { block, start, len, hash });
        self.open.extend(json);
        if self.open.len() >= BLOCK { self.close() } else { Some(()) }
    }

    fn close(&mut self) -> Option<()> {
        let packed = zstd::bulk::compress(&self.open, LEVEL).ok()?;
        self.spans.push(BlockSpan {
            start: u32::try_from(self.blocks.len()).ok()?.into(),
            len: u32::try_from(packed.len()).ok()?.into(),
            inflated: u32::try_from(self.open.len()).ok()?.into(),
        });
        self.blocks.extend(packed);
        self.open.clear();
        Some(())
    }

    pub(crate) fn finish(mut self) -> Option<Blocks> {
        if !self.open.is_empty() {
            self.close()?;
        }
        let (records, spans) = (self.records.as_bytes().to_vec(), self.spans.as_bytes().to_vec());
        Some(Blocks { records, spans, blocks: self.blocks })
    }
}

/// Inflated blocks of one matching run. Advisories of one name lie together, so few blocks serve many look-ups.
#[derive(Default)]
pub struct DetailsCache {
    blocks: HashMap<(String, u32), Vec<u8>>,
}

/// Blocks kept at once, about 4 MiB.
const CACHED: usize = 64;

impl DetailsCache {
    /// The record's text. Its `affected` entries have no ranges, and are absent where none rates its package.
    pub fn advisory(&mut self, segment: &Segment, advisory: u32) -> Result<Advisory, SegmentError> {
        let damaged = || SegmentError::Section("details");
        let record = *segment.records().get(advisory as usize).ok_or_else(damaged)?;
        let inflated = || {
            inflate_block(
                segment.block_spans(),
                segment.section(section::BLOCKS),
                record.block.get(),
            )
        };
        let json = self.text(segment.digest(), &record, inflated).ok_or_else(damaged)?;
        serde_json::from_slice(json).map_err(|_| damaged())
    }

    /// The text at `record` of the file with this digest; `inflate` reads its block where it is not at hand.
    pub(crate) fn text(
        &mut self,
        digest: &str,
        record: &DetailSpan,
        inflate: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<&[u8]> {
        let key = (digest.to_owned(), record.block.get());
        if !self.blocks.contains_key(&key) {
            if self.blocks.len() >= CACHED {
                self.blocks.clear();
            }
            self.blocks.insert(key.clone(), inflate()?);
        }
        let start = record.start.get() as usize;
        self.blocks.get(&key)?.get(start..)?.get(..record.len.get() as usize)
    }
}

pub(crate) fn inflate_block(spans: &[BlockSpan], blocks: &[u8], block: u32) -> Option<Vec<u8>> {
    let span = spans.get(block as usize)?;
    let packed = blocks.get(span.start.get() as usize..)?;
    let inflated = (span.inflated.get() as usize).min(INFLATED_LIMIT);
    zstd::bulk::decompress(packed.get(..span.len.get() as usize)?, inflated).ok()
}
