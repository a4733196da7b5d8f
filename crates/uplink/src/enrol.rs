//! Enrolment: a token and a certificate request become an identity.
use crate::identity::{Identity, IdentityError, KnownCluster, key_and_request};
use crate::pin::{Anchor, HubVerifier};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use seawall_model::asset::{AgentRole, Cluster};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Answers hold a certificate and at most two CAs, about 4 KiB.
const MAX_ANSWER_BYTES: usize = 256 << 10;

/// Connecting, TLS and the answer together; the hub only signs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("`{0}` is no hub address: expected https://HOST:PORT")]
    Address(String),
    #[error("the enrolment token is malformed: expected swe_SECRET.CA-HASH as the hub printed it")]
    Token,
    #[error("the hub's CA is no PEM with a certificate in it")]
    Ca,
    #[error("cannot reach the hub at {address}")]
    Connect { address: String, source: io::Error },
    #[error("the hub at {address} did not answer within 20 s")]
    Timeout { address: String },
    #[error("the hub's answer cannot be read")]
    Answer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The hub's own words: used up, expired, revoked, of another hub, waiting for acceptance.
    #[error("the hub refused to enrol this agent: {detail}")]
    Refused { status: u16, code: String, detail: String },
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

/// By what an agent without an identity knows its hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubCa {
    /// SHA-256 of its CA's certificate, as the hub prints it: `sha256:HEX`.
    Sha256([u8; 32]),
    /// The CA's certificate, PEM.
    Pem(String),
}

/// The text names no CA.
#[derive(Debug, thiserror::Error)]
#[error("expected sha256: and 64 hexadecimal digits, as the hub prints at its start")]
pub struct InvalidHubCa;

impl FromStr for HubCa {
    type Err = InvalidHubCa;

    fn from_str(text: &str) -> Result<Self, InvalidHubCa> {
        let hash = text.strip_prefix("sha256:").and_then(|hash| hex::decode(hash).ok());
        hash.and_then(|hash| hash.try_into().ok()).map(Self::Sha256).ok_or(InvalidHubCa)
    }
}

impl HubCa {
    /// `sha256:HEX` of each certificate, by which one CA is known however it was named.
    pub fn fingerprints(&self) -> Vec<String> {
        match self {
            Self::Sha256(hash) => vec![format!("sha256:{}", hex::encode(hash))],
            Self::Pem(pem) => CertificateDer::pem_slice_iter(pem.as_bytes())
                .filter_map(Result::ok)
                .map(|certificate| format!("sha256:{}", hex::encode(Sha256::digest(certificate))))
                .collect(),
        }
    }

    pub(crate) fn anchor(&self) -> Result<Anchor, EnrolError> {
        let pem = match self {
            Self::Sha256(hash) => return Ok(Anchor::Sha256(*hash)),
            Self::Pem(pem) => pem,
        };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| EnrolError::Ca)?;
            roots.add(certificate).map_err(|_| EnrolError::Ca)?;
        }
        if roots.is_empty() { Err(EnrolError::Ca) } else { Ok(Anchor::Roots(Arc::new(roots))) }
    }
}

/// A pod of a known cluster that asks to be let in.
pub struct Joining<'a> {
    /// `https://HOST:PORT` of the hub's API.
    pub hub: &'a str,
    pub ca: &'a HubCa,
    /// The projected service-account token for the audience `seawall`.
    pub token: &'a str,
    /// Where the caller knows it.
    pub cluster_uid: Option<&'a str>,
    /// Common name of the certificate request.
    pub name: &'a str,
}

#[derive(serde::Deserialize)]
struct JoinAnswer {
    #[serde(flatten)]
    answer: Answer,
    cluster_uid: String,
    cluster_name: String,
}

/// Makes a key, asks the hub to sign for it and returns the identity; nothing is stored. The hub is trusted only if
/// its certificate leads to the CA whose hash the token carries.
pub async fn enrol(enrolment: &Enrolment<'_>) -> Result<Identity, EnrolError> {
    let address = address(enrolment.hub)?;
    let hash = enrolment.token.rsplit_once('.').and_then(|(_, hash)| hex::decode(hash).ok());
    let hash = hash.and_then(|hash| hash.try_into().ok()).ok_or(EnrolError::Token)?;
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
    let answer: Answer = ask(&address, Anchor::Sha256(hash), "redeem", &body).await?;
    Ok(answer.identity(&address, key_pem))
}

