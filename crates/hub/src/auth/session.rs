//! Cookies, bearer tokens and the origin of browser writes.
use http::{HeaderMap, HeaderValue, header};
use seawall_model::Millis;
use sha2::{Digest, Sha256};

/// A session ends after this, however much it is used.
pub(crate) const SESSION_LIFE: Millis = 12 * 60 * 60 * 1000;
/// A session that was unused for this long ends.
pub(crate) const SESSION_IDLE: Millis = 60 * 60 * 1000;

/// The prefix makes browsers refuse it without `Secure`, with a `Domain`, or from a subdomain. Source: RFC 6265bis, 4.1.3.
pub(crate) const COOKIE: &str = "__Host-seawall";

/// The text before every API token, so that secret scanners know it.
pub(crate) const TOKEN_PREFIX: &str = "swt_";
/// The text before every enrolment token.
pub(crate) const ENROLMENT_PREFIX: &str = "swe_";

/// What a request brings to show who sent it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credential<'a> {
    Cookie(&'a str),
    Bearer(&'a str),
}

/// A bearer token wins over a cookie: the sender chose it on purpose.
pub(crate) fn credential(headers: &HeaderMap) -> Option<Credential<'_>> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(authorization) = authorization {
        let (scheme, token) = authorization.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| Credential::Bearer(token.trim()));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| Credential::Cookie(value))
}

/// Only digests are stored: who reads the database cannot sign in with what is there.
pub(crate) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// `Set-Cookie` of a new session.
pub(crate) fn set_cookie(secret: &str) -> HeaderValue {
    let life = SESSION_LIFE / 1000;
    let text =
        format!("{COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={life}");
    HeaderValue::from_str(&text).expect("a secret is URL-safe base64")
}

/// `Set-Cookie` that forgets the session.
pub(crate) fn clear_cookie() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-seawall=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    )
}

/// Whether a browser sent this from a page of the hub itself. `base_url` is the hub's public address where a proxy
/// stands in between; without it the `Host` that was asked counts.
pub(crate) fn is_same_origin(
    headers: &HeaderMap,
    host: Option<&str>,
    base_url: Option<&str>,
) -> bool {
    let Some(origin) = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) else {
        return false;
    };
    match (base_url, host) {
        (Some(base_url), _) => origin.eq_ignore_ascii_case(base_url.trim_end_matches('/')),
        (None, Some(host)) => {
            origin.strip_prefix("https://").is_some_and(|rest| rest.eq_ignore_ascii_case(host))
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[track_caller]
    fn check_credential(pairs: &[(header::HeaderName, &str)], expected: Option<Credential<'_>>) {
        assert_eq!(credential(&headers(pairs)), expected);
    }

    #[test]
    fn credentials_come_from_one_cookie_or_a_bearer_token() {
        use header::{AUTHORIZATION, COOKIE};
        check_credential(&[], None);
        check_credential(&[(COOKIE, "a=b; __Host-seawall=s; c=d")], Some(Credential::Cookie("s")));
        check_credential(&[(COOKIE, "seawall=s")], None);
        check_credential(
            &[(COOKIE, "a=b"), (COOKIE, "__Host-seawall=s")],
            Some(Credential::Cookie("s")),
        );
        check_credential(&[(AUTHORIZATION, "bearer t")], Some(Credential::Bearer("t")));
        check_credential(&[(AUTHORIZATION, "Basic t"), (COOKIE, "__Host-seawall=s")], None);
        let both = [(AUTHORIZATION, "Bearer t"), (COOKIE, "__Host-seawall=s")];
        check_credential(&both, Some(Credential::Bearer("t")));
    }

    #[track_caller]
    fn check_origin(origin: Option<&str>, host: Option<&str>, base_url: Option<&str>, same: bool) {
        let pairs: Vec<_> = origin.map(|origin| (header::ORIGIN, origin)).into_iter().collect();
        assert_eq!(is_same_origin(&headers(&pairs), host, base_url), same);
    }

    #[test]
    fn only_the_hubs_own_pages_are_the_same_origin() {
        let host = Some("hub:8443");
        check_origin(Some("https://hub:8443"), host, None, true);
        check_origin(Some("https://HUB:8443"), host, None, true);
        check_origin(None, host, None, false);
        check_origin(Some("null"), host, None, false);
        check_origin(Some("http://hub:8443"), host, None, false);
        check_origin(Some("https://hub:8443.evil.example"), host, None, false);
        check_origin(Some("https://evil.example"), host, None, false);
        check_origin(Some("https://seawall.example"), host, Some("https://seawall.example/"), true);
        check_origin(Some("https://hub:8443"), host, Some("https://seawall.example"), false);
        check_origin(Some("https://hub:8443"), None, None, false);
    }
}
