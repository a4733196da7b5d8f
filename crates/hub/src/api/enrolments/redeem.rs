//! `/enrolments/redeem`: a token and a certificate request become an agent's certificate.
use super::twin;
use crate::api::extract::{Body, object};
use crate::api::problem::Refusal;
use crate::app::App;
use crate::auth::session::{ENROLMENT_PREFIX, digest};
use crate::ca::{self, AGENT_CERTIFICATE_LIFE, CertificateRequest};
use crate::serve::Peer;
use crate::trust::{self, Joiner, Trust};
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rustls_pki_types::CertificateDer;
use seawall_model::asset::{AgentRole, ClusterKind};
use seawall_model::{Id, Millis};
use seawall_store::{Audit, Enrolments, NewAgent, NewAuditEntry, Redeemed, Refusal as Reason};
use serde_json::json;
use std::net::IpAddr;

/// UIDs, node and cluster names; Kubernetes allows 253.
const MAX_NAME_BYTES: usize = 253;

/// Keys that are not known are let pass: a newer agent may say more.
#[derive(serde::Deserialize, utoipa::ToSchema)]
pub(crate) struct RedeemBody {
    /// `swe_SECRET.HASH`
    token: String,
    /// PEM.
    csr: String,
    /// UID of the `kube-system` namespace, or the machine id.
    cluster_uid: String,
    /// The UID, if absent.
    cluster_name: Option<String>,
    /// `kubernetes`, if absent.
    kind: Option<ClusterKind>,
    /// The role, if absent.
    agent_name: Option<String>,
    /// `cluster_agent`, if absent.
    role: Option<AgentRole>,
    /// The API server's service-account issuer, its keys (a JSON Web Key Set) and who may join by its tokens: from a
    /// cluster's agent.
    issuer: Option<String>,
    #[schema(value_type = Option<Object>)]
    jwks: Option<serde_json::Value>,
    #[serde(default)]
    joiners: Vec<Joiner>,
}

impl RedeemBody {
    fn agent(&self, certificate_expires: Millis) -> NewAgent {
        let role = self.role.unwrap_or(AgentRole::ClusterAgent);
        let by_role = match role {
            AgentRole::ClusterAgent => "cluster-agent",
            AgentRole::Sensor => "sensor",
        };
        NewAgent {
            cluster_uid: self.cluster_uid.clone(),
            cluster_name: self.cluster_name.clone().unwrap_or_else(|| self.cluster_uid.clone()),
            cluster_kind: self.kind.unwrap_or(ClusterKind::Kubernetes),
            name: self.agent_name.clone().unwrap_or_else(|| by_role.to_owned()),
            role,
            service_account: None,
            certificate_expires,
        }
    }

    /// By whose word later pods of the cluster may join; none where the agent tells nothing of it.
    fn trust(&mut self) -> Result<Option<Trust>, Refusal> {
        let (Some(issuer), Some(jwks)) = (self.issuer.take(), self.jwks.take()) else {
            return Ok(None);
        };
        let trust = Trust::new(issuer, &jwks, std::mem::take(&mut self.joiners));
        trust.map(Some).map_err(|message| Refusal::invalid("/jwks", message))
    }
}

#[derive(serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Redeemable {
    agent_id: Id,
    /// PEM.
    certificate: String,
    /// PEM, one certificate each.
    ca: Vec<String>,
    /// `host:port`
    hub_agents_addr: String,
}

impl Redeemable {
    pub(super) fn new(app: &App, agent_id: Id, certificate: &CertificateDer<'_>) -> Self {
        Self {
            agent_id,
            certificate: ca::pem(certificate),
            ca: vec![ca::pem(app.authority.certificate())],
            hub_agents_addr: app.agents_address.to_string(),
        }
    }
}

/// Exchange an enrolment token for a certificate. A used, expired or foreign token is refused with which it is.
#[utoipa::path(post, path = "/api/v1/enrolments/redeem", tag = "enrolments",
    request_body = RedeemBody, responses((status = 200, body = Redeemable)))]
