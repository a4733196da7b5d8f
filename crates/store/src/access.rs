//! Who may sign in, and what each holds: users, sessions, tokens, role assignments.
use crate::cell::clip;
use crate::db::{Row, Sql};
use crate::error::{Error, Result, check_revision};
use crate::filter::fold;
use crate::list::{decode, fetch, read_where};
use crate::put::{put, remove};
use crate::store::{Store, Tx};
use crate::visible::Visible;
use seawall_model::access::{Principal, Role, RoleAssignment, User, is_namespace};
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
    /// The first user of an empty database, as Owner of the root. `None` where there are users: of several hubs that
    /// start at once the first one's stays.
    async fn create_first_owner(&self, new: &NewUser) -> Result<Option<User>>;
    async fn credential(&self, name: &str) -> Result<Option<Credential>>;
    /// Ends every session of the user but `keep` (a session digest). `None`: no such user.
    async fn set_password(
        &self,
        user: Id,
        password_hash: &str,
        must_change: bool,
        keep: Option<&str>,
    ) -> Result<Option<User>>;
    /// Disabling ends the user's sessions; `Error::LastOwner` where nobody would be left, `Error::Stale` where
    /// `expected` is not its revision.
    async fn set_disabled(
        &self,
        user: Id,
        disabled: bool,
        expected: Option<u64>,
    ) -> Result<Option<User>>;
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
    /// The user of a session that [`Sessions::session`] would give, without noting a use.
    async fn peek_session(&self, digest: &str, idle: Millis) -> Result<Option<User>>;
    async fn end_session(&self, digest: &str) -> Result<bool>;
    /// Removes ended and idle sessions; returns how many.
    async fn purge_sessions(&self, idle: Millis) -> Result<u64>;
}

/// A bearer token as lists show it; its secret is only known to its holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
    /// `Error::Exists` where another token has the name: the audit log names tokens by it.
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

/// Uses of sessions and tokens are noted no more often than this: a page load is not ten writes.
const TOUCH: Millis = 60_000;

/// A user as written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredUser {
    pub(crate) user: User,
    #[serde(skip)]
    pub(crate) password_hash: String,
}

/// A token as written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredToken {
    pub(crate) token: Token,
    #[serde(skip)]
    pub(crate) digest: String,
}

/// `user:ID`, `group:NAME`, `token:ID`.
pub(crate) fn principal_key(principal: &Principal) -> String {
    match principal {
        Principal::User { id } => format!("user:{id}"),
        Principal::Group { name } => format!("group:{name}"),
        Principal::Token { id } => format!("token:{id}"),
    }
}

/// Fails unless somebody who can sign in stays Owner of the root. Runs after the change, before the commit.
async fn require_owner(tx: &mut Tx) -> Result<()> {
    let sql = "SELECT count(*) FROM roles r JOIN users u ON r.principal = 'user:' || u.id \
               WHERE r.role = 'owner' AND r.scope = $1 AND u.disabled = 0";
    let row = tx.row("count Owners", Sql::new(sql).text(ScopePath::root())).await?;
    match row.map_or(0, |row| row.int(0)) {
        0 => Err(Error::LastOwner),
        _ => Ok(()),
    }
}

/// Whether this user holds that right now: only then may its loss be the last one's.
async fn is_owner(tx: &mut Tx, user: Id) -> Result<bool> {
    let sql = "SELECT count(*) FROM roles r JOIN users u ON r.principal = 'user:' || u.id \
               WHERE r.role = 'owner' AND r.scope = $1 AND u.disabled = 0 AND u.id = $2";
    let sql = Sql::new(sql).text(ScopePath::root()).text(user);
    Ok(tx.row("look for an Owner", sql).await?.is_some_and(|row| row.int(0) > 0))
}

async fn user_for_change(tx: &mut Tx, user: Id) -> Result<Option<User>> {
    // One lock for all that may remove an Owner: two must not each leave it to the other.
    tx.lock("owners").await?;
    fetch(tx, &Visible::system(), user).await
}

async fn end_sessions(tx: &mut Tx, user: Id, keep: Option<&str>) -> Result<u64> {
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND digest <> $2";
    let sql = Sql::new(sql).text(user).text(keep.unwrap_or_default());
    tx.execute("end sessions", sql).await
}

