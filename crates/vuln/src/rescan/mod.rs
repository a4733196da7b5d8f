//! What a new index means for everything that was ever scanned, at the cost of what changed in it.
//!
//! ```text
//! old segment ─┐
//! new segment ─┴─names that differ─► packages of that name ─judge by both─► raised, resolved, altered ─► their targets
//! ```
//!
//! A package is kept once however many targets hold it, and the targets as a bitmap: a flaw in a library that is in all
//! images is matched once for each of its versions.
mod changes;
mod estate;

pub use changes::changed_names;
pub use estate::{Change, Estate, PackageId};
