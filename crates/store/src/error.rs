//! What can go wrong, by the operation that failed. "Not found" is `Option`.
use crate::filter::FilterError;
use seawall_model::Millis;
use std::path::PathBuf;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the SQLite database open.
    #[error(
        "{} is in use by another Seawall process: stop that one, or run several hubs on PostgreSQL (--database)",
        directory.display()
    )]
    InUse { directory: PathBuf },
    #[error("cannot use the data directory {}", directory.display())]
    Directory { directory: PathBuf, source: std::io::Error },
    /// Nothing was made there.
    #[error("{} holds no Seawall data", directory.display())]
    NoData { directory: PathBuf },
    #[error("cannot open the database {place}")]
    Open { place: String, source: sqlx::Error },
    #[error("`{url}` is no database URL: expected postgres://USER@HOST/NAME or a directory")]
    Url { url: String },
    #[error(
        "the database has no version {found}; this hub needs {needed}: use PostgreSQL {needed} or newer"
    )]
    Version { found: String, needed: &'static str },
    #[error("schema migration {name} failed")]
    Migrate { name: &'static str, source: sqlx::Error },
    #[error("{operation} failed")]
    Query { operation: &'static str, source: sqlx::Error },
    /// A stored document cannot be read; a newer hub may have written it.
    #[error("stored {noun} {id} (payload version {version}) cannot be read")]
    Payload { noun: &'static str, id: String, version: i64, source: serde_json::Error },
    #[error("{noun} cannot be stored")]
    Encode { noun: &'static str, source: serde_json::Error },

    // What a caller answers with 4xx.
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error("`{field}` cannot be sorted by{}", suggestion(.nearest))]
    Sort { field: String, nearest: Option<String> },
    #[error(
        "`after` is no cursor of this list: it belongs to another filter, sort or list, or was changed"
    )]
    Cursor,
    /// `If-Match` does not fit.
    #[error("it was changed meanwhile: revision {current} is current, {expected} was given")]
    Stale { expected: u64, current: u64 },
    #[error("{what} exists already")]
    Exists { what: String },
    #[error("{what} does not exist")]
    Missing { what: String },
    /// The state machine has no such step.
    #[error("{message}")]
    Transition { message: String },
    /// A policy set may not refuse before each connected cluster has tried it.
    #[error("{}", untried(*.version, .missing))]
    Untried {
        version: u64,
        /// Names of connected clusters without a trial of that version; empty where there is no cluster at all.
        missing: Vec<String>,
    },
    #[error("the last Owner of the organisation cannot be removed: make another Owner first")]
    LastOwner,
    #[error("more than {limit} objects match; narrow the filter")]
    TooMany { limit: usize },
    /// The idempotency key was claimed anew while this request ran.
    #[error("the request took too long and was sent again meanwhile: this run changed nothing")]
    GivenUp,
    #[error("{message}")]
    Invalid { field: &'static str, message: String },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

fn untried(version: u64, missing: &[String]) -> String {
    match missing {
        [] => format!(
            "no cluster has tried version {version} yet: leave the action at `audit` until an agent has reported a trial"
        ),
        names => format!(
            "version {version} has not been tried in {}: leave the action at `audit` until their agents have reported a \
             trial",
            names.join(", ")
        ),
    }
}

/// A moment before which something is refused.
pub(crate) fn past(at: Option<Millis>, now: Millis) -> bool {
    at.is_some_and(|at| at <= now)
}

/// `If-Match`: whether the caller has seen what it changes.
pub(crate) fn check_revision(expected: Option<u64>, current: u64) -> Result<()> {
    match expected {
        Some(expected) if expected != current => Err(Error::Stale { expected, current }),
        _ => Ok(()),
    }
}
