//! rpm's database in Berkeley DB's form, of both byte orders.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-rpm-bdb", run, seeds, rounds: 8_000 };

fn run(bytes: &[u8]) {
    super::extract("rpm-bdb", bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../../crates/extract/src/os/rpm/fixtures/Packages").to_vec(),
        include_bytes!("../../../crates/extract/src/os/rpm/fixtures/Packages.big-endian").to_vec(),
    ]
}
