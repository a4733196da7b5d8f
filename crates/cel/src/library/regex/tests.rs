use super::*;
use serde_json::Value;

/// What Go 1.26 answers to patterns that a generator made of all its syntax: `findAll`, or the error.
const ANSWERS: &str = include_str!("answers.jsonl");

#[test]
fn go_agrees() {
    for line in ANSWERS.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let pattern = row["pattern"].as_str().unwrap();
        match (Regex::new(pattern), row["error"].as_str()) {
            (Ok(regex), None) => {
                let matches = regex.find_all(row["text"].as_str().unwrap(), -1);
                assert_eq!(Value::from(matches), row["matches"], "{line}");
            }
            (Err(error), Some(expected)) => assert_eq!(error, expected),
            (got, _) => panic!("{line}: {got:?}"),
        }
    }
}

#[test]
fn matches_are_counted() {
    let regex = Regex::new("[a-z]").unwrap();
    assert_eq!(regex.find_all("abc", 2), ["a", "b"]);
    assert_eq!(regex.find_all("abc", 0), [""; 0]);
    assert_eq!(regex.find("1b"), "b");
    assert_eq!(regex.find("1"), "");
}

#[test]
fn flags_wait_for_the_next_item() {
    let check = |pattern: &str, expected: &str| assert_eq!(translate(pattern).unwrap(), expected);
    check("a(?i)*b", "a*(?i-msU)b");
    check("a(?U)+?b", "a+(?U-ims)b");
    check("(?i)a|b(?s:.)", "(?i-msU)a|b(?is-mU:.)");
}

#[test]
fn limits_are_told() {
    let error = Regex::new(r"\pL{1000}").unwrap_err();
    assert_eq!(error, r"regular expression needs more than 10 MiB: `\pL{1000}`");
    assert!(Regex::new(&"(".repeat(300)).is_err());
    let deep = format!("{}{}", "(".repeat(300), ")".repeat(300));
    assert!(Regex::new(&deep).unwrap_err().contains("is not supported here"));
}

#[test]
fn computed_expressions_are_remembered_and_the_same() {
    for round in 0..3 {
        for number in 0..200 {
            let regex = Regex::computed(&format!("^a{number}$")).unwrap();
            assert!(regex.is_match(&format!("a{number}")) && !regex.is_match("b"), "{round}");
        }
    }
    assert!(Regex::computed(r"\pL{60}").unwrap().is_match(&"x".repeat(60)));
    assert_eq!(Regex::computed("(").unwrap_err(), Regex::new("(").unwrap_err());
}
