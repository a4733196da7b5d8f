//! What an image reference names: `docker-archive:FILE[:NAME]`, `oci-archive:FILE[:TAG]`, `oci-layout:DIR[:TAG]`,
//! `containerd:IMAGE`, `-` for an archive on standard input, or a path that exists.
use crate::error::OpenError;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    DockerArchive {
        path: PathBuf,
        name: Option<String>,
    },
    OciArchive {
        path: PathBuf,
        name: Option<String>,
    },
    OciLayout {
        path: PathBuf,
        name: Option<String>,
    },
    Containerd {
        image: String,
    },
    /// An archive whose form its content tells.
    Archive {
        path: PathBuf,
    },
    Stdin,
}

/// Where containerd listens, and the namespace to look in; `None` asks all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Containerd {
    pub address: PathBuf,
    pub namespace: Option<String>,
}

impl Default for Containerd {
    /// The address that containerd itself defaults to.
    fn default() -> Self {
        Self { address: PathBuf::from("/run/containerd/containerd.sock"), namespace: None }
    }
}

impl Containerd {
    /// `ADDRESS[,NAMESPACE]`; a leading `unix://` is cut.
    pub fn parse(text: &str) -> Self {
        let (address, namespace) = match text.split_once(',') {
            Some((address, namespace)) => (address, Some(namespace.to_owned())),
            None => (text, None),
        };
        let address = PathBuf::from(address.strip_prefix("unix://").unwrap_or(address));
        Self { address, namespace: namespace.filter(|namespace| !namespace.is_empty()) }
    }
}

impl Reference {
    /// Looks at the file system where the text alone cannot tell: a colon may belong to a file's name.
    pub fn parse(text: &str) -> Result<Self, OpenError> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        let scheme = text.split_once(':');
        Ok(match scheme {
            Some(("docker-archive", rest)) => {
                let (path, name) = path_and_name(rest);
                Self::DockerArchive { path, name }
            }
            Some(("oci-archive", rest)) => {
                let (path, name) = path_and_name(rest);
                Self::OciArchive { path, name }
            }
            Some(("oci-layout" | "oci", rest)) if !Path::new(text).exists() => {
                let (path, name) = path_and_name(rest);
                Self::OciLayout { path, name }
            }
            Some(("containerd", image)) => Self::Containerd { image: image.to_owned() },
            _ => match Path::new(text) {
                path if path.is_dir() => Self::OciLayout { path: path.to_owned(), name: None },
                path if path.exists() => Self::Archive { path: path.to_owned() },
                _ => return Err(OpenError::Reference(text.escape_debug().to_string())),
            },
        })
    }
}

/// The longest prefix that exists is the path; else the text up to the first colon.
fn path_and_name(text: &str) -> (PathBuf, Option<String>) {
    if Path::new(text).exists() {
        return (PathBuf::from(text), None);
    }
    let splits = text.rmatch_indices(':').map(|(at, _)| (&text[..at], &text[at + 1..]));
    let mut splits = splits;
    let existing = splits.clone().find(|(path, _)| Path::new(path).exists());
    match existing.or_else(|| splits.next_back()) {
        Some((path, name)) => {
            (PathBuf::from(path), Some(name.to_owned()).filter(|name| !name.is_empty()))
        }
        None => (PathBuf::from(text), None),
    }
}

#[test]
fn table() {
    #[track_caller]
    fn check(text: &str, expected: Option<Reference>) {
        assert_eq!(Reference::parse(text).ok(), expected);
    }
    let (path, name) = (PathBuf::from("no.tar"), Some("a:b".to_owned()));
    check("docker-archive:no.tar:a:b", Some(Reference::DockerArchive { path: path.clone(), name }));
    check("oci-archive:no.tar", Some(Reference::OciArchive { path: path.clone(), name: None }));
    check("oci-layout:no.tar:1", Some(Reference::OciLayout { path, name: Some("1".into()) }));
    check(
        "containerd:docker.io/a:1",
        Some(Reference::Containerd { image: "docker.io/a:1".into() }),
    );
    check("-", Some(Reference::Stdin));
    check("Cargo.toml", Some(Reference::Archive { path: "Cargo.toml".into() }));
    check("src", Some(Reference::OciLayout { path: "src".into(), name: None }));
    check("nginx:1.27", None);
    let given = Containerd { address: "/run/c.sock".into(), namespace: Some("k8s.io".into()) };
    assert_eq!(Containerd::parse("unix:///run/c.sock,k8s.io"), given);
}
