//! Azure Container Registry: an Entra ID token is exchanged for the registry's refresh token.
//! Source: "Azure Container Registry: AAD-OAuth"; Microsoft identity platform, "OAuth 2.0 client credentials flow",
//! "Workload identity federation"; "How to use managed identities on an Azure VM to acquire an access token".
use super::{address, answer, in_seconds, metadata_text, text};
use crate::registry::auth::{Found, Place, parse};
use crate::registry::credential::{Credential, Secret};
use crate::registry::error::Error;
use crate::registry::options::Environment;
use crate::registry::transport::Call;
use serde::Deserialize;
use std::path::Path;

/// What the token is for: any registry, in every Azure cloud.
const RESOURCE: &str = "https://containerregistry.azure.net";
/// Seconds that a refresh token is used; it is good for three hours.
const LIFETIME: u64 = 3600;

/// Azure's clouds by the suffix of their registries, each with its authority.
const CLOUDS: [(&str, &str); 3] = [
    (".azurecr.io", "https://login.microsoftonline.com/"),
    (".azurecr.us", "https://login.microsoftonline.us/"),
    (".azurecr.cn", "https://login.chinacloudapi.cn/"),
];

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Exchanged {
    refresh_token: String,
}

pub(super) fn is_registry(host: &str) -> bool {
    CLOUDS.iter().any(|(suffix, _)| host.ends_with(suffix))
}

pub(super) async fn credential(
    place: &Place<'_>,
    environment: &Environment,
) -> Result<Option<Found>, Error> {
    let Some((token, from)) = token(place, environment).await? else { return Ok(None) };
    let step = format!("{} (exchange an Entra ID token of {from})", place.step);
    let Ok(url) = place.base.join("/oauth2/exchange") else { return Ok(None) };
    let tenant = environment.get("AZURE_TENANT_ID").unwrap_or_default();
    let mut fields = vec![
        ("grant_type", "access_token"),
        ("service", place.host),
        ("access_token", token.expose()),
    ];
    if !tenant.is_empty() {
        fields.push(("tenant", &tenant));
    }
    let call = Call::form(place.host, &step, url, &fields);
    let exchanged: Exchanged = answer(place, &call).await?;
    Ok(Some(Found {
        credential: Credential::Identity(exchanged.refresh_token.into()),
        from: format!("Azure, with {from}"),
        until: in_seconds(LIFETIME),
    }))
}

/// An access token for registries: of a workload identity, a service principal, or the machine.
async fn token(
    place: &Place<'_>,
    environment: &Environment,
) -> Result<Option<(Secret, &'static str)>, Error> {
    let get = |name| environment.get(name);
    let (tenant, client) = (get("AZURE_TENANT_ID"), get("AZURE_CLIENT_ID"));
    if let (Some(tenant), Some(client)) = (tenant, &client) {
        if let Some(file) = get("AZURE_FEDERATED_TOKEN_FILE") {
            let assertion = text(place, Path::new(&file))?;
            let proof = [
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", assertion.as_str()),
            ];
            let token = bought(place, environment, [&tenant, client], &proof).await?;
            return Ok(Some((token, "its workload identity")));
        }
        if let Some(secret) = get("AZURE_CLIENT_SECRET") {
            let proof = [("client_secret", secret.as_str())];
            let token = bought(place, environment, [&tenant, client], &proof).await?;
            return Ok(Some((token, "its service principal")));
        }
    }
    let token = of_machine(place, environment, client.as_deref()).await;
    Ok(token.map(|token| (token, "its managed identity")))
}

/// The client credentials flow with one proof.
async fn bought(
    place: &Place<'_>,
    environment: &Environment,
    [tenant, client]: [&str; 2],
    proof: &[(&str, &str)],
) -> Result<Secret, Error> {
    let usual = CLOUDS.iter().find(|(suffix, _)| place.host.ends_with(suffix));
    let usual = usual.map_or(CLOUDS[0].1, |(_, authority)| authority);
    let authority = address(place, environment.get("AZURE_AUTHORITY_HOST"), usual)?;
    let step = format!("{} (get an Entra ID token)", place.step);
    let path = format!("/{tenant}/oauth2/v2.0/token");
    let url = authority.join(&path).map_err(|_| place.error("AZURE_TENANT_ID is no tenant"))?;
    let scope = format!("{RESOURCE}/.default");
    let mut fields =
        vec![("grant_type", "client_credentials"), ("client_id", client), ("scope", &scope)];
    fields.extend(proof);
    let token: Token = answer(place, &Call::form(place.host, &step, url, &fields)).await?;
    Ok(token.access_token.into())
}

/// Of the instance metadata service; `client` names one of several identities.
async fn of_machine(
    place: &Place<'_>,
    environment: &Environment,
    client: Option<&str>,
) -> Option<Secret> {
    let given = environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    let base = address(place, given, "http://169.254.169.254/").ok()?;
    let mut url = base.join("/metadata/identity/oauth2/token").ok()?;
    let mut query = vec![("api-version", "2018-02-01"), ("resource", RESOURCE)];
    query.extend(client.map(|client| ("client_id", client)));
    url.query_pairs_mut().extend_pairs(query);
    let mut call = Call::get(place.host, place.step, url);
    call.header("metadata", "true");
    let body = metadata_text(place, &mut call).await?;
    parse::<Token>(&body).ok().map(|token| token.access_token.into())
}
