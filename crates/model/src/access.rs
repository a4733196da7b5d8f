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
#[serde(tag = "kind", rename_all = "snake_case")]
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
