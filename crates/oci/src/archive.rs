//! An outer tar, indexed: a manifest and layers by path, each read in place.
use crate::blobs::{Blob, Blobs};
use crate::bounds;
use crate::buffer;
use crate::error::OpenError;
use crate::layer::{Format, decoder};
use crate::tar::{Next, Skip, Tar};
use crate::visit::EntryKind;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Links from one member to another that are followed; docker-save writes one.
const MAX_HOPS: usize = 8;

pub(crate) struct Archive {
    file: Arc<File>,
    members: HashMap<String, Member>,
    /// Why the index may lack members, if it may.
    pub(crate) early: Option<String>,
}

enum Member {
    File { offset: u64, size: u64 },
    Link(String),
}

impl Archive {
    /// Indexes the archive at `path`; one that is compressed is unpacked once to an unlinked file.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let read = |source| OpenError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        if !file.metadata().map_err(read)?.is_file() {
            let reason = "it is no regular file".to_owned();
            return Err(OpenError::NotAnImage { path: path.to_owned(), reason });
        }
        let mut start = BufReader::with_capacity(64 * 1024, file.try_clone().map_err(read)?);
        Self::unpack_and_index(path, &mut start, Some(file))
    }

    /// Indexes the archive that standard input holds, by way of an unlinked file.
    pub(crate) fn stdin() -> Result<Self, OpenError> {
        Self::unpack_and_index(Path::new("-"), &mut BufReader::new(io::stdin().lock()), None)
    }

    fn unpack_and_index(
        path: &Path,
        start: &mut dyn io::BufRead,
        plain: Option<File>,
    ) -> Result<Self, OpenError> {
        let unpack = |source| OpenError::Unpack { path: path.to_owned(), source };
        let Some((format, mut decoder)) = decoder(start).map_err(unpack)? else {
            let reason = "it is compressed in a way that is not supported".to_owned();
            return Err(OpenError::NotAnImage { path: path.to_owned(), reason });
        };
        let (file, early) = match plain {
            Some(file) if format == Format::Plain => (file, None),
            _ => buffer::unpack(&mut *decoder).map_err(unpack)?,
        };
        let mut archive = Self::index(file).map_err(unpack)?;
        if let Some(error) = early {
            archive.early = Some(error.to_string());
        }
        Ok(archive)
    }

    fn index(file: File) -> io::Result<Self> {
        let file = Arc::new(file);
        let source = InPlace { file: file.clone(), at: 0, end: file.metadata()?.len() };
        let mut archive = Self { file, members: HashMap::new(), early: None };
        let mut tar = Tar::new(source);
        loop {
            let header = match tar.next() {
                Ok(Next::Entry(header)) => header,
                Ok(Next::End(_)) => break,
                Err(error) => {
                    archive.early = Some(error.to_string());
                    break;
                }
            };
            if archive.members.len() >= bounds::MEMBERS {
                archive.early = Some(format!("limit reached: members, {}", bounds::MEMBERS));
                break;
            }
            let Ok(Some(entry)) = header.entry() else { continue };
            let member = match (entry.kind, entry.link) {
                (EntryKind::File, _) => Member::File { offset: header.offset, size: entry.size },
                (EntryKind::HardLink, Some(target)) => Member::Link(target),
                (EntryKind::Symlink, Some(target)) => Member::Link(beside(&entry.path, &target)),
                _ => continue,
            };
            archive.members.insert(entry.path, member);
        }
        Ok(archive)
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    fn find(&self, path: &str) -> Option<(u64, u64)> {
        let mut path = beside("", path);
        for _ in 0..MAX_HOPS {
            match self.members.get(&path)? {
                Member::File { offset, size } => return Some((*offset, *size)),
                Member::Link(target) => path = target.clone(),
            }
        }
        None
    }
}

impl Blobs for Archive {
    fn blob(&self, key: &str) -> io::Result<Option<Blob>> {
        let Some((offset, size)) = self.find(key) else { return Ok(None) };
        let end = offset.saturating_add(size);
        let reader = Box::new(InPlace { file: self.file.clone(), at: offset, end });
        Ok(Some(Blob { reader, size: Some(size) }))
    }
}

/// `target` as seen from the member at `path`, without `.` and `..`.
fn beside(path: &str, target: &str) -> String {
    let parent = if target.starts_with('/') {
        ""
    } else {
        path.rsplit_once('/').map_or("", |(parent, _)| parent)
    };
    let mut segments: Vec<&str> = Vec::new();
    for segment in parent.split('/').chain(target.split('/')) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

/// A part of a file, by position: layers are read at the same time through one handle.
struct InPlace {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for InPlace {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Skip for InPlace {
    fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        let most = bytes.min(self.end - self.at);
        self.at += most;
        Ok(most)
    }
}

#[test]
fn links_stay_inside() {
    assert_eq!(beside("a/layer.tar", "../b/layer.tar"), "b/layer.tar");
    assert_eq!(beside("a/b", "/c"), "c");
    assert_eq!(beside("a/b", "../../../../c"), "c");
}
