//! Enrolment tokens: who may bring a cluster in, how often, until when; uses and refusals are kept.
use crate::cell::clip;
use crate::db::Sql;
use crate::error::{Error, Result, past};
use crate::estate::{self, NewAgent};
use crate::list::{fetch, fetch_where};
use crate::put::put;
use crate::store::Store;
use crate::visible::Visible;
use seawall_model::asset::{Agent, Cluster};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Enrolment {
    pub id: Id,
    pub scope: ScopePath,
    pub created: Millis,
    pub expires: Millis,
    /// Registrations allowed.
    pub uses_allowed: u32,
    /// Waits for `accept_enrolment` before the first use.
    pub manual_accept: bool,
    pub accepted: bool,
    pub revoked: bool,
    pub uses: Vec<EnrolmentUse>,
    /// The newest [`MAX_REFUSALS`].
    pub refusals: Vec<EnrolmentRefusal>,
    /// All refusals, also those no longer listed.
    pub refused: u64,
}

/// A guesser must not grow a row without end.
pub const MAX_REFUSALS: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EnrolmentUse {
    pub at: Millis,
    pub cluster_uid: String,
    pub cluster_name: String,
    pub agent: Id,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EnrolmentRefusal {
    pub at: Millis,
    pub reason: Refusal,
    pub cluster_uid: String,
    pub cluster_name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No token of this hub.
    Unknown,
    Expired,
    /// Every allowed registration was made.
    Used,
    Revoked,
    /// The cluster belongs to a place outside the token's scope.
    Foreign,
    /// Someone has to accept it first: the token says so, or a second cluster shows a known UID.
    Waiting,
}

#[derive(Clone, Debug)]
pub struct NewEnrolment {
    /// Digest of the secret, as hexadecimal text.
    pub digest: String,
    pub scope: ScopePath,
    pub expires: Millis,
    pub uses_allowed: u32,
    pub manual_accept: bool,
    /// Made by the hub for its own machine: a known cluster UID needs no acceptance.
    pub trusted: bool,
}

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one value per enrolment, never kept")]
pub enum Redeemed {
    /// Cluster and agent exist now; sign the certificate.
    Accepted {
        cluster: Cluster,
        agent: Agent,
    },
    Refused(Refusal),
}

pub trait Enrolments {
    async fn create_enrolment(&self, new: &NewEnrolment) -> Result<Enrolment>;
    /// Counts the use or the refusal, and makes cluster, scope and agent, in one transaction.
    async fn redeem_enrolment(&self, digest: &str, agent: &NewAgent) -> Result<Redeemed>;
    /// The waiting agent may try again. `None` when it is unknown or not visible.
    async fn accept_enrolment(&self, visible: &Visible, id: Id) -> Result<Option<Enrolment>>;
    async fn revoke_enrolment(&self, visible: &Visible, id: Id) -> Result<Option<Enrolment>>;
}

/// An enrolment as written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredEnrolment {
    pub(crate) enrolment: Enrolment,
    #[serde(skip)]
    pub(crate) digest: String,
    #[serde(skip)]
    pub(crate) trusted: bool,
}

/// Registrations one token may make; a cluster enrols by one.
const MAX_USES: u32 = 1_000;
/// A token lives at most this long.
const MAX_LIFE: Millis = 7 * 24 * 3_600_000;

impl Enrolments for Store {
    async fn create_enrolment(&self, new: &NewEnrolment) -> Result<Enrolment> {
        let mut tx = self.begin().await?;
        let invalid = |field, message: String| Err(Error::Invalid { field, message });
        if !(1..=MAX_USES).contains(&new.uses_allowed) {
            return invalid("uses", format!("a token allows 1 to {MAX_USES} registrations"));
        }
        if new.expires <= tx.now || new.expires > tx.now.saturating_add(MAX_LIFE) {
            return invalid("expires", "a token expires within 7 days".to_owned());
        }
        let sql = Sql::new("SELECT 1 FROM scopes WHERE scope = $1").text(&new.scope);
        if tx.row("look for a scope", sql).await?.is_none() {
            return Err(Error::Missing { what: format!("scope {}", new.scope) });
        }
        let enrolment = Enrolment {
            id: tx.new_id(),
            scope: new.scope.clone(),
            created: tx.now,
            expires: new.expires,
            uses_allowed: new.uses_allowed,
            manual_accept: new.manual_accept,
            accepted: false,
            revoked: false,
            uses: Vec::new(),
            refusals: Vec::new(),
            refused: 0,
        };
        let (digest, trusted) = (new.digest.clone(), new.trusted);
        let stored = StoredEnrolment { enrolment, digest, trusted };
        put(&mut tx, std::slice::from_ref(&stored)).await?;
        tx.commit().await?;
        Ok(stored.enrolment)
    }

