//! `sha256:…` digests. Source: OCI image specification, "Digests".
use crate::error::OpenError;
use sha2::{Digest as _, Sha256};

/// The digest of `bytes`.
pub(crate) fn of(bytes: &[u8]) -> String {
    text(&Sha256::digest(bytes))
}

pub(crate) fn text(hash: &[u8]) -> String {
    format!("sha256:{}", hex::encode(hash))
}

/// The lower-case hex part of a SHA-256 digest; other algorithms are refused, never left unchecked.
pub(crate) fn hex_part(digest: &str) -> Result<&str, OpenError> {
    let hex = digest.strip_prefix("sha256:").filter(|hex| is_hex(hex));
    hex.ok_or_else(|| OpenError::Unsupported {
        what: format!("digest `{}`", digest.escape_debug()),
    })
}

pub(crate) fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Refuses a document that is not the one its digest names.
pub(crate) fn verify(what: &str, expected: &str, bytes: &[u8]) -> Result<(), OpenError> {
    hex_part(expected)?;
    let actual = of(bytes);
    if actual == expected {
        return Ok(());
    }
    Err(OpenError::Digest { what: what.to_owned(), expected: expected.to_owned(), actual })
}
