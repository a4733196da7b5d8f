//! What an image reference names: `docker-archive:FILE[:NAME]`, `oci-archive:FILE[:TAG]`, `oci-layout:DIR[:TAG]`,
//! `containerd:IMAGE`, `-` for an archive on standard input, a path that exists, or else the name of an image in a
//! registry, `[docker://|registry:][REGISTRY/]NAME[:TAG][@DIGEST]`.
use crate::error::OpenError;
use crate::registry::Name;
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
    /// An image in a registry.
    Registry {
        name: Name,
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
            Some(("docker", rest)) if rest.starts_with("//") => named(text, &rest[2..])?,
            Some(("registry", rest)) if is_name(rest) => named(text, rest.trim_start_matches('/'))?,
            _ => match Path::new(text) {
                path if path.is_dir() => Self::OciLayout { path: path.to_owned(), name: None },
                path if path.exists() => Self::Archive { path: path.to_owned() },
                path if is_archive_name(path) => {
                    return Err(refused(text, "it ends as an archive does"));
                }
                _ => named(text, text)?,
            },
        })
    }
}

fn named(text: &str, name: &str) -> Result<Reference, OpenError> {
    let parsed: Result<Name, _> = name.parse();
    let name = parsed.map_err(|error| refused(text, &error.to_string()))?;
    Ok(Reference::Registry { name })
}

fn refused(text: &str, reason: &str) -> OpenError {
    OpenError::Reference { text: text.escape_debug().to_string(), reason: reason.to_owned() }
}

/// Whether what follows `registry:` is a name rather than a tag of Docker Hub's own image `registry`, or a port.
fn is_name(rest: &str) -> bool {
    let port = rest.split('/').next().unwrap_or_default();
    let port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    rest.contains(['/', ':', '@']) && !port
}

/// A single word that ends so was meant as a file; whoever has such a repository names it with its prefix.
fn is_archive_name(path: &Path) -> bool {
    let ends = |text: &str| path.to_str().is_some_and(|path| path.ends_with(text));
    [".tar", ".tgz", ".tar.gz", ".tar.zst"].into_iter().any(ends)
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
    let registry = |name: &str| Some(Reference::Registry { name: name.parse().unwrap() });
    check("nginx:1.27", registry("docker.io/library/nginx:1.27"));
    check("docker://nginx", registry("nginx:latest"));
    check("docker://r.example:5000/a/b:1", registry("r.example:5000/a/b:1"));
    check("registry:r.example/a", registry("r.example/a"));
    check("registry://r.example/a", registry("r.example/a"));
    check("registry:alpine:3.19", registry("alpine:3.19"));
    check("registry:2", registry("docker.io/library/registry:2"));
    check("registry:5000/a", registry("registry:5000/a:latest"));
    check("docker:24-dind", registry("docker.io/library/docker:24-dind"));
    check("none.tar", None);
    check("docker://none.tar", registry("docker.io/library/none.tar"));
    check("./none", None);
    check("/none", None);
    let given = Containerd { address: "/run/c.sock".into(), namespace: Some("k8s.io".into()) };
    assert_eq!(Containerd::parse("unix:///run/c.sock,k8s.io"), given);
}
