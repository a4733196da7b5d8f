//! Scopes form a tree: organisation → account → cluster or registry. A path makes "everything below" one range.
use crate::ids::Id;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ScopeKind {
    Organisation,
    /// A cloud subscription, account or project, or any grouping the organisation uses.
    Account,
    Cluster,
    Registry,
    /// A machine that belongs to no cluster.
    Node,
}

/// A place in the tree as `/segment/segment/`, segments lower-case `[a-z0-9._-]+`. The root organisation is
/// `/org/`. A path is below another if it begins with it; the closing slash keeps `/org/a/` apart from `/org/ab/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct ScopePath(String);

/// Paths are index keys; 512 bytes hold eight levels of UUIDs.
const MAX_PATH: usize = 512;

impl ScopePath {
    /// The organisation every hub begins with.
    pub fn root() -> Self {
        Self("/org/".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The path one level down. The segment is lower-cased, foreign characters become `-`.
    pub fn child(&self, segment: &str) -> Self {
        let clean = |c: char| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '.' | '_' | '-') => c,
            _ => '-',
        };
        Self(format!("{}{}/", self.0, segment.chars().map(clean).collect::<String>()))
    }

    /// The path one level up; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let trimmed = self.0.trim_end_matches('/');
        let cut = trimmed.rfind('/')?;
        (cut > 0).then(|| Self(trimmed[..=cut].to_owned()))
    }

    /// The first text after every path below `self`: `[self, upper)` is the index range of the subtree.
    pub fn upper(&self) -> String {
        let mut upper = self.0.clone();
        upper.pop();
        upper.push('0'); // The byte after `/`.
        upper
    }
}

impl fmt::Display for ScopePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The text is no scope path.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no scope path: expected /org/, /org/NAME/ and so on, in a-z, 0-9, `.`, `_` and `-`"
)]
pub struct InvalidScopePath(String);

impl FromStr for ScopePath {
    type Err = InvalidScopePath;

    fn from_str(text: &str) -> Result<Self, InvalidScopePath> {
        let segment = |s: &str| {
            !s.is_empty()
                && s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        };
        let inner = text.strip_prefix('/').and_then(|text| text.strip_suffix('/'));
        match inner {
            Some(inner) if text.len() <= MAX_PATH && inner.split('/').all(segment) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidScopePath(text.to_owned())),
        }
    }
}

impl TryFrom<String> for ScopePath {
    type Error = InvalidScopePath;

    fn try_from(text: String) -> Result<Self, InvalidScopePath> {
        text.parse()
    }
}

impl From<ScopePath> for String {
    fn from(path: ScopePath) -> Self {
        path.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Scope {
    pub id: Id,
    pub path: ScopePath,
    pub kind: ScopeKind,
    pub name: String,
    pub created: Millis,
}

#[test]
fn subtree_is_one_range() {
    let a = ScopePath::root().child("a");
    let ab = ScopePath::root().child("ab");
    let below = a.child("C1");
    assert_eq!(below.as_str(), "/org/a/c1/");
    assert!(below.is_within(&a) && !ab.is_within(&a));
    for (path, inside) in [(&a, true), (&below, true), (&ab, false), (&ScopePath::root(), false)] {
        assert_eq!(
            path.as_str() >= a.as_str() && path.as_str() < a.upper().as_str(),
            inside,
            "{path}"
        );
    }
    assert_eq!(below.parent(), Some(a));
    assert_eq!(ScopePath::root().parent(), None);
    assert!("/org".parse::<ScopePath>().is_err() && "//".parse::<ScopePath>().is_err());
}