    async fn redeem_enrolment(&self, digest: &str, agent: &NewAgent) -> Result<Redeemed> {
        let mut tx = self.begin().await?;
        // Two uses of one token, or two agents of one new cluster, queue here.
        tx.lock("scopes").await?;
        let found: Vec<Enrolment> = fetch_where(&mut tx, "t.secret_digest = $1", digest).await?;
        let Some(mut enrolment) = found.into_iter().next() else {
            return Ok(Redeemed::Refused(Refusal::Unknown));
        };
        let known = estate::find_cluster(&mut tx, &agent.cluster_uid).await?;
        let trusted = Sql::new("SELECT trusted FROM enrolments WHERE id = $1").text(enrolment.id);
        let trusted =
            tx.row("read an enrolment", trusted).await?.is_some_and(|row| row.int(0) == 1);
        if let Some(reason) = refusal(&enrolment, known.as_ref(), trusted, agent, tx.now) {
            enrolment.refused += 1;
            enrolment.refusals.push(EnrolmentRefusal {
                at: tx.now,
                reason,
                cluster_uid: clip(&agent.cluster_uid),
                cluster_name: clip(&agent.cluster_name),
            });
            let surplus = enrolment.refusals.len().saturating_sub(MAX_REFUSALS);
            enrolment.refusals.drain(..surplus);
            put(&mut tx, &[enrolment]).await?;
            tx.commit().await?;
            return Ok(Redeemed::Refused(reason));
        }
        let cluster = estate::register_cluster(&mut tx, &enrolment.scope, agent).await?;
        let agent = estate::insert_agent(&mut tx, &cluster, agent).await?;
        enrolment.uses.push(EnrolmentUse {
            at: tx.now,
            cluster_uid: cluster.uid.clone(),
            cluster_name: cluster.name.clone(),
            agent: agent.id,
        });
        put(&mut tx, &[enrolment]).await?;
        tx.commit().await?;
        Ok(Redeemed::Accepted { cluster, agent })
    }

    async fn accept_enrolment(&self, visible: &Visible, id: Id) -> Result<Option<Enrolment>> {
        change(self, visible, id, |enrolment| enrolment.accepted = true).await
    }

    async fn revoke_enrolment(&self, visible: &Visible, id: Id) -> Result<Option<Enrolment>> {
        change(self, visible, id, |enrolment| enrolment.revoked = true).await
    }
}

/// Why this agent may not come in with this token.
fn refusal(
    enrolment: &Enrolment,
    known: Option<&Cluster>,
    trusted: bool,
    agent: &NewAgent,
    now: Millis,
) -> Option<Refusal> {
    let foreign = |cluster: &Cluster| !cluster.scope.is_within(&enrolment.scope);
    let own = enrolment.uses.iter().any(|used| used.cluster_uid == clip(&agent.cluster_uid));
    if enrolment.revoked {
        Some(Refusal::Revoked)
    } else if past(Some(enrolment.expires), now) {
        Some(Refusal::Expired)
    } else if enrolment.uses.len() >= enrolment.uses_allowed as usize {
        Some(Refusal::Used)
    } else if known.is_some_and(foreign) {
        Some(Refusal::Foreign)
    } else if enrolment.accepted {
        None
    } else if enrolment.manual_accept || (known.is_some() && !own && !trusted) {
        Some(Refusal::Waiting)
    } else {
        None
    }
}

async fn change(
    store: &Store,
    visible: &Visible,
    id: Id,
    change: impl FnOnce(&mut Enrolment) + Send,
) -> Result<Option<Enrolment>> {
    let mut tx = store.begin().await?;
    tx.lock("scopes").await?;
    let Some(mut enrolment) = fetch::<Enrolment>(&mut tx, visible, id).await? else {
        return Ok(None);
    };
    change(&mut enrolment);
    put(&mut tx, std::slice::from_ref(&enrolment)).await?;
    tx.commit().await?;
    Ok(Some(enrolment))
}
