//! Names that stay: the same flaw in the same package is the same to whoever keeps reports, however often it is scanned.
use seawall_model::finding::VulnFinding;
use sha2::{Digest, Sha256};

/// SHA-256 over parts, told apart by a NUL.
fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}

/// A UUID of version 8 from the hash of `parts`. Source: RFC 9562, section 5.8.
pub(crate) fn uuid(parts: &[&str]) -> String {
    let mut bytes = digest(parts);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex::encode(&bytes[..16]);
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

/// What a finding is of, in hexadecimal: the flaw, the package without its version, and where it lies. Neither an
/// update that does not heal nor a rebuilt layer makes another finding of it.
pub(super) fn of(finding: &VulnFinding) -> String {
    let package = &finding.package;
    let kind = package.purl.split(['/', '@']).next().unwrap_or_default();
    let place = package.locations.first().map(String::as_str).unwrap_or_default();
    hex::encode(&digest(&[&finding.id, kind, &package.name, place])[..16])
}

#[test]
fn uuids_have_version_and_variant() {
    let (first, second) = (uuid(&["a", "b"]), uuid(&["ab", ""]));
    assert_ne!(first, second);
    assert_eq!(first, uuid(&["a", "b"]));
    assert_eq!((first.len(), &first[14..15]), (36, "8"));
    assert!(matches!(first.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{first}");
}
