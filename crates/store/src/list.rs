//! Reading: lists, single objects, counts, facets, exports and search, the same for every noun.
use crate::error::Result;
use crate::noun::Noun;
use crate::visible::Visible;
use futures::Stream;
use seawall_model::{Id, Severity};
use serde::Serialize;

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The filter language; empty matches everything.
    pub filter: String,
    /// A field, `-field` for descending; `None` is the noun's default.
    pub sort: Option<String>,
    /// 0 is [`DEFAULT_LIMIT`]; more than [`MAX_LIMIT`] is cut to it.
    pub limit: u32,
    /// `next` of the page before.
    pub after: Option<String>,
}

pub const DEFAULT_LIMIT: u32 = 50;
/// Rows of a page: its JSON stays within a few megabytes.
pub const MAX_LIMIT: u32 = 500;
/// Counting stops here: past it a total is "at least", and a page stays fast.
pub const MAX_EXACT_TOTAL: u64 = 10_000;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Cursor of the next page; `None` at the end.
    pub next: Option<String>,
    pub total: Total,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    pub value: u64,
    /// False where counting stopped at [`MAX_EXACT_TOTAL`].
    pub exact: bool,
}

/// One value of a field with how many rows have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facet {
    /// As the filter takes it; `None` is absent.
    pub value: Option<String>,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    pub noun: &'static str,
    pub id: Id,
    pub title: String,
    pub subtitle: String,
    pub severity: Option<Severity>,
}

pub trait Reads {
    /// Errors: `Filter`, `Sort`, `Cursor`.
    async fn list<N: Noun>(&self, visible: &Visible, query: &Query) -> Result<Page<N>>;
    /// `None` when it is unknown or not visible: a caller cannot tell the two apart.
    async fn get<N: Noun>(&self, visible: &Visible, id: Id) -> Result<Option<N>>;
    /// Exact.
    async fn count<N: Noun>(&self, visible: &Visible, filter: &str) -> Result<u64>;
    /// The most frequent values of `field`, at most `limit`.
    async fn facet<N: Noun>(
        &self,
        visible: &Visible,
        filter: &str,
        field: &str,
        limit: u32,
    ) -> Result<Vec<Facet>>;
    /// Everything that matches, page by page: no long transaction, no bound. Rows that arrive meanwhile may be missed.
    fn export<N: Noun>(
        &self,
        visible: Visible,
        filter: String,
        sort: Option<String>,
    ) -> impl Stream<Item = Result<N>> + Send;
    /// Objects of every noun that hold all words of `text`, a few of each noun.
    async fn search(&self, visible: &Visible, text: &str, limit: u32) -> Result<Vec<Hit>>;
}