/// As [`enrol`], by a service-account token of a cluster whose agent the hub knows.
pub async fn join(joining: &Joining<'_>) -> Result<Identity, EnrolError> {
    let address = address(joining.hub)?;
    let (key_pem, _, request_pem) = key_and_request(joining.name)?;
    let body = serde_json::json!({
        "service_account_token": joining.token,
        "csr": request_pem,
        "cluster_uid": joining.cluster_uid,
    });
    let joined: JoinAnswer = ask(&address, joining.ca.anchor()?, "join", &body).await?;
    let cluster = KnownCluster { uid: joined.cluster_uid, name: joined.cluster_name };
    let identity = joined.answer.identity(&address, key_pem);
    Ok(Identity { cluster: Some(cluster), joined_by: joining.ca.fingerprints(), ..identity })
}

impl Answer {
    fn identity(self, asked: &str, key_pem: String) -> Identity {
        Identity {
            agent_id: self.agent_id,
            hub: reachable(&self.hub_agents_addr, asked),
            key_pem,
            certificate_pem: self.certificate,
            ca_pem: self.ca.concat(),
            cluster: None,
            joined_by: Vec::new(),
        }
    }
}

/// `HOST:PORT` of the hub's API; the port of https where none is given.
pub(crate) fn address(hub: &str) -> Result<String, EnrolError> {
    let address = hub.strip_prefix("https://").map(|rest| rest.trim_end_matches('/'));
    let address = address.filter(|address| !address.is_empty() && !address.contains('/'));
    let address = address.ok_or_else(|| EnrolError::Address(hub.to_owned()))?;
    let has_port = address.rsplit(']').next().is_some_and(|tail| tail.contains(':'));
    Ok(if has_port { address.to_owned() } else { format!("{address}:443") })
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

async fn ask<T: DeserializeOwned>(
    address: &str,
    anchor: Anchor,
    verb: &str,
    body: &serde_json::Value,
) -> Result<T, EnrolError> {
    let answer = tokio::time::timeout(DEADLINE, post(address, anchor, verb, body.to_string()));
    answer.await.map_err(|_| EnrolError::Timeout { address: address.to_owned() })?
}

async fn post<T: DeserializeOwned>(
    address: &str,
    anchor: Anchor,
    verb: &str,
    body: String,
) -> Result<T, EnrolError> {
    let request = http::Request::post(format!("/api/v1/enrolments/{verb}"))
        .header("host", address)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| EnrolError::Answer(error.into()))?;
    let (status, body) = exchange(address, anchor, request, MAX_ANSWER_BYTES).await?;
    if (200..300).contains(&status) {
        return serde_json::from_slice(&body).map_err(|error| EnrolError::Answer(error.into()));
    }
    let (code, detail) = problem(&body);
    Err(EnrolError::Refused { status, code, detail })
}

/// Code and words of an answer that refuses (RFC 9457).
pub(crate) fn problem(body: &[u8]) -> (String, String) {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let detail =
        problem["detail"].as_str().or(problem["title"].as_str()).unwrap_or("no reason given");
    let code = problem["type"].as_str().and_then(|kind| kind.strip_prefix("/problems/"));
    (code.unwrap_or_default().to_owned(), detail.to_owned())
}

/// One request on a connection of its own; status and at most `max_bytes` of the answer.
pub(crate) async fn exchange(
    address: &str,
    anchor: Anchor,
    request: http::Request<Full<Bytes>>,
    max_bytes: usize,
) -> Result<(u16, Bytes), EnrolError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(HubVerifier::new(anchor, provider.clone()));
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
    let answer = sender.send_request(request).await.map_err(answer_failed)?;
    let status = answer.status();
    let body =
        Limited::new(answer.into_body(), max_bytes).collect().await.map_err(EnrolError::Answer)?;
    connection.abort();
    Ok((status.as_u16(), body.to_bytes()))
}
