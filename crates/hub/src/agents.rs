//! The agents' port: who may connect, what they send, how they are cut off.

mod desired;
pub(crate) mod live;
mod signing;
mod stream;

pub(crate) use desired::policies;

use crate::app::App;
use crate::ca::{AGENT_CERTIFICATE_LIFE, AgentCertificate, CertificateRequest};
use crate::serve::Peer;
use axum::Router;
use seawall_model::Millis;
use seawall_store::{Agents, NewAuditEntry};
use seawall_wire::v1;
use seawall_wire::v1::hub_server::{Hub, HubServer};
use serde_json::json;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// A frame around the largest batch.
const MAX_FRAME_BYTES: usize = seawall_wire::MAX_BATCH_BYTES + (64 << 10);

/// The gRPC service as a router, so that both ports have one accept loop.
pub(crate) fn router(app: App) -> Router {
    let service = HubServer::new(Service { app }).max_decoding_message_size(MAX_FRAME_BYTES);
    tonic::service::Routes::new(service).into_axum_router()
}

struct Service {
    app: App,
}

impl Service {
    /// Whose certificate TLS has verified.
    fn certificate<T>(request: &Request<T>) -> Result<AgentCertificate, Status> {
        let peer = request.extensions().get::<Peer>();
        let certificate = peer.and_then(|peer| peer.certificate.as_ref());
        certificate
            .and_then(AgentCertificate::read)
            .ok_or_else(|| Status::unauthenticated("the connection has no agent certificate"))
    }
}

#[tonic::async_trait]
impl Hub for Service {
    type ConnectStream = ReceiverStream<Result<v1::FromHub, Status>>;

    async fn connect(
        &self,
        request: Request<Streaming<v1::FromAgent>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let certificate = Self::certificate(&request)?;
        if certificate.expires < self.app.now() {
            return Err(Status::unauthenticated("the certificate has expired: renew it first"));
        }
        let answers = stream::spawn(self.app.clone(), certificate, request.into_inner());
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn renew(
        &self,
        request: Request<v1::RenewRequest>,
    ) -> Result<Response<v1::RenewReply>, Status> {
        let AgentCertificate { agent, .. } = Self::certificate(&request)?;
        let request = CertificateRequest::from_der(&request.into_inner().csr_der)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let now = self.app.now();
        if self.app.renewals.take(agent, 1.0, now).is_err() {
            return Err(Status::resource_exhausted("too many renewals: use the last certificate"));
        }
        let expires = now + AGENT_CERTIFICATE_LIFE.as_millis() as Millis;
        let entry = NewAuditEntry {
            actor: format!("agent:{agent}"),
            action: "agent.renew".to_owned(),
            target: agent.to_string(),
            detail: json!({"expires": expires}),
        };
        let renewed = self.app.store.audited(entry).agent_renewed(agent, expires).await;
        let renewed = renewed.map_err(unavailable)?;
        if renewed.is_none() {
            return Err(Status::permission_denied("the agent is unknown or revoked"));
        }
        let authority = &self.app.authority;
        let certificate = authority.agent(&request, agent, now).map_err(|error| {
            tracing::error!(error = crate::api::extract::chain(&error), %agent, "certificate not signed");
            Status::internal("the certificate could not be signed")
        })?;
        Ok(Response::new(v1::RenewReply {
            certificate_der: certificate.to_vec(),
            ca_der: vec![authority.certificate().to_vec()],
        }))
    }

    async fn sign(
        &self,
        request: Request<v1::SignRequest>,
    ) -> Result<Response<v1::SignReply>, Status> {
        let certificate = Self::certificate(&request)?;
        signing::sign(&self.app, certificate, request.into_inner()).await.map(Response::new)
    }
}

/// The store failed: the agent keeps its batch and comes back.
fn unavailable(error: seawall_store::Error) -> Status {
    tracing::error!(error = crate::api::extract::chain(&error), "agent not served");
    Status::unavailable("the hub cannot store this now")
}
