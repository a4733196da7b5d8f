//! Reads the hub's API, for commands that are no agents: by a token, over a certificate that leads to the hub's CA.
use crate::enrol::{DEADLINE, EnrolError, HubCa, address, exchange, problem};
use http_body_util::Full;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;

/// One page of at most 500 objects; exemptions take about 600 bytes each.
const MAX_PAGE_BYTES: usize = 16 << 20;

/// Who reads, and where.
pub struct Reader<'a> {
    /// `https://HOST:PORT` of the hub.
    pub hub: &'a str,
    pub ca: &'a HubCa,
    /// `swt_…`
    pub token: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Reach(#[from] EnrolError),
    /// The hub's own words.
    #[error("the hub refused: {detail}")]
    Refused { status: u16, detail: String },
    #[error("the hub's answer cannot be read")]
    Answer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Reader<'_> {
    /// The document at a path such as `/api/v1/exemptions?limit=500`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ReadError> {
        let address = address(self.hub)?;
        let request = http::Request::get(path)
            .header("host", &address)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Full::new(Bytes::new()))
            .map_err(|error| ReadError::Answer(error.into()))?;
        let asking = exchange(&address, self.ca.anchor()?, request, MAX_PAGE_BYTES);
        let (status, body) = tokio::time::timeout(DEADLINE, asking)
            .await
            .map_err(|_| EnrolError::Timeout { address: address.clone() })??;
        if (200..300).contains(&status) {
            return serde_json::from_slice(&body).map_err(|error| ReadError::Answer(error.into()));
        }
        Err(ReadError::Refused { status, detail: problem(&body).1 })
    }
}
