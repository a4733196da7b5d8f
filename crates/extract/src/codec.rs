//! Facts as bytes, for a cache: a JSON part, then the hash lists as little-endian words.
//!
//! ```text
//! "SWFACTS3" | checksum u64 | JSON length u64 | JSON | lists: length u64, then words
//! ```
//!
//! The lists in order: paths, directories, implied, then of each file `owned`, and that of each of its packages. Hashes
//! as JSON numbers would make reading the facts of a large layer slower than reading the layer.
use crate::facts::LayerFacts;
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"SWFACTS3";
/// Bytes before the JSON part.
const HEADER: usize = 24;

/// The bytes are no facts of this layout: cut short, altered, or of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecError;

/// The facts as bytes; the same facts give the same bytes.
pub fn encode(facts: &LayerFacts) -> Vec<u8> {
    let json = serde_json::to_vec(facts).expect("facts hold no map and no number that JSON lacks");
    let mut bytes = Vec::with_capacity(HEADER + json.len() + 8 * facts.paths.len());
    bytes.extend(MAGIC);
    bytes.extend([0; 8]);
    bytes.extend((json.len() as u64).to_le_bytes());
    bytes.extend(json);
    let owned = facts.files.iter().flat_map(|file| {
        [&file.owned].into_iter().chain(file.packages.iter().map(|package| &package.owned))
    });
    for list in [&facts.paths, &facts.directories, &facts.implied].into_iter().chain(owned) {
        bytes.extend((list.len() as u64).to_le_bytes());
        bytes.extend(list.iter().flat_map(|hash| hash.to_le_bytes()));
    }
    let checksum = checksum(&bytes[16..]);
    bytes[8..16].copy_from_slice(&checksum);
    bytes
}

/// The facts that [`encode`] wrote. Any other bytes are an error, never a panic.
pub fn decode(bytes: &[u8]) -> Result<LayerFacts, CodecError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(CodecError)?;
    let (sum, body) = rest.split_at_checked(8).ok_or(CodecError)?;
    if sum != checksum(body) {
        return Err(CodecError);
    }
    let (length, body) = word(body)?;
    let (json, mut lists) = body
        .split_at_checked(usize::try_from(length).map_err(|_| CodecError)?)
        .ok_or(CodecError)?;
    let mut facts: LayerFacts = serde_json::from_slice(json).map_err(|_| CodecError)?;
    facts.paths = list(&mut lists)?;
    facts.directories = list(&mut lists)?;
    facts.implied = list(&mut lists)?;
    for file in &mut facts.files {
        file.owned = list(&mut lists)?;
        for package in &mut file.packages {
            package.owned = list(&mut lists)?;
        }
    }
    if lists.is_empty() { Ok(facts) } else { Err(CodecError) }
}

fn word(bytes: &[u8]) -> Result<(u64, &[u8]), CodecError> {
    let (word, rest) = bytes.split_first_chunk::<8>().ok_or(CodecError)?;
    Ok((u64::from_le_bytes(*word), rest))
}

fn list(bytes: &mut &[u8]) -> Result<Vec<u64>, CodecError> {
    let (length, rest) = word(bytes)?;
    let size =
        usize::try_from(length).ok().and_then(|length| length.checked_mul(8)).ok_or(CodecError)?;
    let (words, rest) = rest.split_at_checked(size).ok_or(CodecError)?;
    *bytes = rest;
    let (chunks, _) = words.as_chunks::<8>();
    Ok(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect())
}

/// Guards against a file cut short by a crash or altered by a failing disk, not against an attacker.
fn checksum(bytes: &[u8]) -> [u8; 8] {
    let digest = Sha256::digest(bytes);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{FileFacts, FoundPackage, Link};
    use seawall_model::package::Ecosystem;

    #[test]
    fn round_trip_and_every_cut() {
        let package =
            FoundPackage { owned: vec![8], ..FoundPackage::new(Ecosystem::Apk, "p", "1") };
        let packages = vec![package, FoundPackage::new(Ecosystem::Apk, "q", "1")];
        let owned = vec![1, 2, u64::MAX];
        let file = FileFacts { path: "a".into(), packages, owned, ..FileFacts::default() };
        let link = Link { path: "l".into(), target: "t".into(), hard: false };
        let facts = LayerFacts {
            extractor_version: 7,
            files: vec![file],
            links: vec![link],
            paths: vec![3, 4],
            directories: vec![5],
            implied: vec![6],
            ..LayerFacts::default()
        };
        let bytes = encode(&facts);
        assert_eq!(decode(&bytes), Ok(facts));
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), Err(CodecError));
        }
        for index in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[index] ^= 1;
            assert_eq!(decode(&altered), Err(CodecError), "byte {index}");
        }
    }
}
