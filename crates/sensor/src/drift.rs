//! Whether an executable differs from its image: the kernel says which overlay layer it came from, the layers on disk
//! say whether that is new content or a copy made by `touch`, `chmod` or `chown`.
use crate::kernel::decode::{Header, Image};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes compared; a larger executable with the twin's size stays undecided, for the comparison delays events.
const MAX_COMPARED: u64 = 128 * 1024 * 1024;
/// Verdicts kept, by file system, inode and change time.
const MAX_VERDICTS: usize = 8_192;

/// How the kernel calls runc's copy of itself. Source: runc, `libcontainer/nsenter/cloned_binary.c` and
/// `libcontainer/exeseal`.
const RUNC_COPY: &str = "/memfd:runc_cloned:";

/// Verdicts so far. Owned and changed by the pipeline alone.
pub(crate) struct Drift {
    /// Where the host's root file system is seen from here.
    root: PathBuf,
    verdicts: HashMap<(u32, u64, u64), Option<bool>>,
}

impl Drift {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), verdicts: HashMap::new() }
    }

    /// `None` where neither kernel nor layers can decide, and for files outside overlay file systems.
    pub(crate) fn judge(&mut self, header: &Header, image: &Image) -> Option<bool> {
        // No image holds a program that exists in memory alone. runc's is its own copy, made before it enters the
        // container's namespaces.
        if image.exe.memfd() {
            let is_nested = header.vtgid != header.tgid;
            return Some(is_nested || !image.path.starts_with(RUNC_COPY));
        }
        if !image.exe.overlay() {
            return None;
        }
        if !image.exe.upper() {
            return Some(false);
        }
        let key = (image.device, image.inode, image.changed);
        if let Some(verdict) = self.verdicts.get(&key) {
            return *verdict;
        }
        let verdict = judge(&self.root, header.tgid, image);
        if self.verdicts.len() >= MAX_VERDICTS {
            self.verdicts.clear();
        }
        self.verdicts.insert(key, verdict);
        verdict
    }
}

