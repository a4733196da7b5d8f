//! `seawall scan fs`: what the options decide.
use crate::bench::*;

/// Scans `arguments` against the index of the bench; `said` stands on either stream.
#[track_caller]
fn check(bench: &Bench, arguments: &[&str], expected: i32, said: &str) {
    let output = bench.run(&[&["scan", "fs", "--db", "db"], arguments].concat());
    let text = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(code(&output), expected, "{arguments:?}: {text}");
    assert!(text.contains(said), "{arguments:?}: no {said:?} in {text}");
}

#[test]
fn source_trees_are_gaps() {
    let bench = Bench::new();
    bench.put("tree/poetry.lock", "[[package]]\nname = \"demo\"\nversion = \"1.0\"\n");
    let said = "source trees are not read by this version";
    check(&bench, &["root"], 0, "CVE-2024-0001");
    check(&bench, &["tree"], 4, said);
    check(&bench, &["tree", "--as", "auto"], 4, said);
    check(&bench, &["tree", "--as", "rootfs"], 0, "0 packages");
    check(&bench, &["root", "--as", "source"], 4, said);
    check(&bench, &["root", "--as", "image"], 2, "expected auto, source or rootfs");
    check(&bench, &["tree", "--allow-incomplete"], 0, said);
}

#[test]
fn conditions_without_data_are_gaps() {
    let bench = Bench::new();
    check(&bench, &["root", "--fail-on", "high"], 1, "CVE-2024-0001");
    check(&bench, &["root", "--fail-on", "kev"], 4, "the index has no known exploited");
    check(&bench, &["root", "--fail-on", "epss=0.1"], 4, "the index has no EPSS scores");
}

#[test]
fn a_missing_or_damaged_index_was_told_after_the_scan() {
    let bench = Bench::new();
    bench.put("damaged/index.json", "{");
    for (index, said) in [("none", "holds no index"), ("damaged", "is not a readable manifest")] {
        for target in [&["scan", "image", "none.tar"][..], &["scan", "fs", "none"]] {
            let output = bench.run(&[target, &["--db", index]].concat());
            assert_eq!(code(&output), 3, "{target:?}");
            assert!(stderr(&output).contains(said), "{target:?}: {}", stderr(&output));
        }
    }
}
