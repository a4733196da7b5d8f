//! One request with its redirects and retries, over connections that are trusted as far as the options say.
use super::error::{ERROR_BODY, Error, ErrorKind};
use super::name;
use super::options::{Options, Pace};
use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode, Url};
use seawall_model::time::{Clock, Millis};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Redirects of one request: registry, its content network, storage.
const REDIRECTS: usize = 5;
/// Tries where no connection comes about: a name that is wrong stays wrong.
const CONNECTIONS: u32 = 2;
/// Until an answer that is no blob must be whole: 8 MiB on a slow line.
const WHOLE: Duration = Duration::from_secs(120);
/// Longest wait before a try, where the registry asks for none.
const BACKOFF: Duration = Duration::from_secs(8);

pub(super) struct Call<'a> {
    /// As errors name it.
    pub(super) registry: &'a str,
    pub(super) step: &'a str,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<String>,
    /// To a metadata service of this machine's network: plain http, no proxy, one short try.
    pub(super) metadata: bool,
    /// A blob, which may take any time as long as it comes.
    pub(super) streamed: bool,
    /// It may lead to this machine's own addresses: who asks is there too, or was told the address by the user. What
    /// a registry elsewhere says must not reach what listens here for its neighbours alone.
    pub(super) near: bool,
}

impl<'a> Call<'a> {
    pub(super) fn get(registry: &'a str, step: &'a str, url: Url) -> Self {
        Self {
            registry,
            step,
            method: Method::GET,
            near: is_loopback(&url),
            url,
            headers: HeaderMap::new(),
            body: None,
            metadata: false,
            streamed: false,
        }
    }

    /// A form. Source: RFC 6749, appendix B.
    pub(super) fn form(
        registry: &'a str,
        step: &'a str,
        url: Url,
        fields: &[(&str, &str)],
    ) -> Self {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let mut call = Self::get(registry, step, url);
        call.method = Method::POST;
        call.header("content-type", "application/x-www-form-urlencoded");
        call.body = Some(body.finish());
        call
    }

    /// A value that no header can hold is left out; the answer then says what is missing.
    pub(super) fn header(&mut self, name: &'static str, value: &str) {
        if let Ok(mut value) = reqwest::header::HeaderValue::from_str(value) {
            value.set_sensitive(name == "authorization");
            self.headers.insert(name, value);
        }
    }

    pub(super) fn invalid(&self, reason: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, self.registry, self.step, reason)
    }
}

/// Why one try gave no answer.
enum Failure {
    /// No connection came about.
    Connect(Error),
    /// It may go better another time.
    Passing(Error),
    Final(Error),
}

pub(super) struct Transport {
    ca: Option<String>,
    insecure: Vec<String>,
    pub(super) pace: Pace,
    pub(super) clock: Arc<dyn Clock>,
    /// By whether a proxy is used, then by whether certificates are checked; made when first needed.
    clients: [[OnceLock<Client>; 2]; 2],
}