/// Hold the lock `owners`.
async fn insert_user(tx: &mut Tx, new: &NewUser) -> Result<User> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        let message = format!("a name has 1 to {MAX_NAME} printable characters");
        return Err(Error::Invalid { field: "name", message });
    }
    let sql = Sql::new("SELECT 1 FROM users WHERE folded_name = $1").text(fold(name));
    if tx.row("look for a user", sql).await?.is_some() {
        return Err(Error::Exists { what: format!("user `{name}`") });
    }
    let user = User {
        id: tx.new_id(),
        name: name.to_owned(),
        must_change_password: new.must_change_password,
        disabled: false,
        created: tx.now,
        last_sign_in: None,
        revision: 1,
    };
    let stored = StoredUser { user, password_hash: new.password_hash.clone() };
    put(tx, std::slice::from_ref(&stored)).await?;
    Ok(stored.user)
}

impl Users for Store {
    async fn create_user(&self, new: &NewUser) -> Result<User> {
        let mut tx = self.begin().await?;
        tx.lock("owners").await?;
        let user = insert_user(&mut tx, new).await?;
        tx.commit().await?;
        Ok(user)
    }

    async fn create_first_owner(&self, new: &NewUser) -> Result<Option<User>> {
        let mut tx = self.begin().await?;
        tx.lock("owners").await?;
        let sql = Sql::new("SELECT 1 FROM users LIMIT 1");
        if tx.row("look for users", sql).await?.is_some() {
            return Ok(None);
        }
        let user = insert_user(&mut tx, new).await?;
        let owner = NewAssignment {
            principal: Principal::User { id: user.id },
            role: Role::Owner,
            scope: ScopePath::root(),
            namespaces: None,
        };
        insert_assignment(&mut tx, &owner).await?;
        tx.commit().await?;
        Ok(Some(user))
    }

    async fn credential(&self, name: &str) -> Result<Option<Credential>> {
        let name = fold(name.trim()).replace('\0', "");
        let sql = Sql::new(
            "SELECT id, version, payload, password_hash FROM users WHERE folded_name = $1",
        );
        let row = self.db().row("read a user", sql.text(name)).await?;
        row.map(|row| Ok(Credential { user: decode(&row)?, password_hash: row.text(3) }))
            .transpose()
    }

    async fn set_password(
        &self,
        user: Id,
        password_hash: &str,
        must_change: bool,
        keep: Option<&str>,
    ) -> Result<Option<User>> {
        let mut tx = self.begin().await?;
        let Some(mut user) = user_for_change(&mut tx, user).await? else { return Ok(None) };
        user.must_change_password = must_change;
        user.revision += 1;
        end_sessions(&mut tx, user.id, keep).await?;
        let stored = StoredUser { user, password_hash: password_hash.to_owned() };
        put(&mut tx, std::slice::from_ref(&stored)).await?;
        tx.commit().await?;
        Ok(Some(stored.user))
    }

    async fn set_disabled(
        &self,
        user: Id,
        disabled: bool,
        expected: Option<u64>,
    ) -> Result<Option<User>> {
        let mut tx = self.begin().await?;
        let Some(mut user) = user_for_change(&mut tx, user).await? else { return Ok(None) };
        check_revision(expected, user.revision)?;
        let was_owner = is_owner(&mut tx, user.id).await?;
        user.disabled = disabled;
        user.revision += 1;
        put(&mut tx, std::slice::from_ref(&user)).await?;
        if disabled {
            end_sessions(&mut tx, user.id, None).await?;
            if was_owner {
                require_owner(&mut tx).await?;
            }
        }
        tx.commit().await?;
        Ok(Some(user))
    }

