//! Enrolment tokens: who may bring a cluster in, how often, until when; uses and refusals are kept.
use crate::cell::clip;
use crate::db::Sql;
use crate::error::{Error, Result, past};
use crate::estate::{self, NewAgent};
use crate::list::{fetch, fetch_where};
use crate::put::put;
use crate::store::{Store, Tx};
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
    /// Each registration waits for [`Enrolments::accept_enrolment`].
    pub manual_accept: bool,
    /// Whether anything was accepted so far.
    pub accepted: bool,
    pub revoked: bool,
    pub uses: Vec<EnrolmentUse>,
    /// The newest [`MAX_REFUSALS`].
    pub refusals: Vec<EnrolmentRefusal>,
    /// All refusals, also those no longer listed.
    pub refused: u64,
    /// Clusters that wait for acceptance, newest last; the newest [`MAX_WAITING`].
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required = true))]
    pub waiting: Vec<EnrolmentWaiting>,
    /// UIDs of accepted clusters that have not come back yet, each good for one registration.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required = true))]
    pub admitted: Vec<String>,
}

/// A guesser must not grow a row without end.
pub const MAX_REFUSALS: usize = 50;
/// Nor may a holder of the token that shows ever new UIDs.
pub const MAX_WAITING: usize = 50;

/// Who waits to be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EnrolmentWaiting {
    pub cluster_uid: String,
    pub cluster_name: String,
    /// Of the last attempt.
    pub at: Millis,
}

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
pub enum Redeemed {
    /// Cluster and agent exist now; sign the certificate.
    Accepted {
        cluster: Cluster,
        agent: Agent,
    },
    Refused {
        reason: Refusal,
        twin: Option<Twin>,
    },
}

/// A known cluster whose UID another agent shows.
#[derive(Clone, Debug)]
pub struct Twin {
    pub cluster: Cluster,
    pub enrolment: Id,
    /// Which refusal of the enrolment it was.
    pub refusal: u64,
}

pub trait Enrolments {
    async fn create_enrolment(&self, new: &NewEnrolment) -> Result<Enrolment>;
    /// Why the token itself is no good, whoever brings it; counts the refusal.
    async fn judge_enrolment(&self, digest: &str, agent: &NewAgent) -> Result<Option<Refusal>>;
    /// Counts the use or the refusal, and makes cluster, scope and agent, in one transaction. The entry of an audited
    /// call tells of the use: a refusal writes none.
    async fn redeem_enrolment(&self, digest: &str, agent: &NewAgent) -> Result<Redeemed>;
    /// One registration of the waiting cluster with this UID, by default of the newest, goes through at its next
    /// attempt. `None` when it is unknown or not visible; `Error::Transition` where it does not wait.
    async fn accept_enrolment(
        &self,
        visible: &Visible,
        id: Id,
        cluster_uid: Option<&str>,
    ) -> Result<Option<Enrolment>>;
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
            waiting: Vec::new(),
            admitted: Vec::new(),
        };
        let (digest, trusted) = (new.digest.clone(), new.trusted);
        let stored = StoredEnrolment { enrolment, digest, trusted };
        put(&mut tx, std::slice::from_ref(&stored)).await?;
        tx.commit().await?;
        Ok(stored.enrolment)
    }

    async fn judge_enrolment(&self, digest: &str, agent: &NewAgent) -> Result<Option<Refusal>> {
        let mut tx = self.begin().await?;
        let Some(enrolment) = by_digest(&mut tx, digest).await? else {
            return Ok(Some(Refusal::Unknown));
        };
        let reason = spent(&enrolment, tx.now);
        if let Some(reason) = reason {
            refuse(tx, enrolment, reason, agent).await?;
        }
        Ok(reason)
    }

    async fn redeem_enrolment(&self, digest: &str, agent: &NewAgent) -> Result<Redeemed> {
        let mut tx = self.begin().await?;
        let Some(mut enrolment) = by_digest(&mut tx, digest).await? else {
            return Ok(Redeemed::Refused { reason: Refusal::Unknown, twin: None });
        };
        let known = estate::find_cluster(&mut tx, &agent.cluster_uid).await?;
        let trusted = Sql::new("SELECT trusted FROM enrolments WHERE id = $1").text(enrolment.id);
        let trusted =
            tx.row("read an enrolment", trusted).await?.is_some_and(|row| row.int(0) == 1);
        if let Some(reason) = refusal(&mut enrolment, known.as_ref(), trusted, agent, tx.now) {
            let (id, refusal) = (enrolment.id, enrolment.refused + 1);
            let twin = known
                .filter(|_| reason == Refusal::Waiting && !is_own(&enrolment, agent))
                .map(|cluster| Twin { cluster, enrolment: id, refusal });
            refuse(tx, enrolment, reason, agent).await?;
            return Ok(Redeemed::Refused { reason, twin });
        }
        let cluster = estate::register_cluster(&mut tx, &enrolment.scope, agent).await?;
        let agent = estate::enrol_agent(&mut tx, &cluster, agent).await?;
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

    async fn accept_enrolment(
        &self,
        visible: &Visible,
        id: Id,
        cluster_uid: Option<&str>,
    ) -> Result<Option<Enrolment>> {
        let refused = |message: String| Err(Error::Transition { message });
        change(self, visible, id, |enrolment| {
            if enrolment.uses.len() + enrolment.admitted.len() >= enrolment.uses_allowed as usize {
                return refused("every registration of this token is taken".to_owned());
            }
            let waits =
                |one: &EnrolmentWaiting| cluster_uid.is_none_or(|uid| one.cluster_uid == clip(uid));
            let Some(position) = enrolment.waiting.iter().rposition(waits) else {
                return refused(match cluster_uid {
                    Some(uid) => format!("no cluster {uid} waits with this token"),
                    None => "no cluster waits with this token".to_owned(),
                });
            };
            enrolment.admitted.push(enrolment.waiting.remove(position).cluster_uid);
            enrolment.accepted = true;
            Ok(())
        })
        .await
    }

    async fn revoke_enrolment(&self, visible: &Visible, id: Id) -> Result<Option<Enrolment>> {
        change(self, visible, id, |enrolment| {
            enrolment.revoked = true;
            Ok(())
        })
        .await
    }
}

