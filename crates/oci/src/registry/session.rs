//! Requests to a registry's API: at its mirrors, then at itself, with what authorization each asks for.
//! Source: OCI distribution specification v1.1; Docker registry HTTP API v2.
use super::auth::{Authenticator, Place};
use super::error::{Error, ErrorKind};
use super::options::Options;
use super::transport::{self, Call, Transport};
use crate::bounds;
use reqwest::{Method, Response, StatusCode, Url};
use seawall_model::time::Clock;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a mirror that could not be reached is passed over.
const DOWN: Duration = Duration::from_secs(60);

/// One question to a registry's API.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) registry: String,
    /// Empty for the registry itself.
    pub(super) repository: String,
    /// Below the repository, such as `manifests/latest`.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) method: Method,
    pub(super) accept: &'static str,
    /// A blob rather than a document.
    pub(super) streamed: bool,
    /// Bytes of the answer that are already there.
    pub(super) from: u64,
    /// As errors name it: `get manifest of …`.
    pub(super) step: String,
    /// Source: Docker registry token scope documentation.
    pub(super) scope: String,
}

impl Ask {
    pub(super) fn pull(registry: &str, repository: &str, path: String, step: String) -> Self {
        Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            path,
            query: Vec::new(),
            method: Method::GET,
            accept: "*/*",
            streamed: false,
            from: 0,
            step,
            scope: format!("repository:{repository}:pull"),
        }
    }
}

/// Where a registry's API is served: a mirror's, or its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// `host[:port]`, by which credentials are kept and errors name it.
    pub(super) host: String,
    /// `None`: https, or what an insecure host speaks.
    scheme: Option<&'static str>,
    /// Before the repository; ends in a slash or is empty.
    prefix: String,
}

impl Endpoint {
    pub(super) fn own(registry: &str) -> Self {
        Self { host: registry.to_owned(), scheme: None, prefix: String::new() }
    }

    /// `[http://]host[:port][/prefix]`.
    fn mirror(text: &str) -> Self {
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some("http"), rest),
            Some((_, rest)) => (Some("https"), rest),
            None => (None, text),
        };
        let (host, prefix) = rest.trim_end_matches('/').split_once('/').unwrap_or((rest, ""));
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { host: host.trim_end_matches('/').to_owned(), scheme, prefix }
    }
}

pub(super) struct Session {
    pub(super) transport: Transport,
    auth: Authenticator,
    mirrors: BTreeMap<String, Vec<String>>,
    /// Host → its API's address.
    bases: Mutex<HashMap<String, Url>>,
    /// Mirror → when it could not be reached.
    down: Mutex<HashMap<String, Instant>>,
}

impl Session {
    pub(super) fn new(options: &Options, clock: Arc<dyn Clock>) -> Self {
        Self {
            transport: Transport::new(options, clock),
            auth: Authenticator::new(options),
            mirrors: options.mirrors.clone(),
            bases: Mutex::default(),
            down: Mutex::default(),
        }
    }

