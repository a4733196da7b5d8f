//! Who may do what: users, tokens, roles and their assignments.
use crate::ids::Id;
use crate::scope::ScopePath;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The four roles; what each may do is one table in the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    SecurityReader,
    SecurityAdmin,
    Contributor,
    Owner,
}

impl Role {
    pub const ALL: [Self; 4] =
        [Self::SecurityReader, Self::SecurityAdmin, Self::Contributor, Self::Owner];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecurityReader => "security_reader",
            Self::SecurityAdmin => "security_admin",
            Self::Contributor => "contributor",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no role.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no role: expected security_reader, security_admin, contributor or owner")]
pub struct InvalidRole(String);

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| InvalidRole(text.to_owned()))
    }
}

/// Who a role is given to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "PrincipalFields")]
pub enum Principal {
    User {
        id: Id,
    },
    /// A group name from the OIDC provider.
    Group {
        name: String,
    },
    Token {
        id: Id,
    },
}

/// How a principal is read: serde forgets the place of a mistake inside of a tagged enumeration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrincipalFields {
    kind: PrincipalKind,
    id: Option<Id>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PrincipalKind {
    User,
    Group,
    Token,
}

/// A principal is named by the field of its kind alone.
#[derive(Debug, thiserror::Error)]
#[error("a user or token has an `id`, a group a `name`, and nothing else")]
struct InvalidPrincipal;

impl TryFrom<PrincipalFields> for Principal {
    type Error = InvalidPrincipal;

    fn try_from(fields: PrincipalFields) -> Result<Self, InvalidPrincipal> {
        match (fields.kind, fields.id, fields.name) {
            (PrincipalKind::User, Some(id), None) => Ok(Self::User { id }),
            (PrincipalKind::Group, None, Some(name)) => Ok(Self::Group { name }),
            (PrincipalKind::Token, Some(id), None) => Ok(Self::Token { id }),
            _ => Err(InvalidPrincipal),
        }
    }
}

/// A principal holds a role at a scope and everything below. Grants add up; there is no deny.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoleAssignment {
    pub id: Id,
    pub principal: Principal,
    pub role: Role,
    pub scope: ScopePath,
    /// At a cluster the grant may be narrowed to these namespaces; `None` is all of them.
    pub namespaces: Option<Vec<String>>,
    pub created: Millis,
}

/// Characters of an RFC 1123 label.
const MAX_LABEL: usize = 63;

/// Whether a namespace may have this name: an RFC 1123 label. Source: Kubernetes, "Object Names and IDs".
pub fn is_namespace(name: &str) -> bool {
    let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    (1..=MAX_LABEL).contains(&bytes.len())
        && bytes.iter().all(|&byte| edge(byte) || byte == b'-')
        && edge(bytes[0])
        && edge(bytes[bytes.len() - 1])
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct User {
    pub id: Id,
    pub name: String,
    /// The password must be changed before anything else is allowed.
    pub must_change_password: bool,
    pub disabled: bool,
    pub created: Millis,
    pub last_sign_in: Option<Millis>,
    /// Raised by what others change: password and state, not sign-ins. 0 where it was written before there was one.
    #[serde(default)]
    pub revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A principal reads as it was written; `None` is refused.
    #[track_caller]
    fn check(written: Value, expected: Option<Principal>) {
        let read = serde_json::from_value::<Principal>(written.clone()).ok();
        assert_eq!(read, expected);
        if let Some(principal) = read {
            assert_eq!(serde_json::to_value(principal).unwrap(), written);
        }
    }

    #[test]
    fn a_principal_is_what_its_kind_names() {
        let id = Id::new(1, [7; 10]);
        check(json!({"kind": "user", "id": id}), Some(Principal::User { id }));
        check(json!({"kind": "token", "id": id}), Some(Principal::Token { id }));
        let name = "g".to_owned();
        check(json!({"kind": "group", "name": "g"}), Some(Principal::Group { name }));
        check(json!({"kind": "group"}), None);
        check(json!({"kind": "group", "id": id, "name": "g"}), None);
        check(json!({"kind": "user", "id": id, "nmae": "x"}), None);
    }

    #[test]
    fn namespaces_are_labels() {
        let longest = "x".repeat(63);
        for name in ["shop", "a", "0-9", longest.as_str()] {
            assert!(is_namespace(name), "{name}");
        }
        let long = "x".repeat(64);
        for name in ["", "*", "shop*", "Shop", "-a", "a-", "a.b", "a b", "é", long.as_str()] {
            assert!(!is_namespace(name), "{name}");
        }
    }
}
