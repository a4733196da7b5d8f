//! What went wrong with a registry: which one, at which step, what it said, and what to do.
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// Bytes of an error's body that are read; registries send a few hundred.
pub(super) const ERROR_BODY: u64 = 16 * 1024;
/// Characters of it that are shown: one line of a terminal or two.
const SHOWN: usize = 300;

/// What a caller branches on, and a hub shows as a registry's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no credential, or it is not taken, or it may not do this.
    Credential,
    NotFound,
    RateLimited,
    /// No answer, no trusted connection, or one that only says that the server is broken.
    Unreachable,
    /// An answer or a document that is not what it should be.
    Invalid,
}

/// One line says all of it; there is no source beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    /// `host[:port]` as credentials are kept for it.
    pub registry: String,
    /// What was tried: `get manifest of library/alpine:3.19`.
    pub step: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    pub reason: String,
    /// What to do next.
    pub help: Option<String>,
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "registry {}: cannot {}", self.registry, self.step)?;
        if let Some(status) = self.status.and_then(|status| StatusCode::from_u16(status).ok()) {
            write!(f, ": it answered {}", status.as_u16())?;
            status.canonical_reason().iter().try_for_each(|reason| write!(f, " {reason}"))?;
        }
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

impl Error {
    pub(super) fn new(
        kind: ErrorKind,
        registry: &str,
        step: &str,
        reason: impl Into<String>,
    ) -> Self {
        let (registry, step) = (registry.to_owned(), step.to_owned());
        Self { kind, registry, step, status: None, reason: reason.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// An answer that is no success, with what its body says.
    pub(super) fn answered(registry: &str, step: &str, status: StatusCode, body: &[u8]) -> Self {
        let (kind, help) = match status {
            StatusCode::UNAUTHORIZED => (ErrorKind::Credential, None),
            StatusCode::FORBIDDEN => {
                (ErrorKind::Credential, Some("the credential in use needs the right to pull"))
            }
            StatusCode::NOT_FOUND => (ErrorKind::NotFound, None),
            StatusCode::TOO_MANY_REQUESTS => {
                (ErrorKind::RateLimited, Some("try again later, log in, or name a mirror"))
            }
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                (ErrorKind::Unreachable, Some("try again later"))
            }
            _ => (ErrorKind::Invalid, None),
        };
        let error = Self::new(kind, registry, step, said(body));
        Self { status: Some(status.as_u16()), help: help.map(str::to_owned), ..error }
    }

    /// No answer. Addresses are left out of it: those of storage are signed, so they are secrets.
    pub(super) fn unreachable(registry: &str, step: &str, error: reqwest::Error) -> Self {
        let timeout = error.is_timeout();
        let reason = chain(&error.without_url());
        let help = if reason.contains("CaUsedAsEndEntity") {
            "its certificate is that of a CA (`openssl req -x509` makes such ones), which stands for no server: sign \
             one for the server with it, or name the host as insecure (`--insecure-registry HOST`)"
        } else if reason.contains("certificate") {
            "its certificate is not trusted: name the CA that signed it (`--ca FILE`), or the host as insecure \
             (`--insecure-registry HOST`)"
        } else if reason.contains("InvalidContentType") || reason.contains("corrupt message") {
            "it seems to speak plain http: name the host as insecure (`--insecure-registry HOST`)"
        } else if timeout {
            "it gave no answer in time: check the network and proxies"
        } else {
            "check the host's name, the network and proxies"
        };
        Self::new(ErrorKind::Unreachable, registry, step, escaped(&reason)).help(help)
    }
}

/// The causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

#[derive(Deserialize)]
struct Body {
    errors: Option<Vec<Item>>,
    /// OAuth2. Source: RFC 6749, section 5.2.
    error: Option<Value>,
    error_description: Option<String>,
    /// Docker Hub, AWS.
    details: Option<Value>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// What a body says in words, short and escaped. Source: OCI distribution specification, "Error Codes".
pub(super) fn said(body: &[u8]) -> String {
    let Ok(parsed) = serde_json::from_slice::<Body>(body) else {
        let text = String::from_utf8_lossy(body);
        // A page is for browsers.
        let page = text.trim_start().starts_with('<');
        return if page { String::new() } else { escaped(text.trim()) };
    };
    let mut parts: Vec<String> = Vec::new();
    for item in parsed.errors.into_iter().flatten() {
        parts.push(format!("{}: {}", item.code, item.message));
    }
    let word = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    parts.extend(parsed.error.map(word));
    parts.extend(parsed.error_description);
    parts.extend(parsed.details.map(word));
    parts.extend(parsed.message);
    escaped(&parts.join("; "))
}

fn escaped(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(visible).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters as escapes; quotes and letters stay as they are.
fn visible(character: char) -> impl Iterator<Item = char> {
    let shown = match character {
        '"' | '\'' | '\\' => character.to_string(),
        other => other.escape_debug().to_string(),
    };
    shown.chars().collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        #[track_caller]
        fn check(body: &str, expected: &str) {
            assert_eq!(said(body.as_bytes()), expected);
        }
        check(
            r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]}"#,
            "MANIFEST_UNKNOWN: manifest unknown",
        );
        check(
            r#"{"error":"invalid_grant","error_description":"expired"}"#,
            "invalid_grant; expired",
        );
        check(r#"{"details":"incorrect username or password"}"#, "incorrect username or password");
        check("<html>no</html>", "");
        check("plain \u{1b}[31m\n", "plain \\u{1b}[31m");
        check(&"a".repeat(400), &format!("{}…", "a".repeat(300)));
        check("", "");
    }

    #[test]
    fn one_line_says_all() {
        let body = br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
        let error = Error::answered("r.example", "get x", StatusCode::TOO_MANY_REQUESTS, body);
        assert_eq!(
            error.to_string(),
            "registry r.example: cannot get x: it answered 429 Too Many Requests: TOOMANYREQUESTS: slow down; try \
             again later, log in, or name a mirror"
        );
        assert_eq!(error.kind, ErrorKind::RateLimited);
    }
}