    /// A successful answer of the first mirror that gives one, or of the registry. The registry's own error counts,
    /// with what its mirrors said before.
    pub(super) async fn request(&self, ask: &Ask) -> Result<Response, Error> {
        let mut failed = String::new();
        for mirror in self.mirrors.get(&ask.registry).into_iter().flatten() {
            let mirror = Endpoint::mirror(mirror);
            if self.is_down(&mirror.host) {
                continue;
            }
            match self.at(&mirror, ask, None).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let status = error.status.map_or(String::new(), |status| format!("{status} "));
                    failed.push_str(&format!("; mirror {}: {status}{}", mirror.host, error.reason));
                    if error.kind == ErrorKind::Unreachable {
                        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
                        down.insert(mirror.host, Instant::now());
                    }
                }
            }
        }
        self.at(&Endpoint::own(&ask.registry), ask, None).await.map_err(|mut error| {
            error.reason.push_str(failed.trim_end());
            error
        })
    }

    /// The whole of a small document with the media type that was said of it; `None` if it is too long.
    pub(super) async fn document(&self, ask: &Ask) -> Result<(Vec<u8>, String), Error> {
        let mut tried = 0;
        loop {
            tried += 1;
            let answer = self.request(ask).await?;
            let media_type = header(&answer, "content-type").unwrap_or_default();
            match transport::read(answer, bounds::DOCUMENT).await {
                Ok(Some(body)) => return Ok((body, media_type)),
                Ok(None) => {
                    let reason = format!("it is over the limit of {} bytes", bounds::DOCUMENT);
                    return Err(Error::new(ErrorKind::Invalid, &ask.registry, &ask.step, reason));
                }
                Err(_) if tried < self.transport.pace.tries => {
                    tokio::time::sleep(self.transport.backoff(tried)).await;
                }
                Err(error) => return Err(Error::unreachable(&ask.registry, &ask.step, error)),
            }
        }
    }

    /// A successful answer of `endpoint`, to `page` instead of the ask's own path if there is one.
    pub(super) async fn at(
        &self,
        endpoint: &Endpoint,
        ask: &Ask,
        page: Option<&Url>,
    ) -> Result<Response, Error> {
        let base = self.base(endpoint, ask).await?;
        let url = match page {
            Some(page) => page.clone(),
            None => address(&base, &endpoint.prefix, ask),
        };
        let place = Place {
            host: &endpoint.host,
            base: &base,
            repository: &ask.repository,
            scope: &ask.scope,
            step: &ask.step,
            transport: &self.transport,
        };
        let (mut authorization, mut answered) = (self.auth.known(&place), false);
        loop {
            let mut call = Call::get(&endpoint.host, &ask.step, url.clone());
            call.method = ask.method.clone();
            (call.streamed, call.near) = (ask.streamed, transport::is_loopback(&base));
            call.header("accept", ask.accept);
            // What was compressed on the way would have another digest.
            call.header("accept-encoding", "identity");
            if ask.from > 0 {
                call.header("range", &format!("bytes={}-", ask.from));
            }
            if let Some(authorization) = &authorization {
                call.header("authorization", authorization.expose());
            }
            let answer = self.transport.send(&call).await?;
            if answer.status().is_success() {
                return Ok(answer);
            }
            if answer.status() == StatusCode::UNAUTHORIZED && !answered {
                authorization = self.auth.answer(&place, answer.headers()).await?;
                answered = true;
                if authorization.is_some() {
                    continue;
                }
            }
            let error = transport::refusal(&endpoint.host, &ask.step, answer).await;
            return Err(self.auth.explain(&place, error));
        }
    }

    /// `scheme://host/v2/`: https; of an insecure host http, if it does not speak https.
    pub(super) async fn base(&self, endpoint: &Endpoint, ask: &Ask) -> Result<Url, Error> {
        let host = &endpoint.host;
        let known = self.bases.lock().unwrap_or_else(PoisonError::into_inner).get(host).cloned();
        if let Some(base) = known {
            return Ok(base);
        }
        let address = |scheme| {
            transport::base(scheme, host).ok_or_else(|| {
                Error::new(ErrorKind::Invalid, host, &ask.step, "its host is not well formed")
            })
        };
        let mut base = address(endpoint.scheme.unwrap_or("https"))?;
        if endpoint.scheme.is_none() && self.transport.is_insecure(&base) {
            let probe = Call::get(host, &ask.step, base.clone());
            if !self.transport.speaks_tls(&probe).await {
                base = address("http")?;
            }
        }
        let mut bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        bases.insert(host.clone(), base.clone());
        Ok(base)
    }

    fn is_down(&self, host: &str) -> bool {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.get(host).is_some_and(|since| since.elapsed() < DOWN)
    }
}

pub(super) fn address(base: &Url, prefix: &str, ask: &Ask) -> Url {
    let repository = match ask.repository.as_str() {
        "" => String::new(),
        repository => format!("{prefix}{repository}/"),
    };
    let mut url = base.clone();
    url.set_path(&format!("{}{repository}{}", base.path(), ask.path));
    if !ask.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&ask.query);
    }
    url
}

/// A header that is text.
pub(super) fn header(answer: &Response, name: &str) -> Option<String> {
    answer.headers().get(name)?.to_str().ok().map(str::to_owned)
}

#[test]
fn mirrors() {
    #[track_caller]
    fn check(text: &str, host: &str, scheme: Option<&'static str>, prefix: &str) {
        let expected = Endpoint { host: host.to_owned(), scheme, prefix: prefix.to_owned() };
        assert_eq!(Endpoint::mirror(text), expected);
    }
    check("mirror.example", "mirror.example", None, "");
    check("mirror.example/", "mirror.example", None, "");
    check("http://mirror.example:5000", "mirror.example:5000", Some("http"), "");
    check("https://harbor.example/hub/", "harbor.example", Some("https"), "hub/");
}
