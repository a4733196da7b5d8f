//! What feeds say, and which installed packages it concerns.
//!
//! ```text
//! Advisory ─segment::build─► bytes ─► Segment ─┐
//!                                    Segment ─┴► IndexSet ─┐
//!                                          Inventory ──────┴─match_inventory─► MatchReport
//! ```
//!
//! Invariant: no IO, clock, thread or async; callers bring bytes and take bytes.
pub mod order;

pub use order::Scheme;
