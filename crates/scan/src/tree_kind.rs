//! What a directory is taken for: a root file system, whose installed packages count, or a source tree, whose lock
//! files do.
use std::path::Path;
use std::str::FromStr;

/// `--as auto|source|rootfs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// A root file system if it has an os-release.
    Auto,
    Source,
    Rootfs,
}

impl TreeKind {
    /// Whether the lock files of `root` count, not what is installed in it. A link that is named os-release is one,
    /// wherever it leads: those of a root lead from its own top.
    pub fn is_source(self, root: &Path) -> bool {
        let has_release = || {
            let places = ["etc/os-release", "usr/lib/os-release"];
            places.iter().any(|place| root.join(place).symlink_metadata().is_ok())
        };
        match self {
            Self::Auto => !has_release(),
            Self::Source => true,
            Self::Rootfs => false,
        }
    }
}

impl FromStr for TreeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "source" => Ok(Self::Source),
            "rootfs" => Ok(Self::Rootfs),
            _ => Err("expected auto, source or rootfs".to_owned()),
        }
    }
}

#[test]
fn table() {
    #[track_caller]
    fn check(text: &str, release: Option<&str>, expected: bool) {
        let root = tempfile::tempdir().unwrap();
        if let Some(release) = release {
            let path = root.path().join(release);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink("/nowhere", path).unwrap();
        }
        let kind: TreeKind = text.parse().unwrap();
        assert_eq!(kind.is_source(root.path()), expected, "{text}, os-release: {release:?}");
    }
    check("auto", Some("etc/os-release"), false);
    check("auto", Some("usr/lib/os-release"), false);
    check("auto", None, true);
    check("source", Some("etc/os-release"), true);
    check("source", None, true);
    check("rootfs", None, false);
    assert!("tree".parse::<TreeKind>().is_err());
}
