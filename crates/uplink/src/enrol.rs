//! Enrolment: a token and a certificate request become an identity.
use crate::identity::{Identity, IdentityError, key_and_request};
use crate::pin::{Anchor, HubVerifier};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use seawall_model::asset::{AgentRole, Cluster};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Answers hold a certificate and at most two CAs, about 4 KiB.
const MAX_ANSWER_BYTES: usize = 256 << 10;

/// Connecting, TLS and the answer together; the hub only signs.
const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("`{0}` is no hub address: expected https://HOST:PORT")]
    Address(String),
    #[error("the enrolment token is malformed: expected swe_SECRET.CA-HASH as the hub printed it")]
    Token,
    #[error("cannot reach the hub at {address}")]
    Connect { address: String, source: io::Error },
    #[error("the hub at {address} did not answer within 20 s")]
    Timeout { address: String },
    #[error("the hub's answer cannot be read")]
    Answer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The hub's own words: used up, expired, revoked, of another hub, waiting for acceptance.
    #[error("the hub refused to enrol this agent: {detail}")]
    Refused { status: u16, detail: String },
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Who asks to be enrolled, and where.
pub struct Enrolment<'a> {
    /// `https://HOST:PORT` of the hub's API.
    pub hub: &'a str,
    /// `swe_SECRET.HASH`: the hash is the hex SHA-256 of the hub's CA certificate.
    pub token: &'a str,
    pub cluster: &'a Cluster,
    pub role: AgentRole,
    /// Node or pod name.
    pub name: &'a str,
}

#[derive(serde::Deserialize)]
struct Answer {
    agent_id: String,
    certificate: String,
    ca: Vec<String>,
    hub_agents_addr: String,
}

/// Makes a key, asks the hub to sign for it and returns the identity; nothing is stored. The hub is trusted only if
/// its certificate leads to the CA whose hash the token carries.
pub async fn enrol(enrolment: &Enrolment<'_>) -> Result<Identity, EnrolError> {
    let address = enrolment.hub.strip_prefix("https://").map(|rest| rest.trim_end_matches('/'));
    let address = address.filter(|address| !address.is_empty() && !address.contains('/'));
    let address = address.ok_or_else(|| EnrolError::Address(enrolment.hub.to_owned()))?;
    let address = if address.rsplit(']').next().is_some_and(|tail| tail.contains(':')) {
        address.to_owned()
    } else {
        format!("{address}:8443")
    };
    let (key_pem, _, request_pem) = key_and_request(enrolment.name)?;
    let body = serde_json::json!({
        "token": enrolment.token,
        "csr": request_pem,
        "cluster_uid": enrolment.cluster.uid,
        "cluster_name": enrolment.cluster.name,
        "kind": enrolment.cluster.kind,
        "agent_name": enrolment.name,
        "role": enrolment.role,
    });
    let answer =
        tokio::time::timeout(DEADLINE, redeem(&address, enrolment.token, body.to_string()));
    let answer = answer.await.map_err(|_| EnrolError::Timeout { address: address.clone() })??;
    Ok(Identity {
        agent_id: answer.agent_id,
        hub: reachable(&answer.hub_agents_addr, &address),
        key_pem,
        certificate_pem: answer.certificate,
        ca_pem: answer.ca.concat(),
    })
}

/// The hub may listen on every address; its agent port is then on the host that was asked.
fn reachable(agents: &str, asked: &str) -> String {
    let host = |address: &str| {
        address.rsplit_once(':').map_or(address.to_owned(), |(host, _)| host.to_owned())
    };
    match agents.rsplit_once(':') {
        Some(("0.0.0.0" | "[::]" | "", port)) => format!("{}:{port}", host(asked)),
        _ => agents.to_owned(),
    }
}

async fn redeem(address: &str, token: &str, body: String) -> Result<Answer, EnrolError> {
    let hash = token.rsplit_once('.').and_then(|(_, hash)| hex::decode(hash).ok());
    let hash: [u8; 32] = hash.and_then(|hash| hash.try_into().ok()).ok_or(EnrolError::Token)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(HubVerifier::new(Anchor::Sha256(hash), provider.clone()));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the default TLS versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let failed = |source| EnrolError::Connect { address: address.to_owned(), source };
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| EnrolError::Address(address.to_owned()))?;
    let stream = tokio::net::TcpStream::connect(address).await.map_err(failed)?;
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(failed)?;

    let answer_failed = |error: hyper::Error| EnrolError::Answer(error.into());
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(answer_failed)?;
    let connection = tokio::spawn(connection);
    let request = http::Request::post("/api/v1/enrolments/redeem")
        .header("host", address)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| EnrolError::Answer(error.into()))?;
    let answer = sender.send_request(request).await.map_err(answer_failed)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES)
        .collect()
        .await
        .map_err(EnrolError::Answer)?;
    connection.abort();
    let body = body.to_bytes();
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| EnrolError::Answer(error.into()));
    }
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let detail =
        problem["detail"].as_str().or(problem["title"].as_str()).unwrap_or("no reason given");
    Err(EnrolError::Refused { status: status.as_u16(), detail: detail.to_owned() })
}
