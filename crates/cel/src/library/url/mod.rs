//! `url(string)`: an absolute URI or path, read as Go's net/url reads it. Source: k8s.io/apiserver/pkg/cel/library/urls.go.
mod escape;
pub(super) mod functions;

use super::go_text::quote;
use super::ip;
use escape::{Mode, escape, unescape};
use std::fmt;
use std::net::IpAddr;

/// Parameters of a query; above it Go answers an empty map. Source: net/url since 1.26.
const MAX_PARAMETERS: usize = 10_000;

/// A parsed URL. Decoded parts are bytes: an escape may name what is no UTF-8.
#[derive(Clone, Default)]
pub(crate) struct Url {
    scheme: String,
    opaque: String,
    user: Option<User>,
    host: Vec<u8>,
    path: Encoded,
    query: String,
    fragment: Encoded,
    /// A lone `?` at the end, which the text keeps.
    force_query: bool,
    /// `scheme:/path`, without `//`.
    omit_host: bool,
}

/// As Go's `%v` prints it into messages.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

#[derive(Clone)]
struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

/// A decoded part, and its text where encoding it again would give another one.
#[derive(Clone, Default)]
struct Encoded {
    decoded: Vec<u8>,
    raw: Option<String>,
}

impl Url {
    /// Error: the API server's text.
    pub(crate) fn parse(text: &str) -> Result<Url, String> {
        let wrap = |text: &str, error| {
            format!("URL parse error during conversion from string: parse {}: {error}", quote(text))
        };
        // Go's request parser decides what is a URL, its general one what the parts are: only that knows fragments.
        request_uri(text).map_err(|error| wrap(text, error))?;
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = parse(rest, Strictness::Any).map_err(|error| wrap(rest, error))?;
        url.fragment = Encoded::new(fragment, Mode::Fragment).map_err(|error| wrap(text, error))?;
        Ok(url)
    }

    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// `host` or `host:port`; the host of an IPv6 address has brackets.
    pub(crate) fn host(&self) -> String {
        lossy(&self.host)
    }

    pub(crate) fn hostname(&self) -> String {
        let (host, _) = self.host_and_port();
        let inner = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]"));
        lossy(inner.unwrap_or(host))
    }

    /// Empty where none is written.
    pub(crate) fn port(&self) -> String {
        lossy(self.host_and_port().1)
    }

    pub(crate) fn escaped_path(&self) -> String {
        if self.path.raw.is_none() && self.path.decoded == b"*" {
            return "*".into();
        }
        self.path.encode(Mode::Path)
    }

    /// Names in the order of their first value. Parameters that do not decode are left out, as in Go.
    pub(crate) fn query(&self) -> Vec<(String, Vec<String>)> {
        let mut parameters: indexmap::IndexMap<String, Vec<String>> = indexmap::IndexMap::new();
        if self.query.matches('&').count() >= MAX_PARAMETERS {
            return Vec::new();
        }
        for parameter in self.query.split('&') {
            if parameter.is_empty() || parameter.contains(';') {
                continue;
            }
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let decode = |text| unescape(text, Mode::Query).ok();
            if let (Some(name), Some(value)) = (decode(name), decode(value)) {
                parameters.entry(lossy(&name)).or_default().push(lossy(&value));
            }
        }
        parameters.into_iter().collect()
    }

    fn host_and_port(&self) -> (&[u8], &[u8]) {
        match self.host.iter().rposition(|byte| *byte == b':') {
            Some(colon) if self.host[colon + 1..].iter().all(u8::is_ascii_digit) => {
                (&self.host[..colon], &self.host[colon + 1..])
            }
            _ => (&self.host, b""),
        }
    }

    /// The URL written out. Two URLs are equal where these texts are.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text.push_str(&self.scheme);
            text.push(':');
        }
        if self.opaque.is_empty() {
            self.write_authority(&mut text);
            let path = self.escaped_path();
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                text.push('/');
            }
            text.push_str(&path);
        } else {
            text.push_str(&self.opaque);
        }
        if self.force_query || !self.query.is_empty() {
            text.push('?');
            text.push_str(&self.query);
        }
        if !self.fragment.decoded.is_empty() {
            text.push('#');
            text.push_str(&self.fragment.encode(Mode::Fragment));
        }
        text
    }

    fn write_authority(&self, text: &mut String) {
        let named = !self.host.is_empty() || self.user.is_some();
        if (self.scheme.is_empty() || self.omit_host) && !named {
            return;
        }
        if named || !self.path.decoded.is_empty() {
            text.push_str("//");
        }
        if let Some(user) = &self.user {
            text.push_str(&escape(&user.name, Mode::UserPassword));
            if let Some(password) = &user.password {
                text.push(':');
                text.push_str(&escape(password, Mode::UserPassword));
            }
            text.push('@');
        }
        text.push_str(&escape(&self.host, Mode::Host));
    }
}

