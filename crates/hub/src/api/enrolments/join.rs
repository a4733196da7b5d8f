//! `/enrolments/join`: later pods of a known cluster prove themselves by a projected service-account token.
use super::redeem::Redeemable;
use crate::api::extract::{Body, object};
use crate::api::problem::Refusal;
use crate::app::App;
use crate::ca::{AGENT_CERTIFICATE_LIFE, CertificateRequest};
use crate::serve::Peer;
use crate::trust::{self, NotTrusted};
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use seawall_model::Millis;
use seawall_model::asset::{AgentRole, ClusterKind};
use seawall_store::{Agents, Audit, Join, JoinedAgent, NewAgent, NewAuditEntry};
use serde_json::json;

#[derive(serde::Deserialize, utoipa::ToSchema)]
pub(crate) struct JoinBody {
    /// A JSON Web Token of the cluster's API server for the audience `seawall`.
    service_account_token: String,
    /// PEM.
    csr: String,
    /// UID of the `kube-system` namespace; by the token's key where it is absent.
    cluster_uid: Option<String>,
}

#[derive(serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Joined {
    #[serde(flatten)]
    identity: Redeemable,
    cluster_uid: String,
    cluster_name: String,
    agent_name: String,
    role: AgentRole,
}

/// Exchange a service-account token of a known cluster for a certificate.
#[utoipa::path(post, path = "/api/v1/enrolments/join", tag = "enrolments",
    request_body = JoinBody, responses((status = 200, body = Joined)))]
pub(crate) async fn join(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Body(body): Body<JoinBody>,
) -> Result<Response, Refusal> {
    let token = body.service_account_token.trim();
    let found = trust::of_token(&app, token, body.cluster_uid.as_deref()).await?;
    let unknown = NotTrusted {
        code: "cluster-unknown",
        detail: "no agent of this cluster has enrolled yet: the first needs an enrolment token",
    };
    let judged = match &found {
        Some((_, trust)) => trust.judge(token, app.now()),
        None => Err(unknown),
    };
    let joining = judged.map_err(|not| Refusal::forbidden(not.detail).code(not.code))?;
    let Some((cluster_uid, _)) = found else { return Err(Refusal::forbidden(unknown.detail)) };
    let request = CertificateRequest::from_pem(&body.csr)
        .map_err(|error| Refusal::invalid("/csr", error.to_string()))?;
    let new = NewAgent {
        cluster_name: cluster_uid.clone(),
        cluster_uid,
        cluster_kind: ClusterKind::Kubernetes,
        name: joining.name,
        role: joining.role,
        service_account: Some(joining.service_account.clone()),
        certificate_expires: app.now() + AGENT_CERTIFICATE_LIFE.as_millis() as Millis,
    };
    let entry = NewAuditEntry {
        actor: format!("agent:{}", new.name),
        action: "enrolment.join".to_owned(),
        target: new.cluster_uid.clone(),
        detail: json!({
            "address": peer.address.ip().to_string(),
            "service_account": joining.service_account,
            "role": new.role,
        }),
    };
    let joined = app.store.audited(entry.clone()).join_agent(&new).await?;
    let JoinedAgent { cluster, agent, replaced } = match joined {
        Join::Joined(joined) => *joined,
        Join::UnknownCluster => {
            return Err(Refusal::forbidden(unknown.detail).code(unknown.code));
        }
        Join::Revoked => return Err(revoked(&app, peer, entry).await),
    };
    for replaced in replaced {
        app.live.revoke(replaced);
    }
    let certificate =
        app.authority.agent(&request, agent.id, app.now()).map_err(Refusal::internal)?;
    object(
        StatusCode::OK,
        &Joined {
            identity: Redeemable::new(&app, agent.id, &certificate),
            cluster_uid: cluster.uid,
            cluster_name: cluster.name,
            agent_name: agent.name,
            role: agent.role,
        },
    )
}

/// The audit log has it, no more often than other refusals of an address: the pod tries again and again.
async fn revoked(app: &App, peer: Peer, mut entry: NewAuditEntry) -> Refusal {
    let refusal = Refusal::forbidden(
        "this agent was revoked, or every agent that it stands beside: to readmit it, delete the revoked agent \
         (DELETE /api/v1/agents/ID) or enrol it with a new enrolment token",
    );
    if app.refused_enrolments.take(peer.address.ip(), 1.0, app.now()).is_ok() {
        "enrolment.refuse".clone_into(&mut entry.action);
        entry.detail["reason"] = json!("revoked");
        if let Err(error) = app.store.append_audit(&entry).await {
            return error.into();
        }
    }
    refusal.code("agent-revoked")
}
