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
    bench.put("root/var/lib/dpkg/status", DPKG_STATUS);
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

/// Inspects an index of a Debian, a PyPI and an exploited flaw; `said` stands on stdout.
#[track_caller]
fn check_inspect(arguments: &[&str], expected: i32, said: &[&str]) {
    let bench = Bench::empty();
    let advisory = |release: &str, id: &str, day: &str, bounds: &str| {
        format!(
            r#"{{"id":"{id}","modified":"{day}T00:00:00Z","upstream":["CVE-2024-0002"],"affected":[{{"package":
            {{"ecosystem":"Debian:{release}","name":"openssl"}},"ranges":[{{"type":"ECOSYSTEM","events":[{bounds}]}}]}}]}}"#
        )
    };
    let fixed = r#"{"introduced":"0"},{"fixed":"1.1.1n-0"}"#;
    let records = [
        advisory("10", "DSA-1-1", "2021-05-06", fixed),
        advisory("11", "DSA-2-1", "2023-07-08", fixed),
        advisory("11", "DEBIAN-CVE-3", "2022-01-01", r#"{"introduced":"0"}"#),
    ];
    bench.put_archive("feeds/osv/Debian/all.zip", &records.each_ref().map(String::as_str));
    bench.put_archive("feeds/osv/PyPI/all.zip", &[RECORD]);
    bench.put(
        "feeds/cisa-kev/known_exploited_vulnerabilities.json",
        r#"{"vulnerabilities":[{"cveID":"CVE-2024-0001","dateAdded":"2024-02-03"}]}"#,
    );
    assert_eq!(code(&bench.run(&["db", "build", "--feeds", "feeds", "--out", "db"])), 0);
    let output = bench.run(&[&["db", "inspect", "db"], arguments].concat());
    assert_eq!(code(&output), expected, "{}", stderr(&output));
    // Columns are as wide as their cells.
    let text = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    for said in said {
        assert!(text.contains(said), "{arguments:?}: no {said:?} in {text}");
    }
}

#[test]
fn inspect_showed_null_for_coverage() {
    check_inspect(
        &[],
        0,
        &[
            "SEGMENT COVERAGE ROWS NEWEST SCHEME DIGEST",
            "Debian:10 fixed-only 1 2021-05-06 debian ",
            "Debian:11 full 2 2023-07-08 debian ",
            "PyPI fixed-only 1 2024-01-02 pypi ",
            "kev - 1 2024-02-03 - ",
            "FEED NEWEST TESTED ON LICENCE",
            "cisa-kev 2024-02-03 real records CC0-1.0",
        ],
    );
    check_inspect(&["--format", "json"], 0, &[r#""kev": { "digest": ""#, r#""entries": 1"#]);
    check_inspect(&["--format", "json"], 0, &[r#""licence": "CC0-1.0", "verified": true"#]);
}

#[test]
fn inspect_answers_for_a_package_or_a_record() {
    let fixed = "Debian:11 openssl DSA-2-1 - fixed 1.1.1n-0";
    let open = "Debian:11 openssl DEBIAN-CVE-3 - open -";
    check_inspect(&["--package", "Debian/openssl"], 0, &[fixed, open, "Debian:10 openssl DSA-1-1"]);
    check_inspect(&["--package", "debian/none"], 0, &["no record names Debian/none"]);
    check_inspect(
        &["--package", "PyPI/Demo", "--format", "json"],
        0,
        &[r#""record": "PYSEC-1""#, r#""end": "2.0""#],
    );
    check_inspect(&["--package", "hex/a"], 2, &[]);
    check_inspect(&["--advisory", "DSA-2-1"], 0, &["also known as: CVE-2024-0002", fixed]);
    check_inspect(&["--advisory", "DSA-9"], 0, &["no record has the id DSA-9"]);
    check_inspect(&["--advisory", "DSA-9", "--format", "json"], 0, &[r#""advisory": null"#]);
    check_inspect(&["--advisory", "DSA-2-1", "--package", "PyPI/demo"], 2, &[]);
}
