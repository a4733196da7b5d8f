//! The bounded disk spool: batches in order until the hub has committed them.
//!
//! A folder of segment files `<first sequence>.log`, each a run of frames
//! `length u32 | crc32 u32 | sequence u64 | drops reported so far u64 × classes | Batch`. Appends go to the page
//! cache and so survive the death of the process; [`Spool::sync`] makes them survive the machine's.
//! Drop counters lie in `dropped`, a fixed slot of eight bytes a class, written in place.
use prost::Message;
use seawall_model::asset::Dropped;
use seawall_wire::v1;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes of one segment file, or a quarter of the bound if that is less: acknowledged space returns soon.
const SEGMENT_BYTES: u64 = 1 << 20;

/// What can be lost on this side, one slot each. Only appended to: the position is the slot on disk.
pub const CLASSES: [&str; 8] = [
    "spool:full",
    "spool:disk",
    "spool:record-too-large",
    "ring:priority",
    "ring:data",
    "queue:identity",
    "queue:events",
    "ring:malformed",
];

/// length, crc32, sequence, reported drops.
const HEADER_BYTES: usize = 4 + 4 + 8 + 8 * CLASSES.len();

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("cannot open the spool in {path}")]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot read the spool file {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot renumber the spool in {path}")]
    Renumber { path: PathBuf, source: io::Error },
}

/// One file of frames, oldest first.
struct Segment {
    file: File,
    path: PathBuf,
    bytes: u64,
    /// (sequence, offset of the frame, length of the batch).
    frames: VecDeque<(u64, u64, u32)>,
}

/// The owner is the uplink; a lock outside keeps one writer.
pub struct Spool {
    dir: PathBuf,
    max_bytes: u64,
    segments: VecDeque<Segment>,
    last: u64,
    acknowledged: u64,
    drops: File,
    /// Lost since the folder was made, by class.
    dropped: [u64; CLASSES.len()],
    /// The part of `dropped` that batches in the spool or before it have told.
    reported: [u64; CLASSES.len()],
}

impl Spool {
    /// Opens or makes the spool in `dir`: at most `max_bytes` of frames that the hub has not committed, and on disk
    /// one segment more. A torn last frame, left by a crash while
    /// it was written, is cut off: its caller never returned.
    pub fn open(dir: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let failed = |source| SpoolError::Open { path: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let drops = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join("dropped"));
        let drops = drops.map_err(failed)?;
        let mut dropped = [0; CLASSES.len()];
        for (slot, count) in dropped.iter_mut().enumerate() {
            let mut bytes = [0; 8];
            // A slot past the end of the file was never counted.
            if drops.read_exact_at(&mut bytes, slot as u64 * 8).is_ok() {
                *count = u64::from_le_bytes(bytes);
            }
        }
        let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
            .map_err(failed)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .collect();
        paths.sort();
        let mut spool = Self {
            dir: dir.to_owned(),
            max_bytes,
            segments: VecDeque::new(),
            last: 0,
            acknowledged: 0,
            drops,
            dropped,
            reported: [0; CLASSES.len()],
        };
        for path in paths {
            let segment = spool.read_segment(path)?;
            spool.segments.push_back(segment);
        }
        Ok(spool)
    }

    fn read_segment(&mut self, path: PathBuf) -> Result<Segment, SpoolError> {
        let failed = |source| SpoolError::Read { path: path.clone(), source };
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let mut frames = VecDeque::new();
        let mut offset = 0;
        while let Some(frame) = Frame::read(&bytes[offset..]) {
            frames.push_back((frame.sequence, offset as u64, frame.batch.len() as u32));
            self.last = frame.sequence;
            self.reported = frame.reported;
            offset += HEADER_BYTES + frame.batch.len();
        }
        if offset < bytes.len() {
            tracing::warn!(path = %path.display(), bytes = bytes.len() - offset, "torn spool frame cut off");
            file.set_len(offset as u64).map_err(failed)?;
        }
        Ok(Segment { file, path, bytes: offset as u64, frames })
    }

