//! A root file system as the host or one process sees it, read without leaving it: links in a mounted host root, or
//! in a container, would otherwise be resolved in the sensor's own.
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Bytes of one file that is read: kubelet configurations stay under 8 KB, audit policies under 32 KB.
const MAX_FILE: u64 = 1 << 20;
/// Entries of one directory that are looked at.
const MAX_ENTRIES: usize = 4096;

/// A root and who sees it.
pub(super) struct View {
    root: OwnedFd,
}

/// What benchmarks ask of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Permission and special bits, without the type.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) directory: bool,
}

impl View {
    pub(super) fn of_directory(root: &Path) -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { root: rustix::fs::openat(CWD, root, flags, Mode::empty())? })
    }

    fn open(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let mut flags = flags | OFlags::CLOEXEC;
        if !flags.contains(OFlags::PATH) {
            // A FIFO or a device in a file's place must not make us wait.
            flags |= OFlags::NONBLOCK | OFlags::NOCTTY;
        }
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(&self.root, path, flags, Mode::empty(), resolve)
    }

    /// A whole regular file as text; too large or not UTF-8 is an error.
    pub(super) fn read(&self, path: &str) -> std::io::Result<String> {
        let file = File::from(self.open(path, OFlags::RDONLY)?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(std::io::Error::other("is no regular file"));
        }
        let mut text = String::new();
        let read = file.take(MAX_FILE + 1).read_to_string(&mut text)?;
        if read as u64 > MAX_FILE {
            return Err(std::io::Error::other(format!("has more than {MAX_FILE} bytes")));
        }
        Ok(text)
    }

    /// `None` where nothing is there.
    pub(super) fn stat(&self, path: &str) -> Result<Option<Seen>, Errno> {
        let file = match self.open(path, OFlags::PATH) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        };
        let stat = rustix::fs::fstat(&file)?;
        Ok(Some(Seen {
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            directory: FileType::from_raw_mode(stat.st_mode).is_dir(),
        }))
    }

    /// Names in a directory, in order; empty where there is none.
    pub(super) fn list(&self, path: &str) -> Result<Vec<String>, Errno> {
        let directory = match self.open(path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." && names.len() < MAX_ENTRIES {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Names by number in a file such as `/etc/passwd`. Source: passwd(5), group(5); both have the number third.
    pub(super) fn names(&self, path: &str) -> BTreeMap<u32, String> {
        let text = self.read(path).unwrap_or_default();
        let mut names = BTreeMap::new();
        for line in text.lines() {
            let mut fields = line.split(':');
            let (name, number) = (fields.next(), fields.nth(1));
            if let (Some(name), Some(Ok(number))) = (name, number.map(str::parse)) {
                names.entry(number).or_insert_with(|| name.to_owned());
            }
        }
        names
    }
}

#[test]
fn links_stay_within_the_root() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    std::fs::create_dir(at("etc")).unwrap();
    std::fs::write(at("etc/real"), "inside").unwrap();
    std::os::unix::fs::symlink("/etc/real", at("absolute")).unwrap();
    std::os::unix::fs::symlink("../../../../etc/hostname", at("out")).unwrap();
    let view = View::of_directory(root.path()).unwrap();
    assert_eq!(view.read("/absolute").unwrap(), "inside");
    assert!(view.read("/out").is_err());
    assert!(view.read("/etc").is_err());
    assert!(view.stat("/etc/real/none").unwrap().is_none());
    assert!(view.stat("/etc").unwrap().unwrap().directory);
    assert_eq!(view.list("/etc").unwrap(), ["real"]);
    let fifo = at("fifo");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert!(view.read("/fifo").is_err(), "and does not wait");
    std::fs::write(at("etc/passwd"), "root:x:0:0::/:/bin/sh\nbad\netcd:x:52:52::/:/\n").unwrap();
    let names = view.names("/etc/passwd");
    assert_eq!(names, [(0, "root".to_owned()), (52, "etcd".to_owned())].into());
}
