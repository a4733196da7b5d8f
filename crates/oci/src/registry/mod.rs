//! Images in registries: Docker Registry v2 and OCI distribution.
//!
//! ```text
//! Name ─mirrors, registry─► Endpoint ─401─► Credential ─token server─► Authorization
//!                                    ─200─► manifest, config: checked, in memory
//!                                           blobs: a stream that goes on after cuts, checked by who reads it
//! ```
//!
//! On `reqwest` alone: `oci-client` 0.17 brings chrono, lazy_static and a second jsonwebtoken, and neither retries nor
//! goes on after a cut, knows mirrors, identity tokens or clouds.
//!
//! Deliberately absent: pushing, and what a referrer means.
mod auth;
mod blob;
mod client;
mod cloud;
mod credential;
mod error;
mod link;
mod name;
mod open;
mod options;
mod session;
mod transport;

#[cfg(test)]
mod process;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;

pub use client::{LISTED, Listing, Manifest, Registry};
pub use credential::{Credential, Secret};
pub use error::{Error, ErrorKind};
pub use link::next as parse_link;
pub use name::{Name, NameError};
pub(crate) use open::open;
pub use options::{Environment, Options, Pace};
