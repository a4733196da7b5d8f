//! By which keys the API server signs service-account tokens. Source: OpenID Connect Discovery 1.0; Kubernetes,
//! "Service account issuer discovery", which every service account may read.
use crate::Connection;
use serde_json::Value;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(10);

/// The issuer that tokens name, and its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    pub issuer: String,
    /// A JSON Web Key Set (RFC 7517).
    pub jwks: Value,
}

#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    #[error("the API server does not tell by which keys it signs service-account tokens")]
    Ask(#[source] kube::Error),
    #[error("the API server does not answer within {} s", DEADLINE.as_secs())]
    Timeout,
    #[error("the API server's {0} cannot be read")]
    Answer(&'static str),
}

/// Asks the API server itself: its documents may name an address that only the outside reaches.
pub async fn issuer(connection: &Connection) -> Result<Issuer, IssuerError> {
    let asking = async {
        let configuration = get(connection, "/.well-known/openid-configuration").await?;
        let issuer = configuration["issuer"].as_str();
        let issuer = issuer.ok_or(IssuerError::Answer("OpenID configuration"))?.to_owned();
        let jwks = get(connection, "/openid/v1/jwks").await?;
        if !jwks["keys"].is_array() {
            return Err(IssuerError::Answer("key set"));
        }
        Ok(Issuer { issuer, jwks })
    };
    tokio::time::timeout(DEADLINE, asking).await.map_err(|_| IssuerError::Timeout)?
}

async fn get(connection: &Connection, path: &str) -> Result<Value, IssuerError> {
    let request = http::Request::get(path).body(Vec::new()).expect("a constant path is an address");
    let text = connection.client.request_text(request).await.map_err(IssuerError::Ask)?;
    serde_json::from_str(&text).map_err(|_| IssuerError::Answer("answer"))
}