pub(crate) async fn redeem(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Body(mut body): Body<RedeemBody>,
) -> Result<Response, Refusal> {
    let new = body.agent(app.now() + AGENT_CERTIFICATE_LIFE.as_millis() as Millis);
    let guest = Guest { app: &app, agent: &new, address: peer.address.ip() };
    // The token first: who brings none learns nothing of what else would be wrong.
    let digest = match secret(&body.token, &app.pin) {
        Ok(secret) => digest(secret),
        Err(reason) => return Err(guest.refuse(reason).await),
    };
    if let Some(reason) = app.store.judge_enrolment(&digest, &new).await? {
        return Err(guest.refuse(reason).await);
    }
    check_names(&new)?;
    // Before the token is used up: a request that cannot be signed costs no registration.
    let request = CertificateRequest::from_pem(&body.csr)
        .map_err(|error| Refusal::invalid("/csr", error.to_string()))?;
    let trust = body.trust()?.filter(|_| new.role == AgentRole::ClusterAgent);
    let store = app.store.audited(guest.entry("enrolment.redeem", None));
    let (agent, cluster) = match store.redeem_enrolment(&digest, &new).await? {
        Redeemed::Accepted { agent, cluster } => (agent, cluster),
        Redeemed::Refused { reason, twin } => {
            if let Some(twin) = &twin {
                twin::raise(&app, twin, &new, guest.address).await?;
            }
            return Err(guest.refuse(reason).await);
        }
    };
    let certificate = app.authority.agent(&request, agent.id, app.now());
    let certificate = certificate.map_err(Refusal::internal)?;
    if let Some(trust) = trust {
        trust::keep(&app, &cluster.uid, &trust).await?;
    }
    object(StatusCode::OK, &Redeemable::new(&app, agent.id, &certificate))
}

fn check_names(agent: &NewAgent) -> Result<(), Refusal> {
    let names = [
        ("/cluster_uid", &agent.cluster_uid),
        ("/cluster_name", &agent.cluster_name),
        ("/agent_name", &agent.name),
    ];
    for (pointer, name) in names {
        if name.trim().is_empty() || name.len() > MAX_NAME_BYTES || name.contains(char::is_control)
        {
            let detail = format!("must have 1 to {MAX_NAME_BYTES} bytes and no control characters");
            return Err(Refusal::invalid(pointer, detail));
        }
    }
    Ok(())
}

/// Who brings a token, as the audit log tells of it.
struct Guest<'a> {
    app: &'a App,
    agent: &'a NewAgent,
    address: IpAddr,
}

impl Guest<'_> {
    fn entry(&self, action: &str, reason: Option<Reason>) -> NewAuditEntry {
        // Not checked yet where the token is no good.
        let clip = |name: &str| name.chars().take(MAX_NAME_BYTES).collect::<String>();
        let mut detail =
            json!({"address": self.address.to_string(), "cluster": clip(&self.agent.cluster_uid)});
        if let Some(reason) = reason {
            detail["reason"] = json!(reason);
        }
        NewAuditEntry {
            actor: format!("agent:{}", clip(&self.agent.name)),
            action: action.to_owned(),
            target: clip(&self.agent.cluster_name),
            detail,
        }
    }

    /// The audit log has it, but no more often than an address may sign in: a guesser must not fill it.
    async fn refuse(&self, reason: Reason) -> Refusal {
        let Self { app, address, .. } = self;
        if app.refused_enrolments.take(*address, 1.0, app.now()).is_err() {
            tracing::warn!(%address, ?reason, "refused enrolment left out of the audit log");
            return refused(reason);
        }
        match app.store.append_audit(&self.entry("enrolment.refuse", Some(reason))).await {
            Ok(_) => refused(reason),
            Err(error) => error.into(),
        }
    }
}

/// The secret of a token of this hub.
fn secret<'a>(token: &'a str, pin: &str) -> Result<&'a str, Reason> {
    let parts = token.trim().strip_prefix(ENROLMENT_PREFIX).and_then(|rest| rest.split_once('.'));
    let (secret, hash) = parts.ok_or(Reason::Unknown)?;
    if hash == pin { Ok(secret) } else { Err(Reason::Foreign) }
}

fn refused(reason: Reason) -> Refusal {
    let (code, detail) = match reason {
        Reason::Unknown => (
            "token-unknown",
            "this hub made no such enrolment token; expected swe_SECRET.CA-HASH as it was shown",
        ),
        Reason::Expired => ("token-expired", "the enrolment token has expired; make a new one"),
        Reason::Used => ("token-used", "the enrolment token was used up; make a new one"),
        Reason::Revoked => ("token-revoked", "the enrolment token was revoked; make a new one"),
        Reason::Foreign => (
            "token-foreign",
            "the enrolment token belongs to another hub, or the cluster to another scope",
        ),
        Reason::Waiting => (
            "token-waiting",
            "an Owner has to accept this enrolment first: Settings, Enrolment; then try again",
        ),
    };
    Refusal::forbidden(detail).code(code)
}
