//! Google Artifact Registry and Container Registry: an access token is the password.
//! Source: "Configure authentication to Artifact Registry for Docker"; "Using OAuth 2.0 for Server to Server
//! Applications"; "How Application Default Credentials works".
use super::{address, answer, file, in_seconds, metadata_text};
use crate::registry::auth::{Found, Place, parse};
use crate::registry::credential::{Credential, Secret};
use crate::registry::error::Error;
use crate::registry::options::Environment;
use crate::registry::transport::Call;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;
use std::path::PathBuf;

/// The user whose password is an access token.
const USER: &str = "oauth2accesstoken";
/// No more than reading.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform.read-only";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// Seconds that an assertion is good for, and a token if Google does not say.
const LIFETIME: u64 = 3600;

/// The key files that Google's tools write.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum KeyFile {
    ServiceAccount {
        client_email: String,
        private_key: Secret,
        private_key_id: Option<String>,
        token_uri: Option<String>,
    },
    AuthorizedUser {
        client_id: String,
        client_secret: Secret,
        refresh_token: Secret,
        token_uri: Option<String>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: Option<u64>,
}

pub(super) fn is_registry(host: &str) -> bool {
    host == "gcr.io" || host.ends_with(".gcr.io") || host.ends_with("-docker.pkg.dev")
}

pub(super) async fn credential(
    place: &Place<'_>,
    environment: &Environment,
) -> Result<Option<Found>, Error> {
    let (token, from) = match key_file(environment) {
        Some(path) => {
            let key: KeyFile = parse(&file(place, &path)?)
                .map_err(|reason| place.error(format!("{}: {reason}", path.display())))?;
            (Some(bought(place, key).await?), path.display().to_string())
        }
        None => (of_machine(place, environment).await, "its service account".to_owned()),
    };
    Ok(token.map(|token| Found {
        credential: Credential::Basic {
            user: USER.to_owned(),
            password: token.access_token.into(),
        },
        from: format!("Google, with {from}"),
        until: in_seconds(token.expires_in.unwrap_or(LIFETIME)),
    }))
}

/// One that is named must be there; that of `gcloud` may be.
fn key_file(environment: &Environment) -> Option<PathBuf> {
    let named = environment.get("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from);
    named.or_else(|| {
        let usual = ".config/gcloud/application_default_credentials.json";
        Some(environment.home()?.join(usual)).filter(|path| path.exists())
    })
}

async fn bought(place: &Place<'_>, key: KeyFile) -> Result<Token, Error> {
    let step = format!("{} (get a Google access token)", place.step);
    let form = |uri: Option<String>, fields: &[(&str, &str)]| {
        let url = address(place, uri, TOKEN_URI)?;
        Ok::<_, Error>(Call::form(place.host, &step, url, fields))
    };
    let call = match key {
        KeyFile::ServiceAccount { client_email, private_key, private_key_id, token_uri } => {
            let now = place.transport.clock.now() / 1000;
            let audience = token_uri.clone().unwrap_or_else(|| TOKEN_URI.to_owned());
            let claims = serde_json::json!({
                "iss": client_email, "scope": SCOPE, "aud": audience, "iat": now,
                "exp": now.saturating_add_unsigned(LIFETIME),
            });
            let header = serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": private_key_id});
            let assertion = signed(&header, &claims, &private_key)
                .ok_or_else(|| place.error("the private key of its key file is not usable"))?;
            let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
            form(token_uri, &[("grant_type", grant), ("assertion", &assertion)])?
        }
        KeyFile::AuthorizedUser { client_id, client_secret, refresh_token, token_uri } => form(
            token_uri,
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &client_id),
                ("client_secret", client_secret.expose()),
                ("refresh_token", refresh_token.expose()),
            ],
        )?,
        KeyFile::Other => {
            let reason = "its Google key file is neither of a service account nor of a user";
            return Err(place.error(reason));
        }
    };
    answer(place, &call).await
}

/// A JSON Web Token. Source: RFC 7515, section 3.1; RFC 7518, section 3.3.
fn signed(header: &serde_json::Value, claims: &serde_json::Value, key: &Secret) -> Option<String> {
    let key = PrivatePkcs8KeyDer::from_pem_slice(key.expose().as_bytes()).ok()?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?;
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Source: Compute Engine, "Authenticate workloads using service accounts", metadata server.
async fn of_machine(place: &Place<'_>, environment: &Environment) -> Option<Token> {
    let host = environment.get("GCE_METADATA_HOST");
    let host = host.unwrap_or_else(|| "metadata.google.internal".to_owned());
    let path = "computeMetadata/v1/instance/service-accounts/default/token";
    let url = format!("http://{host}/{path}").parse().ok()?;
    let mut call = Call::get(place.host, place.step, url);
    call.header("metadata-flavor", "Google");
    parse(&metadata_text(place, &mut call).await?).ok()
}