    /// Appends one batch and returns its sequence, or counts its records as dropped and returns none.
    pub fn append(&mut self, records: Vec<v1::Record>) -> Option<u64> {
        let count = records.len() as u64;
        let too_large = |record: &v1::Record| record.encoded_len() > seawall_wire::MAX_RECORD_BYTES;
        let (large, records): (Vec<_>, Vec<_>) = records.into_iter().partition(too_large);
        self.count("spool:record-too-large", large.len() as u64);
        let count = count - large.len() as u64;
        if count == 0 && self.unreported().next().is_none() {
            return None;
        }
        let batch = v1::Batch {
            sequence: self.last + 1,
            records,
            dropped: self
                .unreported()
                .map(|(class, count)| v1::Dropped { class: class.to_owned(), count })
                .collect(),
        };
        let batch = batch.encode_to_vec();
        if self.unacknowledged_bytes() + (HEADER_BYTES + batch.len()) as u64 > self.max_bytes {
            self.count("spool:full", count);
            return None;
        }
        match self.write_frame(self.last + 1, &batch) {
            Ok(()) => {
                self.last += 1;
                self.reported = self.dropped;
                Some(self.last)
            }
            Err(error) => {
                tracing::error!(%error, "spool frame not written");
                self.count("spool:disk", count);
                None
            }
        }
    }

