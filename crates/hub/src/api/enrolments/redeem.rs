//! `/enrolments/redeem`: a token and a certificate request become an agent's certificate.
use crate::api::extract::{Body, object};
use crate::api::problem::Refusal;
use crate::app::App;
use crate::auth::session::{ENROLMENT_PREFIX, digest};
use crate::ca::{self, AGENT_CERTIFICATE_LIFE, CertificateRequest};
use crate::serve::Peer;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::asset::{AgentRole, ClusterKind};
use seawall_model::{Id, Millis};
use seawall_store::{Enrolments, NewAgent, NewAuditEntry, Redeemed};
use serde_json::json;

/// UIDs, node and cluster names; Kubernetes allows 253.
const MAX_NAME_BYTES: usize = 253;

#[derive(serde::Deserialize, utoipa::ToSchema)]
pub(crate) struct RedeemBody {
    /// `swe_SECRET.HASH`
    token: String,
    /// PEM.
    csr: String,
    /// UID of the `kube-system` namespace, or the machine id.
    cluster_uid: String,
    cluster_name: String,
    kind: ClusterKind,
    agent_name: String,
    role: AgentRole,
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

/// Exchange an enrolment token for a certificate. A used, expired or foreign token is refused with which it is.
#[utoipa::path(post, path = "/api/v1/enrolments/redeem", tag = "enrolments",
    request_body = RedeemBody, responses((status = 200, body = Redeemable)))]
pub(crate) async fn redeem(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Body(body): Body<RedeemBody>,
) -> Result<Response, Refusal> {
    let names = [
        ("/cluster_uid", &body.cluster_uid),
        ("/cluster_name", &body.cluster_name),
        ("/agent_name", &body.agent_name),
    ];
    for (pointer, name) in names {
        if name.trim().is_empty() || name.len() > MAX_NAME_BYTES || name.contains(char::is_control)
        {
            let detail = format!("must have 1 to {MAX_NAME_BYTES} bytes and no control characters");
            return Err(Refusal::invalid(pointer, detail));
        }
    }
    let secret = secret(&body.token, &app.pin)?;
    // Before the token is used up: a request that cannot be signed costs no registration.
    let request = CertificateRequest::from_pem(&body.csr)
        .map_err(|error| Refusal::invalid("/csr", error.to_string()))?;
    let expires = app.now() + AGENT_CERTIFICATE_LIFE.as_millis() as Millis;
    let new = NewAgent {
        cluster_uid: body.cluster_uid,
        cluster_name: body.cluster_name,
        cluster_kind: body.kind,
        name: body.agent_name,
        role: body.role,
        certificate_expires: expires,
    };
    let entry = NewAuditEntry {
        actor: format!("agent:{}", new.name),
        action: "enrolment.redeem".to_owned(),
        target: new.cluster_name.clone(),
        detail: json!({"address": peer.address.ip().to_string(), "cluster": &new.cluster_uid}),
    };
    let agent = match app.store.audited(entry).redeem_enrolment(&digest(secret), &new).await? {
        Redeemed::Accepted { agent, .. } => agent,
        Redeemed::Refused(reason) => return Err(refused(reason)),
    };
    let certificate = app.authority.agent(&request, agent.id, app.now());
    let certificate = certificate.map_err(Refusal::internal)?;
    object(
        StatusCode::OK,
        &Redeemable {
            agent_id: agent.id,
            certificate: ca::pem(&certificate),
            ca: vec![ca::pem(app.authority.certificate())],
            hub_agents_addr: app.agents_address.to_string(),
        },
    )
}

/// The secret of a token of this hub.
fn secret<'a>(token: &'a str, pin: &str) -> Result<&'a str, Refusal> {
    let parts = token.trim().strip_prefix(ENROLMENT_PREFIX).and_then(|rest| rest.split_once('.'));
    let (secret, hash) = parts.ok_or_else(|| {
        Refusal::invalid("/token", "is no enrolment token: expected swe_SECRET.CA-HASH")
    })?;
    if hash != pin {
        return Err(refused(seawall_store::Refusal::Foreign));
    }
    Ok(secret)
}

fn refused(reason: seawall_store::Refusal) -> Refusal {
    use seawall_store::Refusal as Reason;
    let (code, detail) = match reason {
        Reason::Unknown => ("token-unknown", "this hub made no such enrolment token"),
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
