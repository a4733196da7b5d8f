//! What a registry asks of who asks, and where the answer comes from.
//!
//! ```text
//! 401 ─challenge─► options, files, helpers, cloud ─Credential─► token server ─► Authorization, kept until it expires
//! ```
mod challenge;
mod files;
mod helper;
mod token;

#[cfg(test)]
mod tests;

use super::cloud;
use super::credential::{Credential, Secret};
use super::error::{Error, ErrorKind};
use super::options::{Environment, Options};
use super::transport::Transport;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use challenge::Challenge;
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Seconds before its end from which something is not used any more: a request takes a while.
const MARGIN: Duration = Duration::from_secs(10);

/// Who asks what of whom.
pub(super) struct Place<'a> {
    /// `host[:port]` as credentials are kept for it.
    pub(super) host: &'a str,
    /// `https://host/v2/`.
    pub(super) base: &'a Url,
    pub(super) repository: &'a str,
    pub(super) scope: &'a str,
    pub(super) step: &'a str,
    pub(super) transport: &'a Transport,
}

impl Place<'_> {
    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        Error::new(ErrorKind::Credential, self.host, self.step, reason)
    }
}

/// A credential, who gave it, and until when it is good.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) credential: Credential,
    /// As errors name it: a file, a helper, a cloud.
    pub(super) from: String,
    pub(super) until: Option<Instant>,
}

/// An `Authorization` for one scope of one host.
struct Header {
    value: Secret,
    until: Option<Instant>,
}

pub(super) struct Authenticator {
    explicit: BTreeMap<String, Credential>,
    environment: Environment,
    /// `host/repository` → what was found, which may be nothing.
    found: Mutex<HashMap<String, Option<Found>>>,
    /// Host and scope → what was taken last.
    headers: Mutex<HashMap<(String, String), Header>>,
}

impl Authenticator {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            explicit: options.credentials.clone(),
            environment: options.environment.clone(),
            found: Mutex::default(),
            headers: Mutex::default(),
        }
    }

    /// What worked before and still should.
    pub(super) fn known(&self, place: &Place<'_>) -> Option<Secret> {
        let headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        let header = headers.get(&key(place))?;
        is_current(header.until).then(|| header.value.clone())
    }

    /// The authorization that a 401 asks for; `None` where there is nothing to answer with.
    pub(super) async fn answer(
        &self,
        place: &Place<'_>,
        headers: &HeaderMap,
    ) -> Result<Option<Secret>, Error> {
        let asked: Vec<_> = headers
            .get_all("www-authenticate")
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(challenge::parse)
            .collect();
        let bearer = asked.iter().find_map(|challenge| match challenge {
            Challenge::Bearer { realm, service, scope } => Some((realm, service, scope)),
            _ => None,
        });
        let header = if let Some((realm, service, scope)) = bearer {
            let credential = self.credential(place).await?;
            let ask = token::Ask { realm, service: service.as_deref(), scope: scope.as_deref() };
            Some(token::header(place, &ask, credential.as_ref()).await?)
        } else if asked.contains(&Challenge::Basic) {
            self.credential(place).await?.and_then(|found| match found.credential {
                Credential::Basic { user, password } => {
                    Some(Header { value: basic(&user, &password), until: found.until })
                }
                // A server that wants passwords has no use for tokens.
                Credential::Identity(_) | Credential::Bearer(_) => None,
            })
        } else {
            None
        };
        let value = header.as_ref().map(|header| header.value.clone());
        let mut headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        match header {
            Some(header) => headers.insert(key(place), header),
            None => headers.remove(&key(place)),
        };
        Ok(value)
    }

    /// The refusal with what can be done about it. What was refused is not sent again.
    pub(super) fn explain(&self, place: &Place<'_>, error: Error) -> Error {
        if error.kind != ErrorKind::Credential {
            return error;
        }
        self.headers.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(place));
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let found = found.get(&found_key(place)).and_then(Option::as_ref);
        let host = place.host;
        error.help(match found {
            Some(found) => {
                let from = &found.from;
                format!("the credential from {from} is not enough: log in again, or with more rights")
            }
            None => format!(
                "there is no credential for {host}: log in (`docker login {host}`), and check the name: registries \
                 answer so for what does not exist, too"
            ),
        })
    }

    /// By options, then files and helpers, then the cloud that the registry belongs to.
    async fn credential(&self, place: &Place<'_>) -> Result<Option<Found>, Error> {
        let kept = {
            let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.get(&found_key(place)).cloned()
        };
        if let Some(kept) = kept
            && kept.as_ref().is_none_or(|found| is_current(found.until))
        {
            return Ok(kept);
        }
        let found = self.look_up(place).await?;
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(found_key(place), found.clone());
        Ok(found)
    }

    async fn look_up(&self, place: &Place<'_>) -> Result<Option<Found>, Error> {
        if let Some(credential) = self.explicit.get(place.host) {
            let (credential, from) = (credential.clone(), "the configuration".to_owned());
            return Ok(Some(Found { credential, from, until: None }));
        }
        match files::look_up(place, &self.environment).await? {
            Some(found) => Ok(Some(found)),
            None => cloud::credential(place, &self.environment).await,
        }
    }
}

fn key(place: &Place<'_>) -> (String, String) {
    (place.host.to_owned(), place.scope.to_owned())
}

fn found_key(place: &Place<'_>) -> String {
    format!("{}/{}", place.host, place.repository)
}

fn is_current(until: Option<Instant>) -> bool {
    until.is_none_or(|until| Instant::now() + MARGIN < until)
}

/// Source: RFC 7617.
fn basic(user: &str, password: &Secret) -> Secret {
    Secret::from(format!("Basic {}", BASE64.encode(format!("{user}:{}", password.expose()))))
}

/// Parses what may hold secrets: an error says where alone, since serde's own would quote the value.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        format!("malformed JSON at line {}, column {}", error.line(), error.column())
    })
}
