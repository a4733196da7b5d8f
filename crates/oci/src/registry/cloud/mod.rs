//! Credentials that clouds give for their own registries to what runs in them, or to who holds their keys.
mod aws;
mod azure;
mod ecr;
mod google;
mod sigv4;

#[cfg(test)]
mod tests;

use super::auth::{Found, Place, parse};
use super::error::Error;
use super::options::Environment;
use super::transport::{self, Call};
use reqwest::{Response, Url};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::{Duration, Instant};

/// Until a metadata service counts as absent: it is on the same machine, or there is none.
const METADATA: Duration = Duration::from_secs(2);
/// Bytes of an answer; tokens take some 10 KiB.
const ANSWER: u64 = 256 * 1024;
/// Bytes of a key or token file.
const KEY_FILE: u64 = 256 * 1024;

/// By the registry's host; `None` where it is no cloud's, or where nothing here speaks for that cloud.
pub(super) async fn credential(
    place: &Place<'_>,
    environment: &Environment,
) -> Result<Option<Found>, Error> {
    if let Some(registry) = ecr::Registry::parse(place.host) {
        return ecr::credential(place, environment, &registry).await;
    }
    if azure::is_registry(place.host) {
        return azure::credential(place, environment).await;
    }
    if google::is_registry(place.host) {
        return google::credential(place, environment).await;
    }
    Ok(None)
}

/// An address that a variable may replace.
fn address(place: &Place<'_>, given: Option<String>, usual: &str) -> Result<Url, Error> {
    let text = given.unwrap_or_else(|| usual.to_owned());
    text.parse().map_err(|_| place.error(format!("`{}` is no address", text.escape_debug())))
}

/// The answer of a service, in the step that `call` names.
async fn answer<T: DeserializeOwned>(place: &Place<'_>, call: &Call<'_>) -> Result<T, Error> {
    let bytes = body(place, call).await?;
    parse(&bytes).map_err(|reason| call.invalid(reason))
}

async fn body(place: &Place<'_>, call: &Call<'_>) -> Result<Vec<u8>, Error> {
    let answer = place.transport.send(call).await?;
    if !answer.status().is_success() {
        let error = transport::refusal(place.host, call.step, answer).await;
        let kind = place.error("").kind;
        return Err(Error { kind, ..error });
    }
    let read = transport::read(answer, ANSWER).await;
    let read = read.map_err(|error| Error::unreachable(place.host, call.step, error))?;
    read.ok_or_else(|| call.invalid(format!("the answer is over {ANSWER} bytes")))
}

/// The answer of a metadata service; `None` where there is none, or it has nothing of that name.
async fn metadata(place: &Place<'_>, call: &mut Call<'_>) -> Option<Response> {
    call.metadata = true;
    let sent = tokio::time::timeout(METADATA, place.transport.send(call)).await.ok()?.ok()?;
    sent.status().is_success().then_some(sent)
}

async fn metadata_text(place: &Place<'_>, call: &mut Call<'_>) -> Option<Vec<u8>> {
    let answer = metadata(place, call).await?;
    tokio::time::timeout(METADATA, transport::read(answer, ANSWER)).await.ok()?.ok()?
}

/// The content of a file that a variable names.
fn file(place: &Place<'_>, path: &Path) -> Result<Vec<u8>, Error> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(KEY_FILE).read_to_end(&mut bytes));
    read.map_err(|error| place.error(format!("{} cannot be read: {error}", path.display())))?;
    Ok(bytes)
}

fn text(place: &Place<'_>, path: &Path) -> Result<String, Error> {
    let text = String::from_utf8(file(place, path)?);
    let text = text.map_err(|_| place.error(format!("{} is no text", path.display())))?;
    Ok(text.trim().to_owned())
}

fn in_seconds(seconds: u64) -> Option<Instant> {
    Instant::now().checked_add(Duration::from_secs(seconds))
}
