//! The header of an rpm package, in a database whose other parts are right.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-rpm-header", run, seeds, rounds: 1_000 };

/// Bytes: page of slots, block, head and tail of a blob.
const PAGE: usize = 4096;
const BLOCK: usize = 16;
const AROUND: usize = 28;
const TAIL: usize = 12;

fn run(bytes: &[u8]) {
    super::extract("rpm-ndb", &database(bytes));
}

/// Source: rpm `lib/backend/ndb/rpmpkg.c`.
fn database(header: &[u8]) -> Vec<u8> {
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let magic = |text: &[u8; 4]| u32::from_le_bytes(*text);
    let length = header.len() as u32;
    let blocks = (header.len() + AROUND).div_ceil(BLOCK);
    let mut bytes = words(&[magic(b"RpmP"), 0, 1, 1, 2, 0, 0, 0]);
    bytes.extend(words(&[magic(b"Slot"), 1, (PAGE / BLOCK) as u32, blocks as u32]));
    while bytes.len() < PAGE {
        bytes.extend(words(&[magic(b"Slot"), 0, 0, 0]));
    }
    bytes.extend(words(&[magic(b"BlbS"), 1, 1, length]));
    bytes.extend(header);
    bytes.resize(PAGE + blocks * BLOCK - TAIL, 0);
    let sum = super::adler32(&bytes[PAGE..]);
    bytes.extend(words(&[sum, length, magic(b"BlbE")]));
    bytes
}

fn seeds() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../../crates/extract/src/os/rpm/fixtures/header").to_vec()]
}

#[test]
fn the_database_is_right() {
    let found = seawall_extract::by_id("rpm-ndb").unwrap().run(&database(&seeds()[0]));
    assert_eq!((found.packages.len(), found.problems.len()), (1, 0), "{found:?}");
}
