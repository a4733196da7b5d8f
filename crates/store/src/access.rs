//! Who may sign in, and what each holds: users, sessions, tokens, role assignments.
use crate::error::Result;
use seawall_model::access::{Principal, Role, RoleAssignment, User};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug)]
pub struct NewUser {
    pub name: String,
    /// The PHC text of the hash; opaque here.
    pub password_hash: String,
    pub must_change_password: bool,
}

/// A user with the hash to check a password against.
#[derive(Clone, Debug)]
pub struct Credential {
    pub user: User,
    pub password_hash: String,
}

pub trait Users {
    /// Names are compared by their folded form ([`crate::fold`]): `Alice` and `alice` are one user (`Error::Exists`).
    async fn create_user(&self, new: &NewUser) -> Result<User>;
    async fn credential(&self, name: &str) -> Result<Option<Credential>>;
    /// Ends every session of the user but `keep` (a session digest). `None`: no such user.
    async fn set_password(
        &self,
        user: Id,
        password_hash: &str,
        must_change: bool,
        keep: Option<&str>,
    ) -> Result<Option<User>>;
    /// Disabling ends the user's sessions; `Error::LastOwner` where nobody would be left.
    async fn set_disabled(&self, user: Id, disabled: bool) -> Result<Option<User>>;
    /// With sessions and assignments; `Error::LastOwner` where nobody would be left.
    async fn delete_user(&self, user: Id) -> Result<bool>;
    /// Records the sign-in time.
    async fn signed_in(&self, user: Id) -> Result<()>;
}

/// A browser session; the cookie itself is never stored, only its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: Id,
    pub created: Millis,
    pub last_used: Millis,
    pub expires: Millis,
}

pub trait Sessions {
    async fn create_session(&self, digest: &str, user: Id, expires: Millis) -> Result<()>;
    /// The session and its user, unless it ended, was unused for `idle` milliseconds or the user is disabled. Notes the use.
    async fn session(&self, digest: &str, idle: Millis) -> Result<Option<(Session, User)>>;
    async fn end_session(&self, digest: &str) -> Result<bool>;
    /// Removes ended and idle sessions; returns how many.
    async fn purge_sessions(&self, idle: Millis) -> Result<u64>;
}

/// A bearer token as lists show it; its secret is only known to its holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: Id,
    pub name: String,
    pub role: Role,
    pub scope: ScopePath,
    pub namespaces: Option<Vec<String>>,
    pub created: Millis,
    pub expires: Millis,
    pub last_used: Option<Millis>,
}

impl Token {
    /// The one assignment that a token carries.
    pub fn assignment(&self) -> RoleAssignment {
        RoleAssignment {
            id: self.id,
            principal: Principal::Token { id: self.id },
            role: self.role,
            scope: self.scope.clone(),
            namespaces: self.namespaces.clone(),
            created: self.created,
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewToken {
    pub name: String,
    /// Digest of the secret, as hexadecimal text.
    pub digest: String,
    pub role: Role,
    pub scope: ScopePath,
    pub namespaces: Option<Vec<String>>,
    pub expires: Millis,
}

pub trait Tokens {
    async fn create_token(&self, new: &NewToken) -> Result<Token>;
    /// `None` when it is unknown or expired. Notes the use.
    async fn token_by_digest(&self, digest: &str) -> Result<Option<Token>>;
    async fn delete_token(&self, id: Id) -> Result<bool>;
    /// Removes tokens that expired more than `grace` milliseconds ago.
    async fn purge_tokens(&self, grace: Millis) -> Result<u64>;
}

#[derive(Clone, Debug)]
pub struct NewAssignment {
    pub principal: Principal,
    pub role: Role,
    pub scope: ScopePath,
    pub namespaces: Option<Vec<String>>,
}

pub trait RoleAssignments {
    /// `Error::Exists` for the same principal, role and scope; `Error::Missing` for an unknown user or scope.
    async fn assign_role(&self, new: &NewAssignment) -> Result<RoleAssignment>;
    /// `Error::LastOwner` where nobody would be left as Owner of the root.
    async fn remove_role(&self, id: Id) -> Result<bool>;
    /// All assignments of these principals.
    async fn roles_of(&self, principals: &[Principal]) -> Result<Vec<RoleAssignment>>;
}
