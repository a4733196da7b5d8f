//! 64-bit path hashes: what a layer holds, at eight bytes per path.
use sha2::{Digest, Sha256};

/// The first eight bytes of the path's SHA-256, little-endian. A cryptographic hash, because whoever builds a layer
/// picks its paths: with a weaker one a file could be named so that it seems to replace a package database.
pub(crate) fn path_hash(path: &str) -> u64 {
    let digest = Sha256::digest(path.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}