    fn write_frame(&mut self, sequence: u64, batch: &[u8]) -> io::Result<()> {
        let full = self
            .segments
            .back()
            .is_none_or(|segment| segment.bytes >= SEGMENT_BYTES.min(self.max_bytes / 4));
        if full {
            let path = self.dir.join(format!("{sequence:020}.log"));
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path)?;
            self.segments.push_back(Segment { file, path, bytes: 0, frames: VecDeque::new() });
        }
        let frame = Frame { sequence, reported: self.dropped, batch }.write();
        let segment = self.segments.back_mut().expect("a segment was pushed above");
        segment.file.write_all_at(&frame, segment.bytes)?;
        segment.frames.push_back((sequence, segment.bytes, batch.len() as u32));
        segment.bytes += frame.len() as u64;
        Ok(())
    }

    /// The batch that follows `sequence`, as encoded [`v1::Batch`].
    pub fn after(&self, sequence: u64) -> Result<Option<(u64, Vec<u8>)>, SpoolError> {
        let Some(segment) =
            self.segments.iter().find(|s| s.frames.back().is_some_and(|last| last.0 > sequence))
        else {
            return Ok(None);
        };
        let found = segment.frames.iter().find(|frame| frame.0 > sequence);
        let Some(&(sequence, offset, length)) = found else { return Ok(None) };
        let mut batch = vec![0; length as usize];
        let failed = |source| SpoolError::Read { path: segment.path.clone(), source };
        segment.file.read_exact_at(&mut batch, offset + HEADER_BYTES as u64).map_err(failed)?;
        Ok(Some((sequence, batch)))
    }

    /// The hub has committed everything up to `sequence`. The newest segment stays: it remembers the last sequence
    /// and what was reported.
    pub fn acknowledge(&mut self, sequence: u64) {
        self.acknowledged = self.acknowledged.max(sequence);
        while self.segments.len() > 1 {
            let done = self.segments[0].frames.back().is_none_or(|last| last.0 <= sequence);
            if !done {
                break;
            }
            let segment = self.segments.pop_front().expect("there is more than one");
            if let Err(error) = std::fs::remove_file(&segment.path) {
                tracing::warn!(path = %segment.path.display(), %error, "spool segment not removed");
            }
        }
    }

    /// Numbers all unsent batches from `above + 1` on, for a hub that remembers more than this folder does: the
    /// folder was lost, its agent was not. Batches up to `above` would pass for duplicates.
    pub fn renumber(&mut self, above: u64) -> Result<(), SpoolError> {
        let mut batches = Vec::new();
        let mut sequence = 0;
        while let Some((found, batch)) = self.after(sequence)? {
            sequence = found;
            batches.push(batch);
        }
        let path = self.dir.clone();
        let failed = |source| SpoolError::Renumber { path: path.clone(), source };
        for segment in std::mem::take(&mut self.segments) {
            std::fs::remove_file(&segment.path).map_err(&failed)?;
        }
        self.last = above;
        self.acknowledged = above;
        for bytes in batches {
            let mut batch = v1::Batch::decode(bytes.as_slice()).unwrap_or_default();
            batch.sequence = self.last + 1;
            self.write_frame(self.last + 1, &batch.encode_to_vec()).map_err(&failed)?;
            self.last += 1;
        }
        Ok(())
    }

    /// Counts `count` lost records of `class`, one of [`CLASSES`]; another class counts as `spool:disk`.
    pub fn count(&mut self, class: &str, count: u64) {
        if count == 0 {
            return;
        }
        let slot = CLASSES.iter().position(|known| *known == class).unwrap_or(1);
        self.dropped[slot] += count;
        if let Err(error) =
            self.drops.write_all_at(&self.dropped[slot].to_le_bytes(), slot as u64 * 8)
        {
            tracing::error!(class, %error, "drop counter not written");
        }
    }

    fn unreported(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let reported = self.reported;
        let pairs = CLASSES.into_iter().zip(self.dropped);
        pairs
            .enumerate()
            .map(move |(i, (class, count))| (class, count - reported[i]))
            .filter(|(_, count)| *count > 0)
    }

    /// Whether drops were counted that no batch tells yet.
    pub fn has_unreported(&self) -> bool {
        self.unreported().next().is_some()
    }

    /// Lost since the folder was made, classes that lost nothing left out.
    pub fn dropped(&self) -> Vec<Dropped> {
        let pairs = CLASSES.into_iter().zip(self.dropped).filter(|(_, count)| *count > 0);
        pairs.map(|(class, count)| Dropped { class: class.to_owned(), count }).collect()
    }

    pub fn last_sequence(&self) -> u64 {
        self.last
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    fn unacknowledged_bytes(&self) -> u64 {
        let frames = self.segments.iter().flat_map(|segment| &segment.frames);
        frames
            .filter(|frame| frame.0 > self.acknowledged)
            .map(|frame| HEADER_BYTES as u64 + u64::from(frame.2))
            .sum()
    }

    /// Makes everything appended so far survive a power loss.
    pub fn sync(&self) -> io::Result<()> {
        self.segments.back().map_or(Ok(()), |segment| segment.file.sync_data())
    }
}

struct Frame<'a> {
    sequence: u64,
    reported: [u64; CLASSES.len()],
    batch: &'a [u8],
}

impl<'a> Frame<'a> {
    fn write(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(HEADER_BYTES + self.batch.len());
        frame.extend((self.batch.len() as u32).to_le_bytes());
        frame.extend([0; 4]);
        frame.extend(self.sequence.to_le_bytes());
        self.reported.iter().for_each(|count| frame.extend(count.to_le_bytes()));
        frame.extend(self.batch);
        let crc = crc32fast::hash(&frame[8..]);
        frame[4..8].copy_from_slice(&crc.to_le_bytes());
        frame
    }

