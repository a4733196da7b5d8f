//! Downloads feeds with conditional requests, then builds.
use crate::build::build_lacking;
use crate::feed::{Base, Feed, Roots, is_loopback};
use crate::report::{BuildError, BuildReport};
use reqwest::{StatusCode, Url, header};
use seawall_model::Problem;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Below the index directory: what was downloaded last, the base of the next conditional request.
const DOWNLOADS: &str = "downloads";
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

/// What the server said about a file, sent back with the next request.
#[derive(Default, Serialize, Deserialize)]
struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
    /// The address they came from: another base starts over.
    url: String,
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
    let (mut problems, mut lacking) = (Vec::new(), Vec::new());
    for &feed in feeds {
        let Base::Url(base) = roots.base(feed) else { continue };
        if offline {
            return Err(UpdateError::Offline { feed: feed.key, base: base.to_string() });
        }
        let client = client(base).map_err(UpdateError::Client)?;
        let directory = out.join(DOWNLOADS).join(feed.key);
        for file in feed.files {
            let url = base.join(file).expect("the table's paths are plain");
            match download(&client, &url, &directory.join(file)).await {
                Ok(outcome) => {
                    tracing::info!(feed = feed.key, file, ?outcome, "feed file requested")
                }
                Err(DownloadError::Absent) => {
                    lacking.push((feed.key, *file));
                    let message = format!("{url} is not there");
                    problems.push(Problem::note("feed-file-absent", message).item(feed.key));
                }
                Err(error) => {
                    lacking.push((feed.key, *file));
                    let message = format!("download {url}: {}", chain(&error));
                    let problem = Problem::error("download-failed", message).item(feed.key);
                    problems.push(
                        problem.help("the last download stays in use; try again, or name a mirror"),
                    );
                }
            }
        }
        local.set(feed.key, Base::Directory(directory)).expect("the key is the feed's own");
    }
    let (feeds, out) = (feeds.to_vec(), out.to_owned());
    let built = tokio::task::spawn_blocking(move || {
        let report = build_lacking(&local, &feeds, &out, &lacking)?;
        forget_refused(&report, &out);
        Ok::<_, BuildError>(report)
    });
    let mut report = built.await.map_err(UpdateError::Interrupted)??;
    report.problems.splice(0..0, problems);
    Ok(report)
}

/// A refused file is asked for anew: "not modified" would keep it refused for ever.
fn forget_refused(report: &BuildReport, out: &Path) {
    for feed in &report.feeds {
        for file in feed.files.iter().filter(|file| file.refused.is_some()) {
            let path = out.join(DOWNLOADS).join(&feed.key).join(&file.path);
            // Absent for a directory base; then there is nothing to forget.
            let _ = std::fs::remove_file(validators_path(&path));
        }
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
    let known = validators(path, url);
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
    save(response, path).await?;
    let text = serde_json::to_vec(&validators).expect("plain values serialise");
    let path = validators_path(path);
    tokio::fs::write(&path, text).await.map_err(|source| DownloadError::Write { path, source })?;
    Ok(Outcome::Downloaded)
}

/// Streams the body beside the target and renames it over once it is whole.
async fn save(mut response: reqwest::Response, path: &Path) -> Result<(), DownloadError> {
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
        tokio::fs::rename(&part, path).await.map_err(failed)
    };
    let saved = body.await;
    if saved.is_err() {
        // Best effort: the error that matters is the one already at hand.
        let _ = tokio::fs::remove_file(&part).await;
    }
    saved
}

/// What is known of the file that lies at `path`, if it came from `url`.
fn validators(path: &Path, url: &Url) -> Validators {
    if !path.exists() {
        return Validators::default();
    }
    let text = std::fs::read(validators_path(path)).ok();
    let known: Option<Validators> = text.and_then(|text| serde_json::from_slice(&text).ok());
    known.filter(|known| known.url == url.as_str()).unwrap_or_default()
}

fn validators_path(path: &Path) -> PathBuf {
    path.with_extension("validators.json")
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
