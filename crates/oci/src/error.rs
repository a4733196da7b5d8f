//! Why an image could not be opened at all. What goes wrong later is a problem beside the results.
use crate::registry;
use std::io;
use std::path::PathBuf;

/// The operation that failed. Display never repeats its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    #[error(
        "`{text}` is no file or directory here, and no name of an image: {reason}; give a path, REGISTRY/NAME:TAG, \
         docker-archive:FILE, oci-archive:FILE, oci-layout:DIR or containerd:IMAGE"
    )]
    Reference { text: String, reason: String },
    #[error(transparent)]
    Registry(#[from] registry::Error),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot unpack the compressed archive {}", path.display())]
    Unpack { path: PathBuf, source: io::Error },
    #[error("{} is no image archive: {reason}", path.display())]
    NotAnImage { path: PathBuf, reason: String },
    #[error("{what} is malformed")]
    Malformed { what: String, source: serde_json::Error },
    #[error("{what} is inconsistent: {reason}")]
    Inconsistent { what: String, reason: String },
    #[error("{what} has digest {actual}, expected {expected}")]
    Digest { what: String, expected: String, actual: String },
    #[error("{what} is missing")]
    Missing { what: String },
    #[error("{what} is over the limit of {limit} bytes")]
    Limit { what: String, limit: u64 },
    #[error("{what} is not supported")]
    Unsupported { what: String },
    #[error("there is no image for platform {wanted}; there is: {available}")]
    Platform { wanted: String, available: String },
    #[error("there are several images; name one of: {available}")]
    Ambiguous { available: String },
    #[error("there is no image `{wanted}`; there is: {available}")]
    NoSuchImage { wanted: String, available: String },
    #[error("cannot connect to containerd at {address}")]
    Connect { address: String, source: tonic::transport::Error },
    #[error("containerd at {address} does not answer within {seconds} s")]
    Timeout { address: String, seconds: u64 },
    #[error("containerd failed to {operation}")]
    Containerd { operation: String, source: Box<tonic::Status> },
    #[error("cannot start an event loop for containerd")]
    Runtime { source: io::Error },
}
