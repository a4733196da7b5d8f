//! Everything Seawall keeps: repositories by noun on SQLite or PostgreSQL, one query layer, one conformance suite.
//!
//! ```text
//! Store ─ one trait per noun ─► Tx (rows, change feed, audit entry: one commit) ─► Db ─► SQLite | PostgreSQL
//!   └── Reads: filter ─► SQL, cursor, Visible ─► page of nouns
//! ```
//!
//! The hub calls it with a [`Visible`], which says what the caller may see; nothing can be listed without one.
#![expect(
    async_fn_in_trait,
    reason = "`Store` is the only implementor; its futures are Send, which callers that spawn check"
)]

mod access;
mod admission;
mod alert;
mod asset;
mod audit;
mod cell;
mod change;
mod cursor;
mod db;
mod dialect;
mod enrolment;
mod error;
mod estate;
mod exemption;
mod filter;
mod finding;
mod held;
mod image;
mod ingest;
mod list;
mod migrate;
mod node;
mod noun;
mod policy_set;
mod put;
mod recommendation;
mod request;
mod store;
mod trust;
mod verdict;
mod visible;

pub use access::*;
pub use admission::*;
pub use alert::*;
pub use audit::*;
pub use change::*;
pub use db::Location;
pub use enrolment::*;
pub use error::{Error, Result};
pub use estate::*;
pub use exemption::*;
pub use filter::{Filter, FilterError, fold, nearest};
pub use finding::*;
pub use image::*;
pub use ingest::*;
pub use list::*;
pub use node::*;
pub use noun::{Field, FieldInfo, IMAGE_PACKAGES, Kind, Narrowing, Noun, TABLES, Table, table};
pub use policy_set::*;
pub use recommendation::*;
pub use request::*;
pub use store::{Context, Store};
pub use trust::*;
pub use verdict::*;
pub use visible::Visible;
