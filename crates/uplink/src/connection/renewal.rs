//! Renewal of the certificate while the stream goes on: when it is due, and the request.
use super::{CONNECT_DEADLINE, ConnectionError};
use crate::identity::{Identity, certificate_pem, key_and_request};
use seawall_model::Millis;
use seawall_model::time::Clock;
use seawall_wire::v1;
use seawall_wire::v1::hub_client::HubClient;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Interval};
use tonic::transport::Channel;

/// Renewal starts with this part of the certificate's life left.
const RENEW_AT: f64 = 0.25;
/// Some agents start up to this part of a life later: a fleet that enrolled together must not renew together.
const RENEW_SPREAD: f64 = 0.05;
/// How often the certificate is looked at; its life is days.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// A hub that refuses or fails is asked again after this; a quarter of a life is long.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// No two renewals within this: under a clock that is days ahead every certificate looks expired.
const PAUSE: Duration = Duration::from_secs(10 * 60);

type Reply = Pin<Box<dyn Future<Output = Result<Identity, ConnectionError>> + Send>>;

/// Watches one connection's certificate.
pub(super) struct Renewal {
    client: HubClient<Channel>,
    identity: Identity,
    name: String,
    clock: Arc<dyn Clock>,
    /// When this process last renewed.
    last: Option<Instant>,
    check: Interval,
    running: Option<Reply>,
}

impl Renewal {
    pub(super) fn new(
        client: HubClient<Channel>,
        identity: Identity,
        name: String,
        clock: Arc<dyn Clock>,
        last: Option<Instant>,
    ) -> Self {
        let check = tokio::time::interval(CHECK_EVERY);
        Self { client, identity, name, clock, last, check, running: None }
    }

    /// Returns once there is a new certificate. What is under way goes on where a call was dropped.
    pub(super) async fn renewed(&mut self) -> Identity {
        loop {
            if let Some(running) = &mut self.running {
                let outcome = running.await;
                self.running = None;
                match outcome {
                    Ok(identity) => return identity,
                    Err(error) => {
                        tracing::warn!(error = super::chain(&error), "certificate not renewed");
                        self.check.reset_after(RETRY_AFTER);
                    }
                }
            }
            self.check.tick().await;
            if may_renew(self.last) && is_due(&self.identity, self.clock.now()) {
                let (client, identity) = (self.client.clone(), self.identity.clone());
                self.running = Some(Box::pin(request(client, identity, self.name.clone())));
            }
        }
    }
}

/// Whether the last renewal is long enough ago.
pub(super) fn may_renew(last: Option<Instant>) -> bool {
    last.is_none_or(|last| last.elapsed() >= PAUSE)
}

/// Such a certificate opens no stream any more, but it still renews.
pub(super) fn is_expired(identity: &Identity, now: Millis) -> bool {
    identity.validity().is_some_and(|(_, to)| to <= now)
}

fn is_due(identity: &Identity, now: Millis) -> bool {
    identity.validity().is_some_and(|validity| due(validity, &identity.agent_id, now))
}

/// The agent's id stands for chance: it differs from agent to agent and stays over restarts.
fn due((from, to): (Millis, Millis), agent: &str, now: Millis) -> bool {
    let later = f64::from(crc32fast::hash(agent.as_bytes())) / f64::from(u32::MAX);
    ((to - now) as f64) < (to - from) as f64 * (RENEW_AT - RENEW_SPREAD * later)
}

/// The identity with a new key and certificate.
pub(super) async fn request(
    mut client: HubClient<Channel>,
    mut identity: Identity,
    name: String,
) -> Result<Identity, ConnectionError> {
    let (key_pem, csr_der, _) = key_and_request(&name)?;
    let reply = client.renew(v1::RenewRequest { csr_der });
    let reply = tokio::time::timeout(CONNECT_DEADLINE, reply).await;
    let reply = reply.map_err(|_| ConnectionError::Silent(identity.hub.clone()))?;
    let reply = reply.map_err(ConnectionError::Renew)?.into_inner();
    identity.key_pem = key_pem;
    identity.certificate_pem = certificate_pem(&reply.certificate_der);
    if !reply.ca_der.is_empty() {
        identity.ca_pem = reply.ca_der.iter().map(|der| certificate_pem(der)).collect();
    }
    Ok(identity)
}

#[test]
fn agents_renew_with_a_quarter_of_life_left_and_not_together() {
    let starts = |agent: &str| (0..=1_000).find(|&now| due((0, 1_000), agent, now)).unwrap();
    let starts: Vec<Millis> = (0..50).map(|agent| starts(&format!("agent-{agent}"))).collect();
    assert!(starts.iter().all(|start| (750..=801).contains(start)), "{starts:?}");
    let mut apart = starts.clone();
    apart.sort_unstable();
    apart.dedup();
    assert!(apart.len() > 20, "{starts:?}");
}