impl Transport {
    pub(super) fn new(options: &Options, clock: Arc<dyn Clock>) -> Self {
        // The first provider installed in the process stays; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            ca: options.ca.clone(),
            insecure: options.insecure.clone(),
            pace: options.pace.clone(),
            clock,
            clients: Default::default(),
        }
    }

    /// The answer, whatever its status but those that stay 429 or 5xx to the last try.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Response, Error> {
        let (mut tried, mut waited) = (0, Duration::ZERO);
        loop {
            tried += 1;
            let outcome = self.follow(call).await;
            let (most, asked) = match &outcome {
                Ok(answer) if is_passing(answer.status()) => {
                    (self.pace.tries, retry_after(answer.headers(), self.clock.now()))
                }
                Ok(_) | Err(Failure::Final(_)) => (0, None),
                Err(Failure::Connect(_)) => (CONNECTIONS.min(self.pace.tries), None),
                Err(Failure::Passing(_)) => (self.pace.tries, None),
            };
            let wait = asked.unwrap_or_else(|| self.backoff(tried));
            if tried < most && !call.metadata && waited + wait <= self.pace.patience {
                waited += wait;
                tokio::time::sleep(wait).await;
                continue;
            }
            return match outcome {
                Ok(answer) if is_passing(answer.status()) => {
                    Err(exhausted(refusal(call.registry, call.step, answer).await, tried, asked))
                }
                Ok(answer) => Ok(answer),
                Err(Failure::Connect(error) | Failure::Passing(error) | Failure::Final(error)) => {
                    Err(error)
                }
            };
        }
    }

    /// Whether https is spoken, if with a certificate that is not trusted; one try.
    pub(super) async fn speaks_tls(&self, call: &Call<'_>) -> bool {
        match self.follow(call).await {
            Ok(_) | Err(Failure::Final(_)) => true,
            Err(Failure::Connect(_) | Failure::Passing(_)) => false,
        }
    }

    /// Before try `tried + 1`.
    pub(super) fn backoff(&self, tried: u32) -> Duration {
        self.pace.wait.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(BACKOFF)
    }

    /// Whether plain http may be spoken with the host of `url`.
    pub(super) fn is_insecure(&self, url: &Url) -> bool {
        is_loopback(url) || self.is_named_insecure(url)
    }

    fn is_named_insecure(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let with_port = format!("{host}:{port}");
        self.insecure.iter().any(|named| *named == host || *named == with_port)
    }

    /// One try. Authorization stays with the host that it was made for: storage would refuse it, or keep it.
    async fn follow(&self, call: &Call<'_>) -> Result<Response, Failure> {
        let (mut url, mut headers) = (call.url.clone(), call.headers.clone());
        for _ in 0..=REDIRECTS {
            let client = self.client(call, &url).map_err(Failure::Final)?;
            let mut request = client.request(call.method.clone(), url.clone());
            request = request.headers(headers.clone());
            if !call.streamed {
                request = request.timeout(WHOLE);
            }
            if let Some(body) = &call.body {
                request = request.body(body.clone());
            }
            let answer = request.send().await.map_err(|error| failed(call, &url, error))?;
            if !answer.status().is_redirection() || call.method == Method::POST {
                return Ok(answer);
            }
            let next = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let Some(next) = next.and_then(|next| url.join(next).ok()) else { return Ok(answer) };
            if next.origin() != url.origin() {
                headers.remove(AUTHORIZATION);
            }
            url = next;
        }
        Err(Failure::Final(call.invalid(format!("it redirects over {REDIRECTS} times"))))
    }

    /// The client that trusts the host of `url` as the options say.
    fn client(&self, call: &Call<'_>, url: &Url) -> Result<&Client, Error> {
        let host = url.host_str().unwrap_or_default();
        if !matches!(url.scheme(), "http" | "https") {
            return Err(call.invalid(format!("it leads to a `{}` address", url.scheme())));
        }
        let (named, near) = (self.is_named_insecure(url), call.metadata || is_loopback(url));
        if url.scheme() == "http" && !named && !near {
            let reason = format!("it leads to plain http at {host}, which nothing protects");
            let help = format!("if that is meant, name the host: `--insecure-registry {host}`");
            return Err(call.invalid(reason).help(help));
        }
        if is_loopback(url) && !call.near && !named {
            let reason = format!("it leads to {host}, which is this machine");
            return Err(call.invalid(reason));
        }
        let (proxied, verified) = (!near, url.scheme() == "https" && !named);
        let cell = &self.clients[usize::from(proxied)][usize::from(verified)];
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let built = self.build(proxied, verified).map_err(|reason| call.invalid(reason))?;
        Ok(cell.get_or_init(|| built))
    }

    fn build(&self, proxied: bool, verified: bool) -> Result<Client, String> {
        let mut builder = Client::builder()
            .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.pace.connect)
            .read_timeout(self.pace.silence)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if !proxied {
            builder = builder.no_proxy();
        }
        if verified {
            let pem = self.ca.as_deref().unwrap_or_default();
            let own = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|error| format!("the CA given is no PEM: {error}"))?;
            if own.is_empty() && self.ca.is_some() {
                return Err("the CA given holds no certificate".to_owned());
            }
            builder = builder.tls_certs_merge(own);
        } else {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        builder.build().map_err(|error| format!("TLS cannot be set up: {error:?}"))
    }
}

