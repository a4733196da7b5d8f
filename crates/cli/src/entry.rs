//! How a pod comes to its identity: by its service account where an agent of its cluster is known, else by an
//! enrolment token; it asks until it is let in.
use crate::exit::Failure;
use crate::link::read_token;
use anyhow::anyhow;
use seawall_model::Millis;
use seawall_model::asset::{AgentRole, Cluster};
use seawall_model::time::{Clock, SystemClock};
use seawall_uplink::{EnrolError, Enrolment, HubCa, Identity, Joining};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Waits between attempts.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// The hub's word for a cluster none of whose agents has enrolled yet.
const CLUSTER_UNKNOWN: &str = "cluster-unknown";

/// Where the hub is, and what lets this process in.
#[derive(clap::Args, Clone)]
pub(crate) struct HubOptions {
    /// `https://HOST:PORT` of the hub
    #[arg(long, env = "SEAWALL_HUB", value_name = "URL")]
    pub(crate) hub: Option<String>,
    /// Where the hub listens for agents, if not where it says itself
    #[arg(long, env = "SEAWALL_HUB_AGENTS", value_name = "HOST:PORT")]
    pub(crate) hub_agents: Option<String>,
    /// The hub's CA by its fingerprint, as the hub prints it at its start
    #[arg(long, env = "SEAWALL_HUB_CA", value_name = "sha256:HEX")]
    hub_ca: Option<HubCa>,
    /// The hub's CA as a PEM file
    #[arg(long, conflicts_with = "hub_ca", value_name = "FILE")]
    hub_ca_file: Option<PathBuf>,
    /// File with an enrolment token, read at the first start
    #[arg(long, env = "SEAWALL_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// File with a projected service-account token for the audience `seawall`
    #[arg(long, env = "SEAWALL_SERVICE_ACCOUNT_TOKEN", value_name = "FILE")]
    pub(crate) service_account_token: Option<PathBuf>,
}

/// Who wants to be let in.
pub(crate) struct Candidate<'a> {
    pub(crate) state_dir: &'a Path,
    pub(crate) role: AgentRole,
    /// Node or pod name.
    pub(crate) name: &'a str,
    /// Where the process may ask the API server; an enrolment token needs it.
    pub(crate) cluster: Option<&'a Cluster>,
}

/// What a process that is not there yet waits for, for its health page.
#[derive(Clone, Default)]
pub(crate) struct Waiting(Arc<Mutex<Option<String>>>);

impl Waiting {
    pub(crate) fn set(&self, reason: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    pub(crate) fn reason(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl HubOptions {
    /// The identity in the state directory, or a new one, saved there. Asks again and again: neither hub nor cluster
    /// agent need be there first. What cannot get better ends at once.
    pub(crate) async fn enter(
        &self,
        hub: &str,
        candidate: &Candidate<'_>,
        waiting: &Waiting,
    ) -> Result<Identity, Failure> {
        let ca = self.ca()?;
        let known = Identity::load(candidate.state_dir).map_err(Failure::could_not_run)?;
        // A node's folder outlives the installation, and with it the hub that gave the identity.
        match known {
            Some(identity) if ca.as_ref().is_some_and(|ca| is_of_another_hub(&identity, ca)) => {
                tracing::warn!("the state directory is another hub's: joining anew");
                Identity::forget(candidate.state_dir).map_err(Failure::could_not_run)?;
            }
            Some(identity) if self.service_account_token.is_some() && is_lost(&identity) => {
                tracing::warn!("the certificate is too old to be renewed: joining anew");
            }
            Some(identity) => return Ok(identity),
            None => {}
        }
        if self.service_account_token.is_none()
            && let Some(file) = &self.token_file
        {
            // Nothing else can let this process in, so a file that cannot be read is worth no waiting.
            read_token(file)?;
        }
        let mut wait = SHORTEST_WAIT;
        loop {
            let refused = match self.attempt(hub, ca.as_ref(), candidate).await {
                Ok(identity) => {
                    identity.save(candidate.state_dir).map_err(Failure::could_not_run)?;
                    waiting.set(None);
                    return Ok(identity);
                }
                Err(refused) => refused,
            };
            if let EnrolError::Address(_) | EnrolError::Ca | EnrolError::Token = refused {
                return Err(Failure::usage(refused));
            }
            let told = crate::exit::chain(&anyhow::Error::new(refused));
            if waiting.reason().as_ref() != Some(&told) {
                tracing::warn!(reason = told, "not let in yet");
                waiting.set(Some(told));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn attempt(
        &self,
        hub: &str,
        ca: Option<&HubCa>,
        candidate: &Candidate<'_>,
    ) -> Result<Identity, EnrolError> {
        let mut refused = None;
        if let (Some(file), Some(ca)) = (&self.service_account_token, ca) {
            // Read at each attempt: the kubelet renews it.
            let token = std::fs::read_to_string(file).unwrap_or_default();
            let cluster_uid = candidate.cluster.map(|cluster| cluster.uid.as_str());
            let name = candidate.name;
            let joining = Joining { hub, ca, token: token.trim(), cluster_uid, name };
            match seawall_uplink::join(&joining).await {
                Ok(identity) => return Ok(identity),
                Err(error) if is_unknown(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        // It may be a Secret that is deleted once the first agent is in.
        let token = self.token_file.as_deref().and_then(|file| read_token(file).ok());
        match (token, candidate.cluster, refused) {
            (Some(token), Some(cluster), _) => {
                let (role, name) = (candidate.role, candidate.name);
                let enrolment = Enrolment { hub, token: &token, cluster, role, name };
                seawall_uplink::enrol(&enrolment).await
            }
            (_, _, Some(refused)) => Err(refused),
            _ => Err(EnrolError::Token),
        }
    }

    fn ca(&self) -> Result<Option<HubCa>, Failure> {
        match (&self.hub_ca, &self.hub_ca_file) {
            (Some(ca), _) => Ok(Some(ca.clone())),
            (None, Some(file)) => {
                let pem = std::fs::read_to_string(file).map_err(|error| {
                    let context = format!("cannot read the hub's CA from {}", file.display());
                    Failure::could_not_run(anyhow::Error::new(error).context(context))
                })?;
                Ok(Some(HubCa::Pem(pem)))
            }
            (None, None) if self.service_account_token.is_some() => {
                Err(Failure::usage(anyhow!("--service-account-token needs --hub-ca"))
                    .with_help("give the fingerprint that the hub prints at its start"))
            }
            (None, None) => Ok(None),
        }
    }
}

fn is_of_another_hub(identity: &Identity, ca: &HubCa) -> bool {
    let named = ca.fingerprints();
    !identity.joined_by.is_empty() && !identity.joined_by.iter().any(|by| named.contains(by))
}

/// A hub renews what ended less than thirty days ago.
fn is_lost(identity: &Identity) -> bool {
    const RENEWABLE: Millis = 30 * 86_400_000;
    identity.validity().is_some_and(|(_, to)| to + RENEWABLE < SystemClock.now())
}

fn is_unknown(error: &EnrolError) -> bool {
    matches!(error, EnrolError::Refused { code, .. } if code == CLUSTER_UNKNOWN)
}
