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
fn source_trees_are_read_by_their_lock_files() {
    let bench = Bench::new();
    bench.put("tree/poetry.lock", "[[package]]\nname = \"demo\"\nversion = \"1.0\"\n");
    bench.put("bare/pyproject.toml", "[project]\nname = \"bare\"\n");
    let said = "no lock file says what the source tree is made of";
    check(&bench, &["root"], 0, "CVE-2024-0001");
    check(&bench, &["tree"], 0, "CVE-2024-0001");
    check(&bench, &["tree", "--as", "auto"], 0, "1 packages: 1 PyPI");
    check(&bench, &["tree", "--as", "rootfs"], 0, "0 packages");
    check(&bench, &["root", "--as", "source"], 4, said);
    check(&bench, &["bare"], 4, said);
    check(&bench, &["root", "--as", "image"], 2, "expected auto, source or rootfs");
    check(&bench, &["bare", "--allow-incomplete"], 0, said);
    bench.put("tree/requirements.txt", "demo==1.0\nopen>=1\n");
    check(&bench, &["tree"], 4, "1 dependencies have no fixed version: open");
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

#[test]
fn results_go_to_stdout_and_to_files() {
    let bench = Bench::new();
    let run = |formats: &[&str]| {
        let formats = formats.iter().flat_map(|format| ["--format", format]);
        let arguments = ["scan", "fs", "root", "--db", "db"].into_iter().chain(formats);
        bench.run(&arguments.collect::<Vec<_>>())
    };
    let (table, json) = (run(&["table"]), run(&["json"]));
    assert_eq!(table.stdout, run(&[]).stdout);
    let output = run(&["json=report.json", "table"]);
    assert_eq!((code(&output), &output.stdout), (0, &table.stdout));
    assert_eq!(std::fs::read(bench.path("report.json")).unwrap(), json.stdout);
    let output = run(&["json=report.json", "table=report.txt"]);
    assert_eq!((code(&output), stdout(&output)), (0, ""));
    assert_eq!(std::fs::read(bench.path("report.txt")).unwrap(), table.stdout);
    assert!(!stderr(&output).contains('{'), "problems are lines: {}", stderr(&output));
    let left = std::fs::read_dir(bench.path("")).unwrap();
    let left =
        left.filter(|entry| entry.as_ref().unwrap().file_name().as_encoded_bytes()[0] == b'.');
    assert_eq!(left.count(), 0, "files appear by rename");
    let pipe = run(&["json=/dev/fd/1"]);
    assert_eq!((code(&pipe), &pipe.stdout), (0, &json.stdout), "a pipe is no file to replace");
    assert_eq!(code(&run(&["json=none/report.json"])), 3);
    for twice in [["json", "table"], ["json=a", "table=a"]] {
        assert_eq!(code(&run(&twice)), 2, "{twice:?}");
    }
    assert_eq!(code(&run(&["xml"])), 2);
}

#[test]
fn fixes_and_sockets() {
    let bench = Bench::new();
    check(&bench, &["root", "--ignore-unfixed", "--fail-on", "high"], 1, "CVE-2024-0001");
    check(&bench, &["root", "--offline"], 0, "CVE-2024-0001");
    let output = bench.run(&["scan", "image", "containerd:demo", "--db", "db", "--offline"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("opens no socket"), "{}", stderr(&output));
}
