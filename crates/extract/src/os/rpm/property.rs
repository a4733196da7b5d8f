//! Whatever stands in a database, reading it ends without a panic.
use super::{add, bdb, ndb, sqlite};
use crate::os::dnf_history;
use crate::prelude::*;
use proptest::prelude::*;

const HEADER: &[u8] = include_bytes!("fixtures/header");
const BDB: &[u8] = include_bytes!("fixtures/Packages");
const BDB_BIG: &[u8] = include_bytes!("fixtures/Packages.big-endian");
const NDB: &[u8] = include_bytes!("fixtures/Packages.db");
const SQLITE: &[u8] = include_bytes!("fixtures/rpmdb.sqlite");

/// Bytes set anywhere, mostly to values at which lengths go wrong, and perhaps an early end.
fn mutated(real: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x7f), Just(0x80), Just(1)];
    let changes = prop::collection::vec((0..real.len(), byte), 0..12);
    (changes, prop::option::weighted(0.1, 0..real.len())).prop_map(move |(changes, end)| {
        let mut bytes = real.to_vec();
        changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
        bytes.truncate(end.unwrap_or(real.len()));
        bytes
    })
}

/// Packages come from headers, each of which takes room in the file.
fn check(extractor: &Extractor, bytes: &[u8]) {
    let found = extractor.run(bytes);
    assert!(found.packages.len() <= bytes.len() / 64, "{}", found.packages.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn headers(bytes in mutated(HEADER)) {
        let mut found = Found::default();
        add(&bytes, "row 1", &mut found);
        prop_assert_eq!(found.packages.is_empty(), found.problems.iter().any(|problem| {
            !problem.message.contains("file list")
        }));
    }

    #[test]
    fn berkeley_db(little in mutated(BDB), big in mutated(BDB_BIG)) {
        check(&bdb::EXTRACTOR, &little);
        check(&bdb::EXTRACTOR, &big);
    }

    #[test]
    fn own_format(bytes in mutated(NDB)) {
        check(&ndb::EXTRACTOR, &bytes);
    }

    #[test]
    fn sqlite_tables(bytes in mutated(SQLITE)) {
        check(&sqlite::EXTRACTOR, &bytes);
        check(&dnf_history::EXTRACTOR, &bytes);
    }
}
