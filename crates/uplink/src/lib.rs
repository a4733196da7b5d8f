//! An agent's one connection to its hub: enrolment, disk spool, stream.
//!
//! ```text
//! records ─append─► Spool (disk) ─Batch─► hub ─Ack─► Spool frees
//!            └ full: counted drop, told with the next batch
//! ```
//!
//! Beside it, [`Reader`] reads the hub's API for commands that are no agents.
//!
//! Invariant: a batch leaves the spool only after the hub has committed it, and the hub commits each
//! (agent, sequence) once. What the spool refuses is counted on disk before the caller returns.

mod api;
mod connection;
mod enrol;
mod identity;
mod pin;
mod spool;

pub use api::{ReadError, Reader};
pub use connection::{Config, SignError, Signed, Status, Uplink, sign};
pub use enrol::{EnrolError, Enrolment, HubCa, InvalidHubCa, Joining, enrol, join};
pub use identity::{Identity, IdentityError, KnownCluster};
pub use spool::{Spool, SpoolError};
