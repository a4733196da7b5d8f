//! Idempotency keys of POST requests, and settings such as the hub's own keys.
use crate::error::Result;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// First time: do it, then [`Idempotency::finish_request`].
    Fresh,
    /// Done before: answer the same.
    Replay { status: u16, body: Vec<u8> },
    /// The key was used with another body.
    Mismatch,
    /// The first request still runs.
    Running,
}

pub trait Idempotency {
    /// Keys belong to one principal. A claim whose hub died is free again after five minutes.
    async fn claim_request(&self, principal: &str, key: &str, body_digest: &str) -> Result<Claim>;
    async fn finish_request(
        &self,
        principal: &str,
        key: &str,
        status: u16,
        body: &[u8],
    ) -> Result<()>;
    /// The request failed in a way that may be tried again.
    async fn release_request(&self, principal: &str, key: &str) -> Result<()>;
    /// Forgets keys older than 24 hours; returns how many.
    async fn purge_requests(&self) -> Result<u64>;
}

pub trait Settings {
    async fn setting(&self, key: &str) -> Result<Option<Vec<u8>>>;
    async fn set_setting(&self, key: &str, value: &[u8]) -> Result<()>;
    /// Keeps what is there: of two hubs that start together both get the first one's value.
    async fn setting_or_insert(&self, key: &str, value: &[u8]) -> Result<Vec<u8>>;
}
