//! What a feed adds to the index beside advisories: one list.
use crate::report::FileReport;
use seawall_model::Millis;
use seawall_vuln::segment::{BuildError, FeedDate};

/// A list as its feed writes it.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) files: Vec<FileReport>,
    /// Newest record, epoch milliseconds.
    pub(crate) newest: Option<Millis>,
    pub(crate) rows: u64,
    /// The index file; `None` where a file was refused, so that an earlier list stays.
    pub(crate) built: Option<Result<Vec<u8>, BuildError>>,
}

impl List {
    /// `build` makes the index file, unless one of `files` is refused.
    pub(crate) fn new(
        key: &str,
        files: Vec<FileReport>,
        newest: Option<Millis>,
        rows: usize,
        build: impl FnOnce(FeedDate) -> Result<Vec<u8>, BuildError>,
    ) -> Self {
        let refused = files.iter().any(|file| file.refused.is_some());
        let date = FeedDate { key: key.to_owned(), newest };
        Self { files, newest, rows: rows as u64, built: (!refused).then(|| build(date)) }
    }
}
