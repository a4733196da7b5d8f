//! `seawall vuln compare` at the end of a pipe.
use crate::bench::*;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

fn compare(bench: &Bench) -> Child {
    compare_by(bench, "debian")
}

fn compare_by(bench: &Bench, scheme: &str) -> Child {
    let mut command = bench.command(&["vuln", "compare", "--scheme", scheme]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let bench = Bench::empty();
    let mut child = compare(&bench);
    drop(child.stdout.take());
    // The program may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all("1\t2\n".repeat(100_000).as_bytes());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn whoever_waits_for_each_answer_waited_for_ever() {
    let bench = Bench::empty();
    let mut child = compare(&bench);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    // The start of the next question is there already when the answer is due.
    for (question, answer) in [("1\t2\n2", "<\n"), ("\t1\n", ">\n"), ("1\t1\n3\t", "=\n")] {
        stdin.write_all(question.as_bytes()).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, answer);
    }
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("invalid\n", Some(0)));
}

#[test]
fn every_scheme_is_taken_and_told_of() {
    let bench = Bench::empty();
    let help = bench.command(&["vuln", "compare", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for scheme in seawall_vuln::Scheme::ALL {
        let mut child = compare_by(&bench, scheme.as_str());
        child.stdin.take().unwrap().write_all(b"1.0\t1.1\n1.0\t\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.stdout, b"<\ninvalid\n", "{scheme}");
        assert!(help.contains(scheme.as_str()), "{scheme}: {help}");
    }
}
