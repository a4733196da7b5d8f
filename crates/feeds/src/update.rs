//! Downloads feeds with conditional requests, then builds.
use crate::build::build_lacking;
use crate::download::{DownloadError, chain, client, download};
use crate::downloads;
use crate::feed::{Base, Feed, Listing, Roots};
use crate::listing::{self, Folder};
use crate::report::{BuildError, BuildReport};
use seawall_model::Problem;
use std::path::Path;

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
        if let Some(Listing::Csaf(folder)) = feed.listing {
            let url = base.join(folder).expect("the table's paths are plain");
            let path = listing::below(&directory, folder);
            let folder = Folder { client: &client, feed: feed.key, url, path };
            problems.extend(folder.update().await);
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
