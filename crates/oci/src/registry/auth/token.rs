//! Access tokens from a registry's token server.
//! Source: Docker registry token authentication specification, and the same "with OAuth2".
use super::{Found, Header, Place, basic, parse};
use crate::registry::credential::{Credential, Secret};
use crate::registry::error::{Error, ErrorKind};
use crate::registry::transport::{self, Call};
use reqwest::Url;
use serde::Deserialize;
use std::time::{Duration, Instant};

/// Bytes of an answer; those with many groups in a token take some 10 KiB.
const ANSWER: u64 = 256 * 1024;
/// Seconds that a token is good for if the server does not say. Source: the specification, `expires_in`.
const LIFETIME: u64 = 60;

/// What a challenge says.
pub(super) struct Ask<'a> {
    pub(super) realm: &'a str,
    pub(super) service: Option<&'a str>,
    pub(super) scope: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// The `Authorization` that meets the challenge, bought with `found` if there is something.
pub(super) async fn header(
    place: &Place<'_>,
    ask: &Ask<'_>,
    found: Option<&Found>,
) -> Result<Header, Error> {
    if let Some(Found { credential: Credential::Bearer(token), until, .. }) = found {
        return Ok(Header { value: bearer(token.expose()), until: *until });
    }
    let Ok(realm) = place.base.join(ask.realm) else {
        let reason = "its challenge names a token server by no address";
        return Err(Error::new(ErrorKind::Invalid, place.host, place.step, reason));
    };
    let host = realm.host_str().unwrap_or_default().to_owned();
    let step = format!("{} (get a token from {host})", place.step);
    let mut call = request(place, ask, found, realm, &step);
    call.near = transport::is_loopback(place.base);
    let answer = place.transport.send(&call).await?;
    if !answer.status().is_success() {
        let error = transport::refusal(place.host, &step, answer).await;
        return Err(refused(error, place, found));
    }
    let body = transport::read(answer, ANSWER)
        .await
        .map_err(|error| Error::unreachable(place.host, &step, error))?;
    let answer: Result<Answer, String> = body
        .ok_or_else(|| format!("the answer is over {ANSWER} bytes"))
        .and_then(|body| parse(&body));
    let answer = answer.map_err(|reason| call.invalid(reason))?;
    let given = [answer.token, answer.access_token].into_iter().flatten();
    let Some(token) = given.into_iter().find(|token| !token.is_empty()) else {
        return Err(call.invalid("the answer holds no token"));
    };
    // The shortest that the specification lets a server mean.
    let lifetime = answer.expires_in.unwrap_or(LIFETIME).max(LIFETIME);
    let until = Instant::now().checked_add(Duration::from_secs(lifetime));
    Ok(Header { value: bearer(&token), until })
}

fn request<'a>(
    place: &Place<'a>,
    ask: &Ask<'_>,
    found: Option<&Found>,
    mut realm: Url,
    step: &'a str,
) -> Call<'a> {
    let scope = ask.scope.unwrap_or(place.scope);
    if let Some(Found { credential: Credential::Identity(identity), .. }) = found {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", "seawall"),
            ("service", ask.service.unwrap_or_default()),
            ("scope", scope),
            ("refresh_token", identity.expose()),
        ];
        return Call::form(place.host, step, realm, &fields);
    }
    {
        let mut query = realm.query_pairs_mut();
        query.append_pair("client_id", "seawall");
        query.extend_pairs(ask.service.map(|service| ("service", service)));
        for scope in scope.split(' ').filter(|scope| !scope.is_empty()) {
            query.append_pair("scope", scope);
        }
    }
    let mut call = Call::get(place.host, step, realm);
    if let Some(Found { credential: Credential::Basic { user, password }, .. }) = found {
        call.header("authorization", basic(user, password).expose());
    }
    call
}

/// Servers say 400, 401, 403 or 404 to a credential that they do not take.
fn refused(error: Error, place: &Place<'_>, found: Option<&Found>) -> Error {
    let (host, secret) = (place.host, found.map(|found| &found.credential));
    let reason = match secret {
        Some(Credential::Basic { password: secret, .. } | Credential::Identity(secret)) => {
            error.reason.replace(secret.expose(), "…")
        }
        _ => error.reason.clone(),
    };
    let help = match found {
        Some(found) => format!("the credential from {} is not taken: log in again", found.from),
        None => format!("it gives none without a credential: log in (`docker login {host}`)"),
    };
    Error { kind: ErrorKind::Credential, reason, ..error }.help(help)
}

fn bearer(token: &str) -> Secret {
    Secret::from(format!("Bearer {token}"))
}
