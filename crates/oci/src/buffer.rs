//! Content of wanted entries: in memory under one budget, else spilled to an unlinked file and mapped.
use crate::bounds;
use crate::visit::{self, Entry, Visitor, Want};
use memmap2::Mmap;
use seawall_model::Problem;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes copied at once when spilling.
const CHUNK: usize = 256 * 1024;

/// Bytes free of one kind, for the whole process.
struct Budget {
    free: Mutex<u64>,
    freed: Condvar,
}

static BUFFERS: Budget = Budget::new(bounds::ALL_BUFFERS);
static SPILL: Budget = Budget::new(bounds::ALL_SPILL);

struct Permit {
    budget: &'static Budget,
    bytes: u64,
}

impl Budget {
    const fn new(bytes: u64) -> Self {
        Self { free: Mutex::new(bytes), freed: Condvar::new() }
    }

    /// Waits until `bytes` are free. A thread holds one permit at a time, so the wait ends.
    fn wait(&'static self, bytes: u64) -> Permit {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free < bytes {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        Permit { budget: self, bytes }
    }

    fn try_take(&'static self, bytes: u64) -> Option<Permit> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(bytes)?;
        Some(Permit { budget: self, bytes })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut free = self.budget.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free += self.bytes;
        self.budget.freed.notify_all();
    }
}

/// A file's content: read forward, and where it lies on disk also looked into.
pub(crate) trait Content: Read {
    /// Whether one of the needles occurs; `None` if only reading forward can tell.
    fn look(&mut self, _: &[Needle]) -> Option<io::Result<bool>> {
        None
    }
}

/// What to look for, where, at which multiples. Units: bytes.
pub(crate) struct Needle {
    pub(crate) bytes: &'static [u8],
    pub(crate) alignment: usize,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Needle {
    /// As a visitor asked, in an entry of `size` bytes.
    fn new(asked: &visit::Needle, size: u64) -> Self {
        let visit::Needle { bytes, alignment, within } = *asked;
        let (start, end) = within.unwrap_or((0, size));
        // The multiples count from the file's first byte.
        let start = start - start % alignment.max(1) as u64;
        Self { bytes, alignment, start, end: end.clamp(start, size.max(start)) }
    }

    fn occurs_in(&self, file: &[u8]) -> bool {
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(file.len());
        occurs(&file[at(self.start)..at(self.end)], self.bytes, self.alignment)
    }
}

/// A reader that failed on an entry.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: io::Error,
    /// The visitor has a problem for it, so nobody else needs to report the entry.
    pub(crate) told: bool,
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self { error, told: false }
    }
}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// Asks `visitor` about a regular file and hands over what it wants. An error is the reader's own; whatever else
/// stands in the way is told to the visitor.
pub(crate) fn offer(
    entry: &Entry,
    reader: &mut dyn Content,
    visitor: &mut dyn Visitor,
) -> Result<(), Failed> {
    let mut prefix = Vec::new();
    let mut want = visitor.want(entry);
    if let Want::Head(bytes) = want {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).min(entry.size).min(bounds::BUFFERED);
        reader.take(bytes).read_to_end(&mut prefix)?;
        want = visitor.head(entry, &prefix);
    }
    let (cap, needles) = match want {
        Want::Skip | Want::Head(_) => return Ok(()),
        Want::Whole(cap) => (cap, None),
        Want::Containing { cap, needles } => {
            let needles = needles.iter().flatten().map(|needle| Needle::new(needle, entry.size));
            (cap, Some(needles.collect::<Vec<_>>()))
        }
    };
    let cap = cap.min(bounds::ANALYSED);
    if entry.size > cap {
        let message =
            format!("limit reached: file of {} bytes, at most {cap} are analysed", entry.size);
        visitor.refused(entry, gap(entry, "limit-reached", message));
        return Ok(());
    }
    if let Some(needles) = &needles {
        match reader.look(needles) {
            Some(Ok(true)) | None => {}
            Some(Ok(false)) => return Ok(()),
            Some(Err(error)) => return Err(error.into()),
        }
    }
    if entry.size <= bounds::BUFFERED {
        buffered(entry, prefix, reader, needles.as_deref(), visitor)
    } else {
        spilled(entry, &prefix, reader, needles.as_deref(), visitor)
    }
}

/// Hands over an entry by way of memory; `prefix` was read before.
fn buffered(
    entry: &Entry,
    prefix: Vec<u8>,
    reader: &mut dyn Content,
    needles: Option<&[Needle]>,
    visitor: &mut dyn Visitor,
) -> Result<(), Failed> {
    let _permit = BUFFERS.wait(entry.size);
    let rest = entry.size - prefix.len() as u64;
    let mut bytes = prefix;
    bytes.reserve_exact(usize::try_from(rest).unwrap_or(0));
    if let Err(error) = reader.take(rest).read_to_end(&mut bytes) {
        return Err(cut(entry, visitor, error));
    }
    if (bytes.len() as u64) < entry.size {
        return Err(cut(entry, visitor, io::ErrorKind::UnexpectedEof.into()));
    }
    if any_occurs(needles, &bytes) {
        visitor.whole(entry, &bytes);
    }
    Ok(())
}

