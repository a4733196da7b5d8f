//! One file from a server: conditional requests, and a body that is cut goes on where it ended.
use crate::downloads::{self, Validators};
use crate::feed::is_loopback;
use reqwest::{StatusCode, Url, header};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

/// Bytes per file: the largest export is below 1 GB.
const DOWNLOAD_LIMIT: u64 = 4 * 1024 * 1024 * 1024;
/// A server that does not answer within it is not there.
const CONNECT: Duration = Duration::from_secs(30);
/// Longest pause within a body.
const IDLE: Duration = Duration::from_secs(60);
/// Requests for the rest of a body that was cut.
const RESUMPTIONS: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Downloaded,
    NotModified,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DownloadError {
    #[error("it is not there")]
    Absent,
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("the server answered {0}")]
    Status(StatusCode),
    #[error("it is larger than {DOWNLOAD_LIMIT} bytes")]
    TooLarge,
    #[error("write {path}")]
    Write { path: PathBuf, source: std::io::Error },
}

pub(crate) fn client(base: &Url) -> Result<reqwest::Client, reqwest::Error> {
    // The first provider installed in the process stays; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let local = is_loopback(base);
    let builder = reqwest::Client::builder()
        .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(IDLE);
    match local {
        true => builder.redirect(reqwest::redirect::Policy::none()).no_proxy().build(),
        false => builder.https_only(true).build(),
    }
}

pub(crate) async fn download(
    client: &reqwest::Client,
    url: &Url,
    path: &Path,
) -> Result<Outcome, DownloadError> {
    let known = downloads::validators(path, url.as_str());
    let mut request = client.get(url.clone());
    if let Some(etag) = &known.etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    if let Some(last_modified) = &known.last_modified {
        request = request.header(header::IF_MODIFIED_SINCE, last_modified);
    }
    let response = request.send().await?;
    match response.status() {
        StatusCode::NOT_MODIFIED => return Ok(Outcome::NotModified),
        StatusCode::NOT_FOUND => return Err(DownloadError::Absent),
        StatusCode::OK => {}
        other => return Err(DownloadError::Status(other)),
    }
    let text = |name| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let validators = Validators {
        etag: text(header::ETAG),
        last_modified: text(header::LAST_MODIFIED),
        url: url.to_string(),
    };
    save(client, response, path, &validators).await?;
    Ok(Outcome::Downloaded)
}

/// Streams the body beside the target and puts it in place once it is whole.
async fn save(
    client: &reqwest::Client,
    response: reqwest::Response,
    path: &Path,
    validators: &Validators,
) -> Result<(), DownloadError> {
    let failed = |source| DownloadError::Write { path: path.to_owned(), source };
    let directory = path.parent().unwrap_or(Path::new("."));
    tokio::fs::create_dir_all(directory).await.map_err(failed)?;
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = File::create(&part).await.map_err(failed)?;
    let body = async {
        whole(client, response, &mut file, path, validators).await?;
        file.sync_all().await.map_err(failed)?;
        downloads::place(&part, path, validators).map_err(failed)
    };
    let saved = body.await;
    if saved.is_err() {
        // Best effort: the error that matters is the one already at hand.
        let _ = tokio::fs::remove_file(&part).await;
    }
    saved
}

/// Writes the body; where it is cut and the server takes ranges of what it names by a strong tag, asks for the rest.
/// Source: RFC 9110, section 14 and 13.1.5 (`If-Range`).
async fn whole(
    client: &reqwest::Client,
    mut response: reqwest::Response,
    file: &mut File,
    path: &Path,
    validators: &Validators,
) -> Result<(), DownloadError> {
    let tag = validators.etag.clone().filter(|tag| !tag.starts_with("W/"));
    let ranges = response.headers().get(header::ACCEPT_RANGES);
    let tag = tag.filter(|_| ranges.is_some_and(|unit| unit == "bytes"));
    let url = response.url().clone();
    let (mut size, mut left) = (0, RESUMPTIONS);
    loop {
        let cut = match body(&mut response, file, path, &mut size).await {
            Err(DownloadError::Request(cut)) => cut,
            other => return other,
        };
        let Some(tag) = tag.as_ref().filter(|_| size > 0 && left > 0) else {
            return Err(cut.into());
        };
        left -= 1;
        let request = client.get(url.clone()).header(header::RANGE, format!("bytes={size}-"));
        let next = request.header(header::IF_RANGE, tag).send().await?;
        let starts = next.headers().get(header::CONTENT_RANGE).and_then(|own| own.to_str().ok());
        let goes_on = starts.is_some_and(|own| own.starts_with(&format!("bytes {size}-")));
        if next.status() != StatusCode::PARTIAL_CONTENT || !goes_on {
            return Err(cut.into());
        }
        response = next;
    }
}

async fn body(
    response: &mut reqwest::Response,
    file: &mut File,
    path: &Path,
    size: &mut u64,
) -> Result<(), DownloadError> {
    let failed = |source| DownloadError::Write { path: path.to_owned(), source };
    while let Some(chunk) = response.chunk().await? {
        *size += chunk.len() as u64;
        if *size > DOWNLOAD_LIMIT {
            return Err(DownloadError::TooLarge);
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    Ok(())
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