    async fn delete_user(&self, user: Id) -> Result<bool> {
        let mut tx = self.begin().await?;
        let Some(user) = user_for_change(&mut tx, user).await? else { return Ok(false) };
        let was_owner = is_owner(&mut tx, user.id).await?;
        let roles = Sql::new("DELETE FROM roles WHERE principal = $1");
        let principal = principal_key(&Principal::User { id: user.id });
        tx.execute("remove the user's roles", roles.text(principal)).await?;
        remove::<User>(&mut tx, &[user.id]).await?;
        if was_owner {
            require_owner(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn signed_in(&self, user: Id) -> Result<()> {
        let mut tx = self.begin().await?;
        let Some(mut user) = user_for_change(&mut tx, user).await? else { return Ok(()) };
        user.last_sign_in = Some(tx.now);
        put(&mut tx, &[user]).await?;
        tx.commit().await
    }
}

/// Characters of a user's or token's name.
const MAX_NAME: usize = 128;

/// A session that stands, with its user: the user's id, version and payload, then created, last used, expires.
async fn session_row(store: &Store, digest: &str, idle: Millis) -> Result<Option<Row>> {
    let sql = "SELECT u.id, u.version, u.payload, s.created, s.last_used, s.expires \
               FROM sessions s JOIN users u ON u.id = s.user_id \
               WHERE s.digest = $1 AND s.expires > $2 AND s.last_used > $3 AND u.disabled = 0";
    let now = store.now();
    let sql = Sql::new(sql).text(digest).int(now).int(now.saturating_sub(idle));
    store.db().row("read a session", sql).await
}

impl Sessions for Store {
    async fn create_session(&self, digest: &str, user: Id, expires: Millis) -> Result<()> {
        let mut tx = self.begin().await?;
        let sql = "INSERT INTO sessions (digest, user_id, created, last_used, expires) \
                   VALUES ($1, $2, $3, $3, $4)";
        let sql = Sql::new(sql).text(digest).text(user).int(tx.now).int(expires);
        tx.execute("create a session", sql).await?;
        tx.commit().await
    }

    async fn session(&self, digest: &str, idle: Millis) -> Result<Option<(Session, User)>> {
        let now = self.now();
        let Some(row) = session_row(self, digest, idle).await? else { return Ok(None) };
        let user: User = decode(&row)?;
        let (created, last_used, expires) = (row.int(3), row.int(4), row.int(5));
        if now.saturating_sub(last_used) >= TOUCH {
            let mut tx = self.begin().await?;
            let sql = Sql::new("UPDATE sessions SET last_used = $2 WHERE digest = $1");
            tx.execute("note a session's use", sql.text(digest).int(now)).await?;
            tx.commit().await?;
        }
        Ok(Some((Session { user: user.id, created, last_used: now, expires }, user)))
    }

    async fn peek_session(&self, digest: &str, idle: Millis) -> Result<Option<User>> {
        session_row(self, digest, idle).await?.map(|row| decode(&row)).transpose()
    }

    async fn end_session(&self, digest: &str) -> Result<bool> {
        let mut tx = self.begin().await?;
        let sql = Sql::new("DELETE FROM sessions WHERE digest = $1").text(digest);
        let gone = tx.execute("end a session", sql).await?;
        tx.commit().await?;
        Ok(gone > 0)
    }

    async fn purge_sessions(&self, idle: Millis) -> Result<u64> {
        let mut tx = self.begin().await?;
        let sql = Sql::new("DELETE FROM sessions WHERE expires <= $1 OR last_used <= $2");
        let sql = sql.int(tx.now).int(tx.now.saturating_sub(idle));
        let gone = tx.execute("purge sessions", sql).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

impl Tokens for Store {
    async fn create_token(&self, new: &NewToken) -> Result<Token> {
        let mut tx = self.begin().await?;
        tx.lock("tokens").await?;
        check_place(&mut tx, &new.scope, new.namespaces.as_deref()).await?;
        let name = clip(&new.name);
        let sql = Sql::new("SELECT 1 FROM tokens WHERE name = $1").text(&name);
        if tx.row("look for a token", sql).await?.is_some() {
            return Err(Error::Exists { what: format!("token `{name}`") });
        }
        let token = Token {
            id: tx.new_id(),
            name,
            role: new.role,
            scope: new.scope.clone(),
            namespaces: new.namespaces.clone(),
            created: tx.now,
            expires: new.expires,
            last_used: None,
        };
        let stored = StoredToken { token, digest: new.digest.clone() };
        put(&mut tx, std::slice::from_ref(&stored)).await?;
        tx.commit().await?;
        Ok(stored.token)
    }

    async fn token_by_digest(&self, digest: &str) -> Result<Option<Token>> {
        let now = self.now();
        let tokens: Vec<Token> = read_where(self.db(), "t.secret_digest = $1", digest).await?;
        let Some(mut token) = tokens.into_iter().find(|token| token.expires > now) else {
            return Ok(None);
        };
        if token.last_used.is_none_or(|used| now.saturating_sub(used) >= TOUCH) {
            let mut tx = self.begin().await?;
            let sql = Sql::new("UPDATE tokens SET last = $2 WHERE id = $1");
            tx.execute("note a token's use", sql.text(token.id).int(now)).await?;
            tx.commit().await?;
            token.last_used = Some(now);
        }
        Ok(Some(token))
    }

    async fn delete_token(&self, id: Id) -> Result<bool> {
        let mut tx = self.begin().await?;
        let gone = remove::<Token>(&mut tx, &[id]).await?;
        tx.commit().await?;
        Ok(gone > 0)
    }

    async fn purge_tokens(&self, grace: Millis) -> Result<u64> {
        let mut tx = self.begin().await?;
        let sql = Sql::new("DELETE FROM tokens WHERE expires <= $1");
        let sql = sql.int(tx.now.saturating_sub(grace));
        let gone = tx.execute("purge tokens", sql).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

/// A grant needs an existing scope; only a cluster has namespaces to narrow to.
async fn check_place(tx: &mut Tx, scope: &ScopePath, namespaces: Option<&[String]>) -> Result<()> {
    let sql = Sql::new("SELECT kind FROM scopes WHERE scope = $1").text(scope);
    let Some(row) = tx.row("look for a scope", sql).await? else {
        return Err(Error::Missing { what: format!("scope {scope}") });
    };
    match namespaces {
        None => Ok(()),
        Some([]) => Err(Error::Invalid {
            field: "namespaces",
            message: "an empty list grants nothing; leave it out for all namespaces".to_owned(),
        }),
        Some(names) if !names.iter().all(|name| is_namespace(name)) => Err(Error::Invalid {
            field: "namespaces",
            message: "each is the whole name of one namespace".to_owned(),
        }),
        Some(_) if row.text(0) != "cluster" => Err(Error::Invalid {
            field: "namespaces",
            message: format!("only a cluster has namespaces; {scope} is none"),
        }),
        Some(_) => Ok(()),
    }
}

async fn insert_assignment(tx: &mut Tx, new: &NewAssignment) -> Result<RoleAssignment> {
    let assignment = RoleAssignment {
        id: tx.new_id(),
        principal: new.principal.clone(),
        role: new.role,
        scope: new.scope.clone(),
        namespaces: new.namespaces.clone(),
        created: tx.now,
    };
    put(tx, std::slice::from_ref(&assignment)).await?;
    Ok(assignment)
}

impl RoleAssignments for Store {
    async fn assign_role(&self, new: &NewAssignment) -> Result<RoleAssignment> {
        let mut tx = self.begin().await?;
        tx.lock("owners").await?;
        check_place(&mut tx, &new.scope, new.namespaces.as_deref()).await?;
        if let Principal::User { id } = &new.principal
            && fetch::<User>(&mut tx, &Visible::system(), *id).await?.is_none()
        {
            return Err(Error::Missing { what: format!("user {id}") });
        }
        let sql = "SELECT 1 FROM roles WHERE principal = $1 AND role = $2 AND scope = $3";
        let sql = Sql::new(sql).text(principal_key(&new.principal)).text(new.role).text(&new.scope);
        if tx.row("look for an assignment", sql).await?.is_some() {
            let what = format!("the assignment of {} at {} to this principal", new.role, new.scope);
            return Err(Error::Exists { what });
        }
        let assignment = insert_assignment(&mut tx, new).await?;
        tx.commit().await?;
        Ok(assignment)
    }

    async fn remove_role(&self, id: Id) -> Result<bool> {
        let mut tx = self.begin().await?;
        tx.lock("owners").await?;
        let assignment: Option<RoleAssignment> = fetch(&mut tx, &Visible::system(), id).await?;
        let Some(assignment) = assignment else { return Ok(false) };
        let was_owner = match &assignment.principal {
            Principal::User { id } => is_owner(&mut tx, *id).await?,
            Principal::Group { .. } | Principal::Token { .. } => false,
        };
        remove::<RoleAssignment>(&mut tx, &[id]).await?;
        if was_owner {
            require_owner(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn roles_of(&self, principals: &[Principal]) -> Result<Vec<RoleAssignment>> {
        let keys: Vec<String> = principals.iter().map(principal_key).collect();
        let condition = format!("t.principal IN {}", self.db().texts(1));
        read_where(self.db(), &condition, serde_json::json!(keys)).await
    }
}
