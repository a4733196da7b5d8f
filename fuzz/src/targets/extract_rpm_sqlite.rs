//! SQLite: rpm's database, and DNF's history.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-rpm-sqlite", run, seeds, rounds: 8_000 };

fn run(bytes: &[u8]) {
    super::extract("rpm-sqlite", bytes);
    super::extract("dnf-history", bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../../crates/extract/src/os/rpm/fixtures/rpmdb.sqlite").to_vec(),
        include_bytes!("../../../crates/extract/src/os/fixtures/history.sqlite").to_vec(),
    ]
}
