//! The bounded disk spool: batches in order until the hub has committed them.
//!
//! A folder of segment files `<first sequence>.log`, each a run of frames
//! `batch length u32 | crc32 u32 | sequence u64 | classes u64 | drops reported so far u64 × classes | Batch`. Appends go to the page
//! cache and so survive the death of the process; [`Spool::sync`] makes them survive the machine's.
//! Drop counters lie in `dropped`, slots of a class's name (56 bytes, zero-padded) and its count, written in place.
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

/// Classes of drops kept apart; further ones are counted as `other`. Sensor and spool know about a dozen.
const MAX_CLASSES: usize = 32;
const NAME_BYTES: usize = 56;
const SLOT_BYTES: usize = NAME_BYTES + 8;

/// length, crc32, sequence, number of classes.
const HEADER_BYTES: usize = 4 + 4 + 8 + 8;

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
    frames: VecDeque<Place>,
}

/// Where one batch lies in its segment.
#[derive(Clone, Copy)]
struct Place {
    sequence: u64,
    offset: u64,
    length: usize,
}

/// Losses of one class since the folder was made.
struct Drops {
    class: String,
    count: u64,
    /// The part of `count` that batches in the spool or before it have told.
    reported: u64,
}

/// The owner is the uplink; a lock outside keeps one writer.
pub struct Spool {
    dir: PathBuf,
    max_bytes: u64,
    segments: VecDeque<Segment>,
    last: u64,
    acknowledged: u64,
    drops_file: File,
    drops: Vec<Drops>,
}