async fn by_digest(tx: &mut Tx, digest: &str) -> Result<Option<Enrolment>> {
    // Two uses of one token, or two agents of one new cluster, queue here.
    tx.lock("scopes").await?;
    let found: Vec<Enrolment> = fetch_where(tx, "t.secret_digest = $1", digest).await?;
    Ok(found.into_iter().next())
}

/// Notes the refusal, and who waits, in place of what the call was audited as.
async fn refuse(
    mut tx: Tx,
    mut enrolment: Enrolment,
    reason: Refusal,
    agent: &NewAgent,
) -> Result<()> {
    let (cluster_uid, cluster_name) = (clip(&agent.cluster_uid), clip(&agent.cluster_name));
    if reason == Refusal::Waiting {
        enrolment.waiting.retain(|one| one.cluster_uid != cluster_uid);
        let (cluster_uid, cluster_name) = (cluster_uid.clone(), cluster_name.clone());
        enrolment.waiting.push(EnrolmentWaiting { cluster_uid, cluster_name, at: tx.now });
        let surplus = enrolment.waiting.len().saturating_sub(MAX_WAITING);
        enrolment.waiting.drain(..surplus);
    }
    enrolment.refused += 1;
    enrolment.refusals.push(EnrolmentRefusal { at: tx.now, reason, cluster_uid, cluster_name });
    let surplus = enrolment.refusals.len().saturating_sub(MAX_REFUSALS);
    enrolment.refusals.drain(..surplus);
    put(&mut tx, &[enrolment]).await?;
    tx.unaudited().commit().await
}

/// Why the token is no good for anybody.
fn spent(enrolment: &Enrolment, now: Millis) -> Option<Refusal> {
    if enrolment.revoked {
        Some(Refusal::Revoked)
    } else if past(Some(enrolment.expires), now) {
        Some(Refusal::Expired)
    } else if enrolment.uses.len() >= enrolment.uses_allowed as usize {
        Some(Refusal::Used)
    } else {
        None
    }
}

/// Whether this token brought the agent's cluster in.
fn is_own(enrolment: &Enrolment, agent: &NewAgent) -> bool {
    enrolment.uses.iter().any(|used| used.cluster_uid == clip(&agent.cluster_uid))
}

/// Why this agent may not come in with this token. An acceptance that it needs is spent.
fn refusal(
    enrolment: &mut Enrolment,
    known: Option<&Cluster>,
    trusted: bool,
    agent: &NewAgent,
    now: Millis,
) -> Option<Refusal> {
    if let Some(reason) = spent(enrolment, now) {
        return Some(reason);
    }
    if known.is_some_and(|cluster| !cluster.scope.is_within(&enrolment.scope)) {
        return Some(Refusal::Foreign);
    }
    let second = known.is_some() && !is_own(enrolment, agent);
    if trusted || !(enrolment.manual_accept || second) {
        return None;
    }
    let uid = clip(&agent.cluster_uid);
    match enrolment.admitted.iter().position(|admitted| *admitted == uid) {
        Some(position) => {
            enrolment.admitted.remove(position);
            None
        }
        None => Some(Refusal::Waiting),
    }
}

async fn change(
    store: &Store,
    visible: &Visible,
    id: Id,
    change: impl FnOnce(&mut Enrolment) -> Result<()> + Send,
) -> Result<Option<Enrolment>> {
    let mut tx = store.begin().await?;
    tx.lock("scopes").await?;
    let Some(mut enrolment) = fetch::<Enrolment>(&mut tx, visible, id).await? else {
        return Ok(None);
    };
    change(&mut enrolment)?;
    put(&mut tx, std::slice::from_ref(&enrolment)).await?;
    tx.commit().await?;
    Ok(Some(enrolment))
}
