//! The list of known exploited flaws with a right digest, opened and asked.
use super::vuln_segment::seal;
use crate::Target;
use seawall_vuln::segment::FeedDate;
use seawall_vuln::{Kev, kev};
use std::collections::BTreeMap;

pub(crate) const TARGET: Target = Target { name: "vuln-kev", run, seeds, rounds: 3_000 };

fn run(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    seal(&mut bytes);
    if let Ok(list) = Kev::open(bytes) {
        list.added("CVE-2021-44228");
        list.added("");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let feed = FeedDate { key: "cisa-kev".into(), newest: Some(5) };
    let added = ["CVE-2021-44228", "CVE-2024-0001"].map(|id| (id.to_owned(), 1_639_094_400_000));
    vec![kev::build(feed, &BTreeMap::from(added)).expect("a small list")]
}
