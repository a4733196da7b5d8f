//! Names of images in registries, as docker shortens them.
//! Source: `distribution/reference` grammar; OCI distribution specification, "Pulling manifests".
use crate::digest;
use std::fmt;
use std::str::FromStr;

/// Docker Hub by the name that people and credentials use.
pub(super) const HUB: &str = "docker.io";
/// Bytes of `registry/repository`. Source: `distribution/reference`, `NameTotalLengthMax`.
const LENGTH: usize = 255;
/// Bytes of a tag. Source: the same, `TagRegexp`.
const TAG: usize = 128;

/// `registry/repository[:tag][@digest]`; with a digest the tag is for people alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// `host[:port]`; Docker Hub is `docker.io`.
    pub registry: String,
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
}

impl Name {
    /// What the registry is asked for: the digest, else the tag.
    pub(super) fn reference(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }

    /// The same image by digest alone.
    pub fn at(&self, digest: &str) -> Self {
        Self { tag: None, digest: Some(digest.to_owned()), ..self.clone() }
    }
}

/// The text is no name of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(&'static str);

impl FromStr for Name {
    type Err = NameError;

    /// `alpine` is `docker.io/library/alpine:latest`.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (text, digest) = match text.split_once('@') {
            Some((rest, digest)) if digest::hex_part(digest).is_ok() => {
                (rest, Some(digest.to_owned()))
            }
            Some(_) => return Err(NameError("its digest is not `sha256:` and 64 hex digits")),
            None => (text, None),
        };
        let (registry, rest) = match text.split_once('/') {
            Some((first, rest)) if is_host(first) => (first, rest),
            _ => (HUB, text),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(NameError("its tag has characters that no tag has"));
        }
        let registry = match registry {
            "index.docker.io" | "registry-1.docker.io" => HUB,
            other => other,
        };
        if !is_well_formed(registry) {
            return Err(NameError("its registry is no host name"));
        }
        if !path.split('/').all(is_component) {
            return Err(NameError(
                "its path is not of lower-case letters, digits and single `._-`",
            ));
        }
        let repository = match path.contains('/') || registry != HUB {
            true => path.to_owned(),
            false => format!("library/{path}"),
        };
        if registry.len() + 1 + repository.len() > LENGTH {
            return Err(NameError("it is over 255 bytes long"));
        }
        let latest = digest.is_none().then(|| "latest".to_owned());
        let tag = tag.map(str::to_owned).or(latest);
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// The part before the first slash is a host if no repository on Docker Hub could have that name.
fn is_host(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// A host name, IPv4 address or bracketed IPv6 address, with an optional port.
pub(super) fn is_well_formed(registry: &str) -> bool {
    let (host, port) = match registry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => return address.parse::<std::net::Ipv6Addr>().is_ok(),
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
            ("six", port.strip_prefix(':'))
        }
        Some(_) => return false,
        None => match registry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => return registry.split('.').all(is_label),
        },
    };
    host.split('.').all(is_label) && port.is_some_and(|port| port.parse::<u16>().is_ok())
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Letters and digits, parted by `.`, `_`, `__` or hyphens.
fn is_component(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.bytes().next().is_some_and(plain) && text.bytes().last().is_some_and(plain);
    let mut separators =
        text.split(|byte: char| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let parted =
        |part: &str| matches!(part, "" | "." | "_" | "__") || part.bytes().all(|byte| byte == b'-');
    ends && separators.all(parted)
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= TAG
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

#[test]
fn table() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown =
            text.parse::<Name>().map_or_else(|_| "error".to_owned(), |name| name.to_string());
        assert_eq!(shown, expected, "{text}");
    }
    let digest = format!("sha256:{}", "0a".repeat(32));
    check("alpine", "docker.io/library/alpine:latest");
    check("alpine:3.19", "docker.io/library/alpine:3.19");
    check("library/alpine", "docker.io/library/alpine:latest");
    check("index.docker.io/a/b", "docker.io/a/b:latest");
    check("docker.io/alpine", "docker.io/library/alpine:latest");
    check("registry.example/ns/name:tag", "registry.example/ns/name:tag");
    check("localhost/x", "localhost/x:latest");
    check("LOCAL/x", "LOCAL/x:latest");
    check("10.0.0.1:5000/x/y-z__w:1", "10.0.0.1:5000/x/y-z__w:1");
    check("[::1]:5000/x", "[::1]:5000/x:latest");
    check("[::1]/x", "[::1]/x:latest");
    check(&format!("alpine@{digest}"), &format!("docker.io/library/alpine@{digest}"));
    check(&format!("r.io/a:1@{digest}"), &format!("r.io/a:1@{digest}"));
    check("registry:2", "docker.io/library/registry:2");
    check("alpine@sha256:0", "error");
    check("alpine:", "error");
    check("alpine:-1", "error");
    check("Alpine", "error");
    check("a//b", "error");
    check("../x", "error");
    check("./x", "error");
    check("/x", "error");
    check("a..b", "error");
    check("r.io:port/x", "error");
    check("user@r.io/x", "error");
    check("r.io/", "error");
    check("", "error");
    check(&"a".repeat(300), "error");
}