impl Encoded {
    fn new(text: &str, mode: Mode) -> Result<Encoded, String> {
        let decoded = unescape(text, mode)?;
        let raw = (escape(&decoded, mode) != text).then(|| text.to_owned());
        Ok(Encoded { decoded, raw })
    }

    /// The text as written, if it is a valid encoding, else a fresh one.
    fn encode(&self, mode: Mode) -> String {
        match &self.raw {
            Some(raw) if escape::is_valid(raw, mode) => raw.clone(),
            _ => escape(&self.decoded, mode),
        }
    }
}

/// Whether Go's `ParseRequestURI` takes the text. Error: its text, as `format.uri()` reports it.
pub(super) fn is_request_uri(text: &str) -> Result<(), String> {
    request_uri(text).map_err(|error| format!("parse {}: {error}", quote(text)))
}

fn request_uri(text: &str) -> Result<(), String> {
    parse(text, Strictness::Request).map(|_| ())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// Absolute URIs and absolute paths.
    Request,
    /// Any reference.
    Any,
}

fn parse(text: &str, strictness: Strictness) -> Result<Url, String> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".into());
    }
    if text.is_empty() && strictness == Strictness::Request {
        return Err("empty url".into());
    }
    let mut url = Url::default();
    if text == "*" {
        url.path.decoded = b"*".to_vec();
        return Ok(url);
    }
    let (scheme, rest) = split_scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let mut rest = match rest.strip_suffix('?') {
        Some(before) if !before.contains('?') => {
            url.force_query = true;
            before
        }
        _ => {
            let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
            url.query = query.to_owned();
            rest
        }
    };
    if !rest.starts_with('/') {
        if !url.scheme.is_empty() {
            url.opaque = rest.to_owned();
            return Ok(url);
        }
        if strictness == Strictness::Request {
            return Err("invalid URI for request".into());
        }
        if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return Err("first path segment in URL cannot contain colon".into());
        }
    }
    let relative = strictness == Strictness::Any && !rest.starts_with("///");
    match rest.strip_prefix("//") {
        Some(after) if !url.scheme.is_empty() || relative => {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at(end);
            (url.user, url.host) = split_authority(&url.scheme, authority)?;
            rest = path;
        }
        _ => url.omit_host = !url.scheme.is_empty() && rest.starts_with('/'),
    }
    url.path = Encoded::new(rest, Mode::Path)?;
    Ok(url)
}

/// Scheme and rest; no scheme where the text before the colon could not be one.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && !"+-.".contains(letter));
    match end {
        Some(0) if text.starts_with(':') => Err("missing protocol scheme".into()),
        Some(end) if text[end..].starts_with(':') && text.as_bytes()[0].is_ascii_alphabetic() => {
            Ok((&text[..end], &text[end + 1..]))
        }
        _ => Ok(("", text)),
    }
}

fn split_authority(scheme: &str, authority: &str) -> Result<(Option<User>, Vec<u8>), String> {
    let Some((user, host)) = authority.rsplit_once('@') else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let host = parse_host(scheme, host)?;
    if !user
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(letter))
    {
        return Err("net/url: invalid userinfo".into());
    }
    let decode = |text| unescape(text, Mode::UserPassword);
    let user = match user.split_once(':') {
        Some((name, password)) => User { name: decode(name)?, password: Some(decode(password)?) },
        None => User { name: decode(user)?, password: None },
    };
    Ok((Some(user), host))
}

fn parse_host(scheme: &str, host: &str) -> Result<Vec<u8>, String> {
    match host.rfind('[') {
        Some(0) => return parse_ip_literal(host),
        Some(_) => return Err("invalid IP-literal".into()),
        None => {}
    }
    let strict = scheme == "http" || scheme == "https";
    if let Some(colon) = if strict { host.find(':') } else { host.rfind(':') } {
        check_port(&host[colon..])?;
    }
    unescape(host, Mode::Host)
}

fn parse_ip_literal(host: &str) -> Result<Vec<u8>, String> {
    let close = host.rfind(']').ok_or("missing ']' in host")?;
    let (inner, port) = (&host[1..close], &host[close + 1..]);
    check_port(port)?;
    let port = unescape(port, Mode::Host)?;
    let address = match inner.find("%25") {
        Some(zone) => {
            let mut address = unescape(&inner[..zone], Mode::Host)?;
            address.extend(unescape(&inner[zone..], Mode::Zone)?);
            address
        }
        None => unescape(inner, Mode::Host)?,
    };
    match ip::parse_with_zone(&lossy(&address)) {
        Err(error) => return Err(format!("invalid host: {error}")),
        Ok((IpAddr::V4(_), _)) => return Err("invalid IP-literal".into()),
        Ok(_) => {}
    }
    Ok([b"[", &address[..], b"]", &port[..]].concat())
}

fn check_port(port: &str) -> Result<(), String> {
    let digits = port.strip_prefix(':').map(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    match digits {
        Some(true) => Ok(()),
        None if port.is_empty() => Ok(()),
        _ => Err(format!("invalid port {} after host", quote(port))),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
