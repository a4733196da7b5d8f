//! What a directory is taken for: a root file system, whose installed packages count, or a source tree, whose lock
//! files would.
use seawall_model::Problem;
use seawall_model::package::Distro;
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
    /// No lock file is read, so a source tree would look clean whatever it depends on.
    pub fn gap(self, distro: Option<&Distro>) -> Option<Problem> {
        let message = match (self, distro) {
            (Self::Rootfs, _) | (Self::Auto, Some(_)) => return None,
            (Self::Auto, None) => {
                "a directory without os-release is a source tree: source trees are not read by this version"
            }
            (Self::Source, _) => "source trees are not read by this version",
        };
        let help = "`--as rootfs` takes the directory for a root file system";
        Some(Problem::gap("source-tree-not-read", message).help(help))
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
fn source_trees_were_clean() {
    #[track_caller]
    fn check(text: &str, has_release: bool, expected: bool) {
        let distro = Distro { id: "debian".to_owned(), version: None, name: None };
        let kind: TreeKind = text.parse().unwrap();
        let gap = kind.gap(has_release.then_some(&distro));
        assert_eq!(gap.is_some(), expected, "{text}, os-release: {has_release}");
    }
    check("auto", true, false);
    check("auto", false, true);
    check("source", true, true);
    check("source", false, true);
    check("rootfs", true, false);
    check("rootfs", false, false);
    assert!("tree".parse::<TreeKind>().is_err());
}
