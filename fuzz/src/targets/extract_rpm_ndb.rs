//! rpm's own database, with checksums made right where its parts still stand.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-rpm-ndb", run, seeds, rounds: 500 };

/// Bytes of a blob's end: checksum, length, magic.
const TAIL: usize = 12;

fn run(bytes: &[u8]) {
    super::extract("rpm-ndb", bytes);
    super::extract("rpm-ndb", &sealed(bytes));
}

/// A wrong checksum ends the look at a package, so that nothing behind it would be tried.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let marks = |mark: &[u8], bytes: &[u8]| -> Vec<usize> {
        let found = bytes.windows(4).enumerate().filter(|(_, four)| *four == mark);
        found.map(|(at, _)| at).collect()
    };
    let ends = marks(b"BlbE", &bytes);
    for start in marks(b"BlbS", &bytes) {
        if let Some(end) = ends.iter().map(|end| end + 4).find(|end| *end >= start + TAIL + 16) {
            let sum = super::adler32(&bytes[start..end - TAIL]);
            bytes[end - TAIL..end - TAIL + 4].copy_from_slice(&sum.to_le_bytes());
        }
    }
    bytes
}

fn seeds() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../../crates/extract/src/os/rpm/fixtures/Packages.db").to_vec()]
}

#[test]
fn a_sealed_change_reaches_the_header() {
    let mut bytes = seeds().remove(0);
    let at = bytes.windows(6).position(|text| text == b"alpha\0").expect("the package is there");
    bytes[at] = b'A';
    let found = seawall_extract::by_id("rpm-ndb").unwrap().run(&sealed(&bytes));
    assert!(found.packages.iter().any(|package| package.name == "Alpha"), "{found:?}");
}
