//! Credentials in the files of docker and podman.
//! Source: docker CLI `config.json`; `containers-auth.json(5)`.
use super::{BASE64, Found, Place, helper, parse};
use crate::registry::credential::Credential;
use crate::registry::error::Error;
use crate::registry::name::HUB;
use crate::registry::options::Environment;
use base64::Engine;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes of a file; one with a thousand registries has some 200 KiB.
const LENGTH: u64 = 4 * 1024 * 1024;
/// What a helper gave is asked for anew after that: behind it may be tokens of minutes.
const HELPED: Duration = Duration::from_secs(300);
/// Docker Hub as docker's files and helpers call it.
const HUB_KEY: &str = "https://index.docker.io/v1/";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    /// Base64 of `user:password`.
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// What the first file that knows the registry says.
pub(super) async fn look_up(
    place: &Place<'_>,
    environment: &Environment,
) -> Result<Option<Found>, Error> {
    for path in paths(environment) {
        let failed = |reason: String| place.error(format!("{}: {reason}", path.display()));
        let Some(bytes) = read(&path).map_err(failed)? else { continue };
        let config: Config = parse(&bytes).map_err(failed)?;
        let wanted = candidates(place);
        if let Some(helper) = find(&config.cred_helpers, &wanted) {
            return helped(place, environment, helper).await;
        }
        let entry = find(&config.auths, &wanted).map(|entry| credential(entry).map_err(failed));
        if let Some(credential) = entry.transpose()?.flatten() {
            let from = path.display().to_string();
            return Ok(Some(Found { credential, from, until: None }));
        }
        if let Some(store) = &config.creds_store
            && let Some(found) = helped(place, environment, store).await?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn helped(
    place: &Place<'_>,
    environment: &Environment,
    name: &str,
) -> Result<Option<Found>, Error> {
    let server = if place.host == HUB { HUB_KEY } else { place.host };
    let got = helper::get(name, server, environment).await.map_err(|reason| {
        let help = "run it by hand to see why, or log in without it";
        place.error(reason).help(help)
    })?;
    Ok(got.map(|credential| Found {
        credential,
        from: format!("docker-credential-{name}"),
        until: Instant::now().checked_add(HELPED),
    }))
}

/// The files in the order that podman has, then docker's. A file that is named stands for all of podman's.
fn paths(environment: &Environment) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    match environment.get("REGISTRY_AUTH_FILE") {
        Some(file) => paths.push(PathBuf::from(file)),
        None => {
            let runtime = environment.get("XDG_RUNTIME_DIR").map(PathBuf::from);
            paths.extend(runtime.map(|runtime| runtime.join("containers/auth.json")));
            let home = environment.home();
            paths.extend(home.map(|home| home.join(".config/containers/auth.json")));
        }
    }
    let docker = environment.get("DOCKER_CONFIG").map(PathBuf::from);
    let docker = docker.or_else(|| Some(environment.home()?.join(".docker")));
    paths.extend(docker.map(|docker| docker.join("config.json")));
    paths
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    let mut bytes = Vec::new();
    file.take(LENGTH + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    match bytes.len() as u64 > LENGTH {
        true => Err(format!("it is over {LENGTH} bytes")),
        false => Ok(Some(bytes)),
    }
}

/// `host/a/b`, `host/a`, `host`: the longest that a file has counts.
fn candidates(place: &Place<'_>) -> Vec<String> {
    let whole = format!("{}/{}", place.host, place.repository);
    let whole = whole.trim_end_matches('/');
    let mut candidates = vec![whole.to_owned()];
    let slashes = whole.rmatch_indices('/').map(|(at, _)| whole[..at].to_owned());
    candidates.extend(slashes);
    candidates
}

fn find<'a, T>(map: &'a BTreeMap<String, T>, candidates: &[String]) -> Option<&'a T> {
    let by = |wanted: &String| map.iter().find(|(key, _)| plain(key) == *wanted);
    candidates.iter().find_map(by).map(|(_, value)| value)
}

/// A key without what older docker versions wrote around the host.
fn plain(key: &str) -> String {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    let (host, rest) = key.split_once('/').map_or((key, None), |(host, rest)| (host, Some(rest)));
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" => HUB,
        other => other,
    };
    rest.map_or_else(|| host.to_owned(), |rest| format!("{host}/{rest}"))
}

/// `None` for the empty entries that docker leaves where a helper keeps the secret.
fn credential(entry: &Entry) -> Result<Option<Credential>, String> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(token) = given(&entry.registrytoken) {
        return Ok(Some(Credential::Bearer(token.into())));
    }
    if let Some(token) = given(&entry.identitytoken) {
        return Ok(Some(Credential::Identity(token.into())));
    }
    if let (Some(user), Some(password)) = (given(&entry.username), given(&entry.password)) {
        return Ok(Some(Credential::Basic { user, password: password.into() }));
    }
    let Some(auth) = given(&entry.auth) else { return Ok(None) };
    let decoded = BASE64.decode(auth.trim_end()).ok().and_then(|text| String::from_utf8(text).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    let Some((user, password)) = pair else {
        return Err("an `auth` is not base64 of `user:password`".to_owned());
    };
    // Docker pads passwords with NUL.
    let password = password.trim_end_matches('\0').into();
    Ok(Some(Credential::Basic { user: user.to_owned(), password }))
}