fn judge(root: &Path, pid: u32, image: &Image) -> Option<bool> {
    let by_kernel = || image.exe.has_lower().filter(|has_lower| !has_lower).map(|_| true);
    // Container runtimes mount in the host's namespace, where the mount outlives the process.
    let hosts = if root == Path::new("/") { "self" } else { "1" };
    let tables = [(hosts.to_owned(), true), (pid.to_string(), false)];
    let layers = tables.iter().find_map(|(whose, hosts_view)| {
        let text = std::fs::read_to_string(format!("/proc/{whose}/mountinfo")).ok()?;
        layers(&text, image.device, *hosts_view)
    });
    let Some(layers) = layers.map(|layers| layers.below(root)) else { return by_kernel() };
    let path = Path::new(&image.path);
    let relative =
        path.strip_prefix(&layers.mounted_at).or_else(|_| path.strip_prefix("/")).ok()?;
    match twin(&layers.lower, relative) {
        Twin::None => Some(true),
        Twin::File(original) => differs(&layers, relative, pid, original),
        Twin::Unknown => by_kernel(),
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Layers {
    /// Where the process sees the overlay.
    mounted_at: PathBuf,
    upper: Option<PathBuf>,
    /// Topmost first.
    lower: Vec<PathBuf>,
}

impl Layers {
    /// As the paths are seen from where the host's root is `root`.
    fn below(self, root: &Path) -> Self {
        let seen = |path: PathBuf| match path.strip_prefix("/") {
            Ok(relative) => root.join(relative),
            Err(_) => path,
        };
        Self {
            upper: self.upper.map(seen),
            lower: self.lower.into_iter().map(seen).collect(),
            ..self
        }
    }
}

/// The overlay with the kernel's device number in a mountinfo text. In the host's table the mount point is not what
/// the container sees; there the root is assumed. Source: proc(5), overlayfs.rst.
fn layers(mountinfo: &str, device: u32, hosts_view: bool) -> Option<Layers> {
    let number = format!("{}:{}", device >> 20, device & 0xfffff);
    let line = mountinfo.lines().find(|line| {
        line.split(' ').nth(2) == Some(number.as_str()) && line.contains(" - overlay ")
    })?;
    let (mount, file_system) = line.split_once(" - ")?;
    let mounted_at = if hosts_view { "/" } else { mount.split(' ').nth(4)? };
    let options = file_system.split(' ').nth(2)?;
    let mut layers = Layers { mounted_at: unescape(mounted_at), upper: None, lower: Vec::new() };
    for option in options.split(',') {
        if let Some(upper) = option.strip_prefix("upperdir=") {
            layers.upper = Some(unescape(upper));
        } else if let Some(lower) = option.strip_prefix("lowerdir+=") {
            layers.lower.push(unescape(lower));
        } else if let Some(lower) = option.strip_prefix("lowerdir=") {
            layers.lower.extend(lower.split(':').map(unescape));
        }
    }
    // containerd shortens long lists by mounting from the snapshots' folder, two above `N/fs`.
    let base =
        layers.upper.as_deref().and_then(|upper| upper.parent()?.parent()).map(Path::to_path_buf);
    for lower in &mut layers.lower {
        if lower.is_relative()
            && let Some(base) = &base
        {
            *lower = base.join(&lower);
        }
    }
    Some(layers)
}

/// mountinfo writes blank, tab, newline and backslash as octal.
fn unescape(text: &str) -> PathBuf {
    let text = text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n");
    PathBuf::from(text.replace("\\134", "\\"))
}

enum Twin {
    File(File),
    /// The image has no such file.
    None,
    Unknown,
}

/// The file that the overlay would show without its upper layer.
fn twin(lower: &[PathBuf], relative: &Path) -> Twin {
    for layer in lower {
        let Ok(directory) =
            rustix::fs::openat(CWD, layer, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())
        else {
            return Twin::Unknown;
        };
        if let Some(file) = beneath(&directory, relative, OFlags::PATH | OFlags::NOFOLLOW) {
            return match rustix::fs::fstat(&file).map(|stat| FileType::from_raw_mode(stat.st_mode))
            {
                Ok(FileType::RegularFile) => match beneath(&directory, relative, OFlags::RDONLY) {
                    Some(file) => Twin::File(file.into()),
                    None => Twin::Unknown,
                },
                // A whiteout, or something that is no program.
                Ok(_) => Twin::None,
                Err(_) => Twin::Unknown,
            };
        }
        let hidden = relative.ancestors().skip(1).any(|folder| hides_lower(&directory, folder));
        if hidden {
            return Twin::None;
        }
    }
    Twin::None
}

/// Whether a folder of this layer is whited out, replaced, or opaque to the layers below.
fn hides_lower(layer: &OwnedFd, folder: &Path) -> bool {
    if folder.as_os_str().is_empty() {
        return false;
    }
    let Some(found) = beneath(layer, folder, OFlags::PATH | OFlags::NOFOLLOW) else { return false };
    let is_folder =
        rustix::fs::fstat(&found).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir());
    !is_folder
        || beneath(layer, folder, OFlags::RDONLY | OFlags::DIRECTORY)
            .is_some_and(|folder| has_attribute(&folder, "trusted.overlay.opaque"))
}

fn has_attribute(file: &OwnedFd, name: &str) -> bool {
    rustix::fs::fgetxattr(file, name, &mut [0u8; 64][..]).is_ok()
}

/// Opens below `directory` without following links: a layer is the image's content and may point anywhere.
fn beneath(directory: &OwnedFd, relative: &Path, flags: OFlags) -> Option<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    rustix::fs::openat2(directory, relative, flags | OFlags::CLOEXEC, Mode::empty(), resolve).ok()
}