/// Hands over an entry by way of an unlinked file.
fn spilled(
    entry: &Entry,
    prefix: &[u8],
    reader: &mut dyn Content,
    needles: Option<&[Needle]>,
    visitor: &mut dyn Visitor,
) -> Result<(), Failed> {
    let Some(_permit) = SPILL.try_take(entry.size) else {
        let message = format!("limit reached: {} bytes of spill in all", bounds::ALL_SPILL);
        visitor.refused(entry, gap(entry, "limit-reached", message));
        return Ok(());
    };
    match spill(prefix, &mut reader.take(entry.size - prefix.len() as u64)) {
        Ok(map) if map.len() as u64 == entry.size => {
            if any_occurs(needles, &map) {
                visitor.whole(entry, &map);
            }
            Ok(())
        }
        Ok(_) => Err(cut(entry, visitor, io::ErrorKind::UnexpectedEof.into())),
        Err(Spill::Read(error)) => Err(cut(entry, visitor, error)),
        Err(Spill::Write(error)) => {
            let message = format!("cannot spill a file of {} bytes: {error}", entry.size);
            visitor.refused(entry, gap(entry, "spill-failed", message));
            Ok(())
        }
    }
}

fn any_occurs(needles: Option<&[Needle]>, file: &[u8]) -> bool {
    needles.is_none_or(|needles| needles.iter().any(|needle| needle.occurs_in(file)))
}

/// Whether `needle` occurs at a multiple of `step`. Bare loops, since whole images pass through them.
pub(crate) fn occurs(bytes: &[u8], needle: &[u8], step: usize) -> bool {
    let Some(first) = needle.first() else { return true };
    let mut at = 0;
    while at + needle.len() <= bytes.len() {
        if step <= 1 {
            // The C library's search for one byte, many times as fast as a loop.
            let skipped = (&bytes[at..]).skip_until(*first).unwrap_or(0);
            at += skipped.saturating_sub(1);
        }
        if bytes[at] == *first && bytes[at..].starts_with(needle) {
            return true;
        }
        at += step.max(1);
    }
    false
}

fn cut(entry: &Entry, visitor: &mut dyn Visitor, error: io::Error) -> Failed {
    // A file that went away while a live system is walked is no part of it.
    if error.kind() == io::ErrorKind::NotFound {
        return error.into();
    }
    let message = format!("file could not be read to its end: {error}");
    visitor.refused(entry, gap(entry, "file-cut-short", message));
    Failed { error, told: true }
}

fn gap(entry: &Entry, code: &str, message: String) -> Problem {
    Problem::gap(code, message).file(&entry.path)
}

enum Spill {
    Read(io::Error),
    Write(io::Error),
}

/// Copies to a file that has no name, in the system's directory for such (`TMPDIR`), and maps it.
fn spill(prefix: &[u8], reader: &mut dyn Read) -> Result<Mmap, Spill> {
    let mut file = tempfile::tempfile().map_err(Spill::Write)?;
    file.write_all(prefix).map_err(Spill::Write)?;
    copy(reader, &mut file)?;
    map(&file).map_err(Spill::Write)
}

fn copy(reader: &mut dyn Read, file: &mut File) -> Result<(), Spill> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match reader.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Spill::Read(error)),
        };
        file.write_all(&chunk[..read]).map_err(Spill::Write)?;
    }
}

#[expect(
    unsafe_code,
    reason = "the file is unlinked and ours alone, so nobody shortens it under the map"
)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: no other process can open the file, and this one neither writes nor truncates it any more.
    unsafe { Mmap::map(file) }
}

/// Inflates to an unlinked file within the bound of all spill. Returns what came, and why it ended early if it did.
pub(crate) fn unpack(reader: &mut dyn Read) -> io::Result<(File, Option<io::Error>)> {
    let mut file = tempfile::tempfile()?;
    let mut bounded = reader.take(bounds::ALL_SPILL + 1);
    let early = match copy(&mut bounded, &mut file) {
        Ok(()) if bounded.limit() == 0 => {
            Some(crate::stream::limit("bytes of a compressed archive", bounds::ALL_SPILL))
        }
        Ok(()) => None,
        Err(Spill::Read(error)) => Some(error),
        Err(Spill::Write(error)) => return Err(error),
    };
    Ok((file, early))
}

#[test]
fn needles_are_found_at_multiples_alone() {
    assert!(occurs(b"xxxxneedle", b"needle", 4));
    assert!(!occurs(b"xxxneedle", b"needle", 4));
    assert!(!occurs(b"xxxxneed", b"needle", 4));
    assert!(!occurs(b"", b"needle", 16));
    assert!(occurs(b"nnxneedle", b"needle", 1));
    assert!(occurs(b"needle", b"needle", 1));
    assert!(!occurs(b"nneednn", b"needle", 1));
    assert!(!occurs(b"xxxneedl", b"needle", 1));
}
