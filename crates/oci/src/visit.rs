//! Entries of a layer and who decides about them.
use crate::bounds;
use seawall_model::Problem;
use std::sync::atomic::{AtomicU64, Ordering};

/// One entry, without content. `path` is relative, has no `.` or `..` segment and is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: String,
    pub kind: EntryKind,
    pub mode: u32,
    /// Bytes of content.
    pub size: u64,
    /// Target of a link: as written for a symbolic one, a path from the root for a hard one.
    pub link: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Directory,
    Symlink,
    HardLink,
    Other,
}

/// How much of an entry a visitor wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    Skip,
    /// The first bytes, to decide by.
    Head(usize),
    /// All, if no longer than this many bytes.
    Whole(u64),
    /// All, if no longer than `cap` bytes and one of the needles occurs.
    Containing {
        cap: u64,
        needles: [Option<Needle>; MAX_NEEDLES],
    },
}

/// Things to look for in one entry; a visitor that knows more kinds of programs raises it.
pub const MAX_NEEDLES: usize = 3;

/// What an entry has to contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needle {
    pub bytes: &'static [u8],
    /// It lies at a multiple of this many bytes from the entry's first.
    pub alignment: usize,
    /// First byte and end of the part of the file to look in; `None` is everywhere.
    pub within: Option<(u64, u64)>,
}

/// Takes the entries of one layer in their order.
pub trait Visitor {
    fn want(&mut self, entry: &Entry) -> Want;
    /// The first bytes after [`Want::Head`]; the answer is no `Head` again.
    fn head(&mut self, entry: &Entry, bytes: &[u8]) -> Want;
    fn whole(&mut self, entry: &Entry, bytes: &[u8]);
    /// A wanted entry whose content could not be had; the problem names the limit or cause.
    fn refused(&mut self, entry: &Entry, problem: Problem);
}

/// What one image has cost so far; shared by the threads that read its layers.
#[derive(Debug, Default)]
pub struct Meters {
    entries: AtomicU64,
    inflated: AtomicU64,
}

impl Meters {
    /// Counts one entry; false once the limit is passed.
    pub(crate) fn entry(&self) -> bool {
        self.entries.fetch_add(1, Ordering::Relaxed) < bounds::ENTRIES
    }

    /// Counts inflated bytes; false once the limit is passed.
    pub(crate) fn inflated(&self, bytes: u64) -> bool {
        self.inflated.fetch_add(bytes, Ordering::Relaxed) + bytes <= bounds::INFLATED
    }

    /// Entries seen.
    pub fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }
}
