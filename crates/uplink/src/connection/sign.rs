//! Certificates that the hub signs for the agent's cluster.
use super::{CONNECT_DEADLINE, chain};
use crate::identity::{Identity, IdentityError, certificate_pem, key_and_request};
use seawall_wire::v1;
use seawall_wire::v1::hub_client::HubClient;
use std::time::Duration;
use tokio::sync::watch;
use tonic::transport::Channel;

/// How long a request waits for a connection to the hub.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the hub is not connected")]
    Away,
    #[error("{0}")]
    Connect(String),
    #[error("the hub did not answer")]
    Silent,
    #[error("the hub signs no certificate: {0}")]
    Refused(String),
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// A key made here, and what the hub signed for it; all PEM.
#[derive(Clone)]
pub struct Signed {
    pub certificate_pem: String,
    pub key_pem: String,
    /// The certificate's CA, and while it rotates the other one.
    pub ca_pem: String,
}

/// Has the hub sign by a connection made for this alone: the agent whose identity it is goes on undisturbed.
pub async fn sign(
    identity: &Identity,
    purpose: v1::SignPurpose,
    names: &[String],
) -> Result<Signed, SignError> {
    let channel = super::dial(identity).await;
    let channel = channel.map_err(|error| SignError::Connect(chain(&error)))?;
    ask(HubClient::new(channel), purpose, names).await
}

pub(super) async fn by_connection(
    mut hub: watch::Receiver<Option<HubClient<Channel>>>,
    purpose: v1::SignPurpose,
    names: &[String],
) -> Result<Signed, SignError> {
    let connected = tokio::time::timeout(PATIENCE, hub.wait_for(Option::is_some)).await;
    let client = connected.map_err(|_| SignError::Away)?.map_err(|_| SignError::Away)?.clone();
    ask(client.ok_or(SignError::Away)?, purpose, names).await
}

async fn ask(
    mut client: HubClient<Channel>,
    purpose: v1::SignPurpose,
    names: &[String],
) -> Result<Signed, SignError> {
    let name = names.first().map_or("seawall", String::as_str);
    let (key_pem, csr_der, _) = key_and_request(name)?;
    let request = v1::SignRequest { csr_der, purpose: purpose.into(), names: names.to_vec() };
    let reply = tokio::time::timeout(CONNECT_DEADLINE, client.sign(request)).await;
    let reply = reply.map_err(|_| SignError::Silent)?;
    let reply = reply.map_err(|status| SignError::Refused(chain(&status)))?.into_inner();
    Ok(Signed {
        certificate_pem: certificate_pem(&reply.certificate_der),
        key_pem,
        ca_pem: reply.ca_der.iter().map(|der| certificate_pem(der)).collect(),
    })
}
