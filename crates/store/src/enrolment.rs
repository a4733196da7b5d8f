//! Enrolment tokens: who may bring a cluster in, how often, until when; uses and refusals are kept.
use crate::error::Result;
use crate::estate::NewAgent;
use crate::visible::Visible;
use seawall_model::asset::{Agent, Cluster};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct EnrolmentUse {
    pub at: Millis,
    pub cluster_uid: String,
    pub cluster_name: String,
    pub agent: Id,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentRefusal {
    pub at: Millis,
    pub reason: Refusal,
    pub cluster_uid: String,
    pub cluster_name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