    /// The frame at the start of `bytes`; none where it is torn.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let crc = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
        let frame = bytes.get(..HEADER_BYTES.checked_add(length)?)?;
        if crc32fast::hash(&frame[8..]) != crc {
            return None;
        }
        let word = |at: usize| Some(u64::from_le_bytes(frame.get(at..at + 8)?.try_into().ok()?));
        let mut reported = [0; CLASSES.len()];
        for (slot, count) in reported.iter_mut().enumerate() {
            *count = word(16 + slot * 8)?;
        }
        Some(Self { sequence: word(8)?, reported, batch: &frame[HEADER_BYTES..] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(size: usize) -> v1::Record {
        let firing = v1::Firing { output: "x".repeat(size), ..Default::default() };
        v1::Record { body: Some(v1::record::Body::Firing(firing)) }
    }

    fn sequences(spool: &Spool) -> Vec<u64> {
        let mut found = Vec::new();
        while let Some((sequence, batch)) = spool.after(found.last().copied().unwrap_or(0)).unwrap()
        {
            assert_eq!(v1::Batch::decode(batch.as_slice()).unwrap().sequence, sequence);
            found.push(sequence);
        }
        found
    }

    #[test]
    fn survives_reopening_and_frees_what_is_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(dir.path(), 64 << 20).unwrap();
        for _ in 0..30 {
            spool.append(vec![record(100_000)]).unwrap();
        }
        spool.acknowledge(25);
        let mut spool = Spool::open(dir.path(), 64 << 20).unwrap();
        assert_eq!(spool.last_sequence(), 30);
        assert!(spool.bytes() < 15 * 100_000, "acknowledged segments are gone: {}", spool.bytes());
        assert_eq!(sequences(&spool).last(), Some(&30));
        spool.acknowledge(30);
        assert_eq!(
            Spool::open(dir.path(), 64 << 20).unwrap().last_sequence(),
            30,
            "the last sequence is never reused"
        );
    }

    #[test]
    fn a_torn_frame_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(dir.path(), 64 << 20).unwrap();
        spool.append(vec![record(10)]).unwrap();
        spool.append(vec![record(10)]).unwrap();
        let path = spool.segments[0].path.clone();
        let length = std::fs::metadata(&path).unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(length - 3).unwrap();
        let mut spool = Spool::open(dir.path(), 64 << 20).unwrap();
        assert_eq!(sequences(&spool), [1]);
        assert_eq!(spool.append(vec![record(10)]), Some(2));
        assert_eq!(sequences(&spool), [1, 2]);
    }

    /// Records in batches + records in drop counts = records given, whenever the process dies.
    #[test]
    fn what_does_not_fit_is_counted_and_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let (mut given, mut told) = (0, 0);
        let mut records = 0;
        let mut seen = 0;
        for round in 0..40 {
            let mut spool = Spool::open(dir.path(), 50_000).unwrap();
            for _ in 0..7 {
                spool.append(vec![record(3_000), record(3_000)]);
                given += 2;
            }
            if round % 3 == 2 {
                while let Some((sequence, batch)) = spool.after(seen).unwrap() {
                    let batch = v1::Batch::decode(batch.as_slice()).unwrap();
                    records += batch.records.len() as u64;
                    told += batch.dropped.iter().map(|dropped| dropped.count).sum::<u64>();
                    seen = sequence;
                    spool.acknowledge(sequence);
                }
            }
            assert!(spool.bytes() <= 50_000 + 50_000 / 2, "{}", spool.bytes());
        }
        let mut spool = Spool::open(dir.path(), 1 << 20).unwrap();
        spool.append(vec![]);
        while let Some((sequence, batch)) = spool.after(seen).unwrap() {
            let batch = v1::Batch::decode(batch.as_slice()).unwrap();
            records += batch.records.len() as u64;
            told += batch.dropped.iter().map(|dropped| dropped.count).sum::<u64>();
            seen = sequence;
        }
        assert!(told > 0);
        assert_eq!(records + told, given);
    }

    #[test]
    fn renumbers_above_what_the_hub_remembers() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(dir.path(), 1 << 20).unwrap();
        spool.append(vec![record(1)]).unwrap();
        spool.append(vec![record(1)]).unwrap();
        spool.renumber(900).unwrap();
        assert_eq!(sequences(&spool), [901, 902]);
        assert_eq!(Spool::open(dir.path(), 1 << 20).unwrap().last_sequence(), 902);
    }
}
