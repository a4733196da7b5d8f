//! A root file system on disk, walked as if it were one layer.
//! Overlay marks of an unpacked snapshot become the whiteouts a tar would hold. Source: kernel
//! Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".
use crate::bounds;
use crate::buffer::{self, Content, Needle};
use crate::layer::Dropped;
use crate::tar::escape;
use crate::visit::{Entry, EntryKind, Meters, Visitor};
use seawall_model::Problem;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Bytes looked through at once.
const LOOK: usize = 256 * 1024;

/// What to leave out.
#[derive(Default)]
pub struct TreeOptions {
    /// Whether a directory is entered: its path below the root, and what the file system says of it.
    pub enter: Option<EnterDirectory>,
    /// Read character devices 0/0 as whiteouts and `trusted.overlay.opaque` as opaque directories.
    pub overlay: bool,
}

/// Decides by the path below the root and the metadata of a directory.
pub type EnterDirectory = Box<dyn Fn(&str, &Metadata) -> bool + Send + Sync>;

impl TreeOptions {
    pub(crate) fn overlay() -> Self {
        Self { enter: None, overlay: true }
    }
}

/// How a walk went.
#[derive(Debug, Default)]
pub struct TreeWalk {
    pub problems: Vec<Problem>,
    /// A limit ended it early.
    pub stopped: Option<Problem>,
}

/// Walks `root` in the order of names. Directories and files that cannot be read are gaps. Links are never followed.
pub fn walk_tree(
    root: &Path,
    options: &TreeOptions,
    visitor: &mut dyn Visitor,
    meters: &Meters,
) -> TreeWalk {
    let mut walk = Walk { options, visitor, meters, dropped: Dropped::default() };
    let stopped = walk.directory("", root, 0).err();
    TreeWalk { problems: walk.dropped.finish(&root.display().to_string()), stopped }
}

struct Walk<'a> {
    options: &'a TreeOptions,
    visitor: &'a mut dyn Visitor,
    meters: &'a Meters,
    dropped: Dropped,
}

impl Walk<'_> {
    /// `path` is below the root, as entries name it; `on_disk` the same with its bytes as they are. An error is a limit
    /// that ends the walk.
    fn directory(&mut self, path: &str, on_disk: &Path, depth: usize) -> Result<(), Problem> {
        if depth > bounds::DEPTH {
            self.dropped.gap("directories over 512 deep", path);
            return Ok(());
        }
        let names = match names(on_disk) {
            Ok(names) => names,
            // Processes and builds take directories away while a live system is walked.
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth > 0 => return Ok(()),
            Err(_) => {
                self.dropped.gap("directory cannot be read", path);
                return Ok(());
            }
        };
        if self.options.overlay && is_opaque(on_disk) {
            self.mark(path, ".wh..wh..opq");
        }
        for name in names {
            self.entry(path, &on_disk.join(&name), depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, parent: &str, on_disk: &Path, depth: usize) -> Result<(), Problem> {
        if !self.meters.entry() {
            let message = format!("limit reached: entries per image, {}", bounds::ENTRIES);
            return Err(Problem::gap("limit-reached", message));
        }
        let shown = escape(on_disk.file_name().unwrap_or_default().as_bytes());
        let path = if parent.is_empty() { shown.clone() } else { format!("{parent}/{shown}") };
        if path.len() > bounds::PATH {
            self.dropped.gap("path over 4,096 bytes", &path);
            return Ok(());
        }
        let metadata = match fs::symlink_metadata(on_disk) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(_) => {
                self.dropped.gap("status cannot be read", &path);
                return Ok(());
            }
        };
        let file_type = metadata.file_type();
        if self.options.overlay && file_type.is_char_device() && metadata.rdev() == 0 {
            self.mark(parent, &format!(".wh.{shown}"));
            return Ok(());
        }
        let (kind, link) = if file_type.is_dir() {
            (EntryKind::Directory, None)
        } else if file_type.is_symlink() {
            let target = fs::read_link(on_disk).map(|target| escape(target.as_os_str().as_bytes()));
            (EntryKind::Symlink, target.ok())
        } else if file_type.is_file() {
            (EntryKind::File, None)
        } else {
            (EntryKind::Other, None)
        };
        let size = if kind == EntryKind::File { metadata.len() } else { 0 };
        let entry = Entry { path, kind, mode: metadata.mode() & 0o7777, size, link };
        match kind {
            EntryKind::File => self.file(&entry, on_disk),
            EntryKind::Directory => {
                self.visitor.want(&entry);
                let enter =
                    self.options.enter.as_ref().is_none_or(|enter| enter(&entry.path, &metadata));
                if enter {
                    self.directory(&entry.path, on_disk, depth + 1)?;
                }
            }
            _ => {
                self.visitor.want(&entry);
            }
        }
        Ok(())
    }

    fn file(&mut self, entry: &Entry, on_disk: &Path) {
        let mut lazy = Lazy { path: on_disk, file: None };
        if let Err(failed) = buffer::offer(entry, &mut lazy, self.visitor)
            && !failed.told
            && failed.error.kind() != io::ErrorKind::NotFound
        {
            self.dropped.gap("file cannot be read", &entry.path);
        }
    }

    fn mark(&mut self, parent: &str, name: &str) {
        let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
        let entry = Entry { path, kind: EntryKind::File, mode: 0, size: 0, link: None };
        self.visitor.want(&entry);
    }
}

/// Opened at the first read, so that unwanted files cost no system call.
struct Lazy<'a> {
    path: &'a Path,
    file: Option<File>,
}

impl Lazy<'_> {
    fn file(&mut self) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => open(self.path)?,
        };
        Ok(self.file.insert(file))
    }
}

impl io::Read for Lazy<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file()?.read(buffer)
    }
}

/// Most programs lack what is looked for, and then the greater part of them is never read.
impl Content for Lazy<'_> {
    fn look(&mut self, needles: &[Needle]) -> Option<io::Result<bool>> {
        let file = match self.file() {
            Ok(file) => file,
            Err(error) => return Some(Err(error)),
        };
        Some(needles.iter().try_fold(false, |any, needle| Ok(any || look(file, needle)?)))
    }
}

fn look(file: &File, needle: &Needle) -> io::Result<bool> {
    // A multiple of every alignment in use. What a needle that straddles two chunks needs of the first is read again.
    let mut chunk = vec![0; LOOK];
    let alignment = needle.alignment.max(1);
    let again = needle.bytes.len().saturating_sub(alignment).next_multiple_of(alignment);
    let mut at = needle.start;
    while at < needle.end {
        let most = usize::try_from(needle.end - at).unwrap_or(usize::MAX).min(LOOK);
        let mut filled = 0;
        while filled < most {
            match file.read_at(&mut chunk[filled..most], at + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        if buffer::occurs(&chunk[..filled], needle.bytes, needle.alignment) {
            return Ok(true);
        }
        if filled < LOOK {
            break;
        }
        at += (LOOK - again) as u64;
    }
    Ok(false)
}

/// Neither follows a link that took the file's place nor waits for a writer of a pipe that did.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(file)
}

fn names(path: &Path) -> io::Result<Vec<OsString>> {
    let mut names: Vec<_> = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort_unstable();
    Ok(names)
}

fn is_opaque(path: &Path) -> bool {
    ["trusted.overlay.opaque", "user.overlay.opaque"].iter().any(|name| {
        let mut value = [0; 1];
        rustix::fs::lgetxattr(path, *name, &mut value)
            .is_ok_and(|length| length == 1 && value[0] == b'y')
    })
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
