//! Downloads feeds with conditional requests, then builds.
use crate::build::build_lacking;
use crate::downloads::{self, Validators};
use crate::feed::{Base, Feed, Roots, is_loopback};
use crate::report::{BuildError, BuildReport};
use reqwest::{StatusCode, Url, header};
use seawall_model::Problem;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Bytes per file: the largest export is below 1 GB.
const DOWNLOAD_LIMIT: u64 = 4 * 1024 * 1024 * 1024;
/// A server that does not answer within it is not there.
const CONNECT: Duration = Duration::from_secs(30);
/// Longest pause within a body.
const IDLE: Duration = Duration::from_secs(60);

/// Why no update was tried.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    #[error(
        "the feed {feed} is at {base} and `--offline` opens no socket: name a directory with `--feeds`"
    )]
    Offline { feed: &'static str, base: String },
    #[error("set up the HTTP client")]
    Client(#[source] reqwest::Error),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("the build was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// Downloads the feeds whose base is an address into `out`, then builds all of `feeds`. A download that fails leaves
/// the last one in use and is an error of the report.
pub async fn update(
    roots: &Roots,
    feeds: &[&'static Feed],
    out: &Path,
    offline: bool,
) -> Result<BuildReport, UpdateError> {
    let mut local = roots.clone();
    let (mut problems, mut lacking, mut downloaded) = (Vec::new(), Vec::new(), Vec::new());
    for &feed in feeds {
        let Base::Url(base) = roots.base(feed) else { continue };
        if offline {
            return Err(UpdateError::Offline { feed: feed.key, base: base.to_string() });
        }
        let client = client(base).map_err(UpdateError::Client)?;
        let directory = downloads::directory(out, feed.key);
        for file in feed.files {
            let url = base.join(file).expect("the table's paths are plain");
            let path = directory.join(file);
            match download(&client, &url, &path).await {
                Ok(outcome) => {
                    tracing::info!(feed = feed.key, file, ?outcome, "feed file requested")
                }
                Err(DownloadError::Absent) => {
                    lacking.push((feed.key, *file));
                    let message = format!("{url} is not there");
                    let problem = Problem::note("feed-file-absent", message).item(feed.key);
                    problems.push(problem.help(next_step(&path)));
                }
                Err(error) => {
                    lacking.push((feed.key, *file));
                    let message = format!("download {url}: {}", chain(&error));
                    let problem = Problem::error("download-failed", message).item(feed.key);
                    problems.push(problem.help(next_step(&path)));
                }
            }
        }
        downloaded.push(feed.key);
        local.set(feed.key, Base::Directory(directory)).expect("the key is the feed's own");
    }
    let (feeds, out) = (feeds.to_vec(), out.to_owned());
    let built = tokio::task::spawn_blocking(move || {
        let report = build_lacking(&local, &feeds, &out, &lacking)?;
        downloads::settle(&report, &downloaded, &out)
            .map_err(|source| BuildError::Write { path: out.clone(), source })?;
        Ok::<_, BuildError>(report)
    });
    let mut report = built.await.map_err(UpdateError::Interrupted)??;
    report.problems.splice(0..0, problems);
    Ok(report)
}

fn next_step(path: &Path) -> &'static str {
    match path.exists() {
        true => "the last download stays in use; try again, or name a mirror",
        false => "try again, or name a mirror",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Downloaded,
    NotModified,
}

#[derive(Debug, thiserror::Error)]
enum DownloadError {
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

fn client(base: &Url) -> Result<reqwest::Client, reqwest::Error> {
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

async fn download(
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
    save(response, path, &validators).await?;
    Ok(Outcome::Downloaded)
}

/// Streams the body beside the target and puts it in place once it is whole.
async fn save(
    mut response: reqwest::Response,
    path: &Path,
    validators: &Validators,
) -> Result<(), DownloadError> {
    let failed = |source| DownloadError::Write { path: path.to_owned(), source };
    let directory = path.parent().unwrap_or(Path::new("."));
    tokio::fs::create_dir_all(directory).await.map_err(failed)?;
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = tokio::fs::File::create(&part).await.map_err(failed)?;
    let mut size = 0;
    let body = async {
        while let Some(chunk) = response.chunk().await? {
            size += chunk.len() as u64;
            if size > DOWNLOAD_LIMIT {
                return Err(DownloadError::TooLarge);
            }
            file.write_all(&chunk).await.map_err(failed)?;
        }
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

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
