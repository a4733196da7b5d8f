//! What feeds say, and which installed packages it concerns.
//!
//! ```text
//! Advisory ─segment::build─► bytes ─► Segment ─┐
//!                      KEV ─► bytes ─► Kev ────┴► IndexSet ─┐
//!                                             Inventory ────┴─match_inventory─► MatchReport
//! ```
//!
//! Invariant: no IO, clock, thread or async; callers bring bytes and take bytes.
pub mod explain;
pub mod index;
mod inspect;
pub mod kev;
pub mod matcher;
pub mod name;
pub mod order;
pub mod products;
pub mod score;
pub mod segment;

pub use explain::{Answer, Explanation, Why, explain};
pub use index::{IndexInfo, IndexSet, KevInfo, ProductsInfo};
pub use inspect::Statement;
pub use kev::Kev;
pub use matcher::{Coverage, MatchReport, Subject, match_inventory};
pub use order::Scheme;
pub use products::Products;
pub use segment::Segment;
