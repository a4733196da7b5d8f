//! `seawall db`: where the index lies, and what is shown of it.
use crate::bench::*;

/// Runs with these variables alone.
#[track_caller]
fn check_with(bench: &Bench, variables: &[(&str, &str)], arguments: &[&str], expected: i32) {
    let variables = variables.iter().copied();
    let output = bench.command(arguments).envs(variables.clone()).output().unwrap();
    let variables: Vec<_> = variables.collect();
    assert_eq!(code(&output), expected, "{variables:?} {arguments:?}: {}", stderr(&output));
}

#[test]
fn an_empty_variable_wrote_into_the_working_directory() {
    let bench = Bench::empty();
    bench.put_archive("feeds/osv/PyPI/all.zip", &[RECORD]);
    bench.put("root/etc/os-release", "ID=debian\n");
    let home = bench.path("home");
    let home = ("HOME", home.to_str().unwrap());
    let build = ["db", "build", "--feeds", "feeds"];
    check_with(&bench, &[home, ("SEAWALL_DB", "")], &build, 0);
    assert!(!bench.path("index.json").exists());
    assert!(bench.path("home/.cache/seawall/db/index.json").exists());
    for arguments in [&["db", "inspect"][..], &["scan", "fs", "root"]] {
        check_with(&bench, &[home, ("SEAWALL_DB", "")], arguments, 0);
        check_with(&bench, &[home, ("SEAWALL_DB", "none")], arguments, 3);
    }
}

#[test]
fn without_a_home_every_user_shared_a_directory() {
    let bench = Bench::empty();
    bench.put_archive("feeds/osv/PyPI/all.zip", &[RECORD]);
    let temporary = bench.path("tmp");
    let temporary = ("TMPDIR", temporary.to_str().unwrap());
    let build = ["db", "build", "--feeds", "feeds"];
    for home in ["", "relative"] {
        check_with(&bench, &[temporary, ("HOME", home)], &build, 2);
        check_with(&bench, &[temporary, ("XDG_CACHE_HOME", home)], &build, 2);
    }
    check_with(&bench, &[temporary], &build, 2);
    check_with(&bench, &[temporary, ("SEAWALL_DB", "db")], &build, 0);
    assert!(!bench.path("tmp").exists() && !bench.path("relative").exists());
}
