//! What feeds say, and which installed packages it concerns.
//!
//! ```text
//! Advisory ─segment::build─► bytes ─► Segment ─┐
//!                      KEV ─► bytes ─► Kev ────┤
//!    EPSS, NVD, ends of life ─► bytes ─► parts ┴► IndexSet ─┐
//!                                             Inventory ────┴─match_inventory─► MatchReport
//! ```
//!
//! Invariant: no IO, clock, thread or async; callers bring bytes and take bytes.
pub mod endoflife;
pub mod epss;
pub mod explain;
pub mod index;
mod inspect;
pub mod kev;
pub mod matcher;
pub mod name;
pub mod nvd;
pub mod order;
mod part;
pub mod products;
pub mod rescan;
pub mod score;
pub mod segment;

pub use endoflife::EndOfLife;
pub use epss::Epss;
pub use explain::{Answer, Explanation, Why, explain};
pub use index::{Enrichment, IndexInfo, IndexSet, KevInfo, PartInfo, ProductsInfo};
pub use inspect::Statement;
pub use kev::Kev;
pub use matcher::{Coverage, MatchReport, Subject, match_inventory};
pub use nvd::Nvd;
pub use order::Scheme;
pub use part::PartMeta;
pub use products::Products;
pub use segment::Segment;
