//! Cached facts of layers, behind a header whose checksum is right.
use crate::Target;
use seawall_extract::{FileFacts, FoundPackage, LayerFacts, Link, decode, encode};
use seawall_model::package::Ecosystem;
use sha2::{Digest, Sha256};

pub(crate) const TARGET: Target = Target { name: "extract-facts", run, seeds, rounds: 6_000 };

/// Magic and checksum.
const HEAD: usize = 16;

fn run(bytes: &[u8]) {
    let _ = decode(bytes);
    let Some((head, body)) = bytes.split_at_checked(HEAD) else { return };
    let sealed = [&head[..8], &Sha256::digest(body)[..8], body].concat();
    if let Ok(facts) = decode(&sealed) {
        assert_eq!(decode(&encode(&facts)), Ok(facts));
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let package = FoundPackage { owned: vec![7], ..FoundPackage::new(Ecosystem::PyPI, "a", "1") };
    let file = FileFacts {
        path: "a".into(),
        extractor: "python-dist-info".into(),
        packages: vec![package],
        owned: vec![1, u64::MAX],
        ..FileFacts::default()
    };
    let facts = LayerFacts {
        extractor_version: 1,
        files: vec![file],
        whiteouts: vec!["x".into()],
        links: vec![Link { path: "l".into(), target: "t".into(), hard: true }],
        paths: vec![3, 4],
        directories: vec![5],
        ..LayerFacts::default()
    };
    vec![encode(&facts), encode(&LayerFacts::default())]
}