fn failed(call: &Call<'_>, url: &Url, error: reqwest::Error) -> Failure {
    let connect = error.is_connect();
    let mut told = Error::unreachable(call.registry, call.step, error);
    let certificate = told.reason.contains("certificate");
    if url.origin() != call.url.origin() {
        let host = url.host_str().unwrap_or_default();
        told.reason = format!("at {host}, where it redirects to: {}", told.reason);
    }
    match (certificate, connect) {
        (true, _) => Failure::Final(told),
        (false, true) => Failure::Connect(told),
        (false, false) => Failure::Passing(told),
    }
}

/// The error that a non-success is, its body read up to a bound.
pub(super) async fn refusal(registry: &str, step: &str, answer: Response) -> Error {
    let status = answer.status();
    // A body that breaks off says what it said so far: nothing.
    let body = read(answer, ERROR_BODY).await.ok().flatten().unwrap_or_default();
    Error::answered(registry, step, status, &body)
}

/// The whole body; `None` if it is over `limit` bytes.
pub(super) async fn read(mut answer: Response, limit: u64) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn exhausted(mut error: Error, tried: u32, asked: Option<Duration>) -> Error {
    if tried > 1 {
        error.reason = format!("{} ({tried} tries)", error.reason).trim_start().to_owned();
    }
    if let Some(wait) = asked {
        error.help = Some(format!("it asks to wait {} s", wait.as_secs()));
    }
    error
}

fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

/// Seconds or a date. Source: RFC 9110, section 10.2.3.
fn retry_after(headers: &HeaderMap, now: Millis) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
    Some(Duration::from_millis(u64::try_from(until - now).unwrap_or(0)))
}

pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `scheme://host[:port]/v2/` of a registry.
pub(super) fn base(scheme: &str, registry: &str) -> Option<Url> {
    let host = if registry == name::HUB { "registry-1.docker.io" } else { registry };
    format!("{scheme}://{host}/v2/").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn waits() {
        #[track_caller]
        fn check(text: &str, expected: Option<u64>) {
            let headers =
                HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            // Sun, 06 Nov 1994 08:49:30 GMT
            let found = retry_after(&headers, 784_111_770_000);
            assert_eq!(found, expected.map(Duration::from_secs), "{text}");
        }
        check("7", Some(7));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(7));
        check("Sun, 06 Nov 1994 08:49:00 GMT", Some(0));
        check("soon", None);
        check("-1", None);
    }

    #[test]
    fn a_registry_elsewhere_does_not_lead_to_this_machine() {
        #[track_caller]
        fn check(from: &str, to: &str, refused: Option<&str>) {
            let clock = Arc::new(seawall_model::time::FixedClock::at(0));
            let options = Options { insecure: vec!["own.example".into()], ..Options::default() };
            let transport = Transport::new(&options, clock);
            let call = Call::get("r", "ask", from.parse().unwrap());
            let error = transport.client(&call, &to.parse().unwrap()).err();
            let reason = error.as_ref().map(|error| error.reason.as_str());
            assert_eq!(reason.is_some(), refused.is_some(), "{reason:?}");
            assert!(refused.is_none_or(|said| reason.unwrap().contains(said)), "{reason:?}");
        }
        let away = "https://r.example/v2/";
        check(away, "http://127.0.0.1:8001/", Some("it leads to 127.0.0.1, which is this machine"));
        check(away, "https://localhost/", Some("it leads to localhost, which is this machine"));
        check(away, "http://169.254.169.254/", Some("plain http at 169.254.169.254"));
        check("http://127.0.0.1:5000/v2/", "http://127.0.0.1:8001/", None);
        check(away, "http://own.example/", None);
    }

    #[test]
    fn who_is_trusted() {
        let options = Options {
            insecure: vec!["own.example".into(), "port.example:5000".into()],
            ..Options::default()
        };
        let transport = Transport::new(&options, Arc::new(seawall_model::time::FixedClock::at(0)));
        let check = |url: &str, expected: bool| {
            assert_eq!(transport.is_insecure(&url.parse().unwrap()), expected, "{url}");
        };
        check("http://own.example/v2/", true);
        check("https://own.example:5000/v2/", true);
        check("http://port.example:5000/", true);
        check("http://port.example/", false);
        check("http://sub.own.example/", false);
        check("http://localhost:5000/", true);
        check("http://127.0.0.2:5000/", true);
        check("http://[::1]:5000/", true);
        check("http://localhost.example/", false);
    }
}