/// Compares sizes, then bytes. The current content is the upper layer's file, else what the process still runs.
fn differs(layers: &Layers, relative: &Path, pid: u32, original: File) -> Option<bool> {
    let upper = layers.upper.as_ref().and_then(|upper| {
        let directory =
            rustix::fs::openat(CWD, upper, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).ok()?;
        beneath(&directory, relative, OFlags::RDONLY)
    });
    let current = match upper {
        // The copy holds metadata only; the content is still the lower file's.
        Some(file) if has_attribute(&file, "trusted.overlay.metacopy") => return Some(false),
        Some(file) => File::from(file),
        None => File::open(format!("/proc/{pid}/exe")).ok()?,
    };
    let (before, now) = (original.metadata().ok()?.len(), current.metadata().ok()?.len());
    if before != now {
        return Some(true);
    }
    if now > MAX_COMPARED {
        return None;
    }
    bytes_differ(original, current).ok()
}

fn bytes_differ(mut one: impl Read, mut other: impl Read) -> std::io::Result<bool> {
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let count = one.read(&mut left)?;
        if count == 0 {
            return Ok(other.read(&mut right)? != 0);
        }
        match other.read_exact(&mut right[..count]) {
            Ok(()) if left[..count] == right[..count] => {}
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(true),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: u32 = 50;

    #[track_caller]
    fn check(options: &str, hosts_view: bool, mounted_at: &str, upper: &str, lower: &[&str]) {
        let text = format!(
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n90 22 0:{DEVICE} / /run/c/root\\040fs rw,relatime shared:1 - overlay overlay {options}\n"
        );
        let expected = Layers {
            mounted_at: mounted_at.into(),
            upper: Some(upper.into()),
            lower: lower.iter().map(PathBuf::from).collect(),
        };
        assert_eq!(layers(&text, DEVICE, hosts_view), Some(expected));
        assert_eq!(layers(&text, DEVICE + 1, hosts_view), None);
    }

    #[test]
    fn layers_from_mountinfo() {
        check("rw,lowerdir=/l/2:/l/1,upperdir=/u,workdir=/w", true, "/", "/u", &["/l/2", "/l/1"]);
        check(
            "rw,lowerdir=2/fs:1/fs,upperdir=/s/3/fs,workdir=/s/3/work",
            false,
            "/run/c/root fs",
            "/s/3/fs",
            &["/s/2/fs", "/s/1/fs"],
        );
        check("rw,lowerdir+=/l/2,lowerdir+=/l/1,upperdir=/u", true, "/", "/u", &["/l/2", "/l/1"]);
    }

    #[test]
    fn twins_by_layer() {
        let folder = tempfile::tempdir().unwrap();
        let layer = |name: &str| folder.path().join(name);
        for path in ["top/bin", "base/bin", "base/opt"] {
            std::fs::create_dir_all(layer(path)).unwrap();
        }
        std::fs::write(layer("base/bin/ls"), "ls").unwrap();
        std::fs::write(layer("top/opt"), "no folder any more").unwrap();
        std::fs::write(layer("base/opt/tool"), "tool").unwrap();
        std::os::unix::fs::symlink("/etc", layer("base/out")).unwrap();
        let lower = [layer("top"), layer("base")];
        let found = |path: &str| match twin(&lower, Path::new(path)) {
            Twin::File(_) => Some(true),
            Twin::None => Some(false),
            Twin::Unknown => None,
        };
        assert_eq!(found("bin/ls"), Some(true));
        assert_eq!(found("bin/new"), Some(false));
        assert_eq!(found("opt/tool"), Some(false), "hidden by a file in the layer above");
        assert_eq!(found("out/hostname"), Some(false), "links lead nowhere");
        assert!(matches!(twin(&[layer("missing")], Path::new("bin/ls")), Twin::Unknown));
    }

    #[test]
    fn bytes() {
        for (one, other, expected) in
            [("a", "a", false), ("a", "b", true), ("a", "", true), ("", "a", true)]
        {
            assert_eq!(bytes_differ(one.as_bytes(), other.as_bytes()).unwrap(), expected);
        }
    }
}