impl Spool {
    /// Opens or makes the spool in `dir`: at most `max_bytes` of frames that the hub has not committed, and on disk
    /// one segment more. A torn last frame, left by a crash while
    /// it was written, is cut off: its caller never returned.
    pub fn open(dir: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let failed = |source| SpoolError::Open { path: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let mut drops_file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join("dropped"))
            .map_err(failed)?;
        let drops = read_drops(&mut drops_file).map_err(failed)?;
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
            drops_file,
            drops,
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
            let length = frame.batch.len();
            offset += HEADER_BYTES + 8 * frame.reported.len();
            frames.push_back(Place { sequence: frame.sequence, offset: offset as u64, length });
            self.last = frame.sequence;
            self.drops
                .iter_mut()
                .zip(frame.reported)
                .for_each(|(drops, told)| drops.reported = told);
            offset += length;
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
            dropped: self.unreported().map(Into::into).collect(),
        };
        let batch = batch.encode_to_vec();
        if self.unacknowledged_bytes() + (HEADER_BYTES + batch.len()) as u64 > self.max_bytes {
            self.count("spool:full", count);
            return None;
        }
        match self.write_frame(self.last + 1, &batch) {
            Ok(()) => {
                self.last += 1;
                self.drops.iter_mut().for_each(|drops| drops.reported = drops.count);
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
        let reported = self.drops.iter().map(|drops| drops.count).collect();
        let frame = Frame { sequence, reported, batch }.write();
        let segment = self.segments.back_mut().expect("a segment was pushed above");
        segment.file.write_all_at(&frame, segment.bytes)?;
        let offset = segment.bytes + (frame.len() - batch.len()) as u64;
        segment.frames.push_back(Place { sequence, offset, length: batch.len() });
        segment.bytes += frame.len() as u64;
        Ok(())
    }

    /// The batch that follows `sequence`, as encoded [`v1::Batch`].
    pub fn after(&self, sequence: u64) -> Result<Option<(u64, Vec<u8>)>, SpoolError> {
        let Some(segment) = self
            .segments
            .iter()
            .find(|s| s.frames.back().is_some_and(|last| last.sequence > sequence))
        else {
            return Ok(None);
        };
        let found = segment.frames.iter().find(|frame| frame.sequence > sequence);
        let Some(&Place { sequence, offset, length }) = found else { return Ok(None) };
        let mut batch = vec![0; length];
        let failed = |source| SpoolError::Read { path: segment.path.clone(), source };
        segment.file.read_exact_at(&mut batch, offset).map_err(failed)?;
        Ok(Some((sequence, batch)))
    }

    /// The hub has committed everything up to `sequence`. The newest segment stays: it remembers the last sequence
    /// and what was reported.
    pub fn acknowledge(&mut self, sequence: u64) {
        self.acknowledged = self.acknowledged.max(sequence);
        while self.segments.len() > 1 {
            let done = self.segments[0].frames.back().is_none_or(|last| last.sequence <= sequence);
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

    /// Counts `count` lost records of `class`, such as `ring:data`, on disk.
    pub fn count(&mut self, class: &str, count: u64) {
        if count == 0 {
            return;
        }
        let slot = self.slot(class);
        self.drops[slot].count += count;
        let mut bytes = [0; SLOT_BYTES];
        let class = self.drops[slot].class.as_bytes();
        bytes[..class.len()].copy_from_slice(class);
        bytes[NAME_BYTES..].copy_from_slice(&self.drops[slot].count.to_le_bytes());
        if let Err(error) = self.drops_file.write_all_at(&bytes, (slot * SLOT_BYTES) as u64) {
            tracing::error!(class = self.drops[slot].class, %error, "drop counter not written");
        }
    }

    /// The slot of `class`, made if there is room, else that of `other`.
    fn slot(&mut self, class: &str) -> usize {
        let find =
            |drops: &[Drops], class: &str| drops.iter().position(|known| known.class == class);
        if let Some(slot) = find(&self.drops, class) {
            return slot;
        }
        let full = self.drops.len() + 1 >= MAX_CLASSES || class.len() > NAME_BYTES;
        let class = if full { "other" } else { class };
        find(&self.drops, class).unwrap_or_else(|| {
            self.drops.push(Drops { class: class.to_owned(), count: 0, reported: 0 });
            self.drops.len() - 1
        })
    }

    fn unreported(&self) -> impl Iterator<Item = Dropped> {
        let news = self.drops.iter().filter(|drops| drops.count > drops.reported);
        let dropped = |drops: &Drops| (drops.class.clone(), drops.count - drops.reported);
        news.map(dropped).map(|(class, count)| Dropped { class, count })
    }

    /// Whether drops were counted that no batch tells yet.
    pub fn has_unreported(&self) -> bool {
        self.unreported().next().is_some()
    }

    /// Lost since the folder was made.
    pub fn dropped(&self) -> Vec<Dropped> {
        let dropped = |drops: &Drops| Dropped { class: drops.class.clone(), count: drops.count };
        self.drops.iter().map(dropped).collect()
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
            .filter(|frame| frame.sequence > self.acknowledged)
            .map(|frame| (HEADER_BYTES + frame.length) as u64)
            .sum()
    }

    /// Makes everything appended so far survive a power loss.
    pub fn sync(&self) -> io::Result<()> {
        self.segments.back().map_or(Ok(()), |segment| segment.file.sync_data())
    }
}

/// The counters in the file of drops; a torn last slot was never counted.
fn read_drops(file: &mut File) -> io::Result<Vec<Drops>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let slot = |slot: &[u8]| {
        let (name, count) = slot.split_at(NAME_BYTES);
        let class = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
        let count = u64::from_le_bytes(count.try_into().expect("a slot ends in eight bytes"));
        Drops { class, count, reported: 0 }
    };
    Ok(bytes.chunks_exact(SLOT_BYTES).take(MAX_CLASSES).map(slot).collect())
}

struct Frame<'a> {
    sequence: u64,
    /// One number a class, in the order of the slots.
    reported: Vec<u64>,
    batch: &'a [u8],
}

impl<'a> Frame<'a> {
    fn write(&self) -> Vec<u8> {
        let head = HEADER_BYTES + 8 * self.reported.len();
        let mut frame = Vec::with_capacity(head + self.batch.len());
        frame.extend((self.batch.len() as u32).to_le_bytes());
        frame.extend([0; 4]);
        frame.extend(self.sequence.to_le_bytes());
        frame.extend((self.reported.len() as u64).to_le_bytes());
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
        let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let classes = usize::try_from(word(16)?).ok().filter(|classes| *classes <= MAX_CLASSES)?;
        let head = HEADER_BYTES + 8 * classes;
        let frame = bytes.get(..head.checked_add(length)?)?;
        if crc32fast::hash(&frame[8..]) != crc {
            return None;
        }
        let reported =
            (0..classes).map(|class| word(HEADER_BYTES + 8 * class)).collect::<Option<_>>()?;
        Some(Self { sequence: word(8)?, reported, batch: &frame[head..] })
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
