//! Every suite below `e2e/gatekeeper`, case by case: against what gator said, which `e2e/gatekeeper/gator.txt` holds,
//! and against gator itself where `SEAWALL_GATOR` names it or it is on the PATH.
//!
//! `SEAWALL_BLESS=1` writes the file anew, from gator.
use seawall_policy::suite::{self, Filter, Suite, Verdict};
use seawall_rego::Limits;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Kubernetes whose CEL gator 3.23 has.
const MINOR: u32 = 35;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/gatekeeper")
}

/// `SUITE > TEST > CASE` → `ok`, `FAIL` or `skip`; a test that has no cases, or did not get to them, stands alone.
type Verdicts = BTreeMap<String, String>;

fn documents(path: &Path) -> Result<Vec<Value>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let parsed: Vec<Value> =
        serde_saphyr::from_multiple(&text).map_err(|error| error.to_string())?;
    Ok(parsed.into_iter().filter(|document| !document.is_null()).collect())
}

fn suites(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder of the repository") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            suites(&path, found);
        } else if path.file_name().is_some_and(|name| name == "suite.yaml") {
            found.push(path);
        }
    }
    found.sort();
}

fn ours() -> (Verdicts, BTreeMap<String, String>) {
    let (mut verdicts, mut reasons) = (Verdicts::new(), BTreeMap::new());
    let mut files = Vec::new();
    suites(&folder(), &mut files);
    for file in files {
        let document = documents(&file).expect("a suite is YAML").remove(0);
        let suite = Suite::parse(&document).expect("fields of their types").expect("a suite");
        let dir = file.parent().expect("a file below the folder");
        let read = |path: &str| documents(&dir.join(path));
        let limits = Limits { now: Some(0), ..Limits::default() };
        let name =
            dir.strip_prefix(folder()).expect("a file below the folder").display().to_string();
        for result in suite::run(&suite, &read, &Filter::default(), MINOR, &limits) {
            let title = match result.case.as_str() {
                "" => format!("{name} > {}", result.test),
                case => format!("{name} > {} > {case}", result.test),
            };
            let word = match result.verdict {
                Verdict::Passed => "ok",
                Verdict::Skipped => "skip",
                Verdict::Failed(reason) => {
                    reasons.insert(title.clone(), reason);
                    "FAIL"
                }
            };
            assert!(
                verdicts.insert(title.clone(), word.to_owned()).is_none(),
                "{title} stands twice"
            );
        }
    }
    (verdicts, reasons)
}

/// Reads what `gator verify -v` prints: cases, then their test, then the suite.
fn parse(printed: &str) -> Verdicts {
    let mut verdicts = Verdicts::new();
    let (mut cases, mut tests) = (Vec::new(), Vec::new());
    for line in printed.lines() {
        let inner = line.starts_with("    ");
        let rest = line.trim_start();
        let named = |prefix: &str| {
            rest.strip_prefix(prefix)
                .map(|rest| rest.split('\t').next().unwrap_or(rest).trim().to_owned())
        };
        let verdict = [
            ("--- PASS: ", "ok"),
            ("--- FAIL: ", "FAIL"),
            ("=== SKIP ", "skip"),
            ("--- SKIP: ", "skip"),
        ]
        .into_iter()
        .find_map(|(prefix, word)| named(prefix).map(|name| (name, word)));
        if let Some((name, word)) = verdict {
            if inner {
                cases.push((name, word));
            } else if cases.is_empty() {
                tests.push((name, word));
            } else {
                tests
                    .extend(cases.drain(..).map(|(case, word)| (format!("{name} > {case}"), word)));
            }
            continue;
        }
        let path = line.split_whitespace().nth(1).filter(|path| path.ends_with("/suite.yaml"));
        if let Some(path) = path {
            let (_, suite) = path.rsplit_once("e2e/gatekeeper/").expect("a path below the folder");
            let suite = suite.trim_end_matches("/suite.yaml");
            for (test, word) in tests.drain(..) {
                verdicts.insert(format!("{suite} > {test}"), word.to_owned());
            }
        }
    }
    verdicts
}

fn gator() -> Option<Verdicts> {
    let program = std::env::var_os("SEAWALL_GATOR").unwrap_or_else(|| "gator".into());
    let folder = folder().canonicalize().expect("the folder is there");
    let output = Command::new(program)
        .arg("verify")
        .arg("-v")
        .arg("--enable-k8s-native-validation")
        .arg(format!("{}/...", folder.display()))
        .output();
    let output = output.ok()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("--- PASS"), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(parse(&printed))
}

/// Where gator stops at a test, all its cases of ours must have failed; where it skips one, they are skipped.
fn differences(ours: &Verdicts, theirs: &Verdicts) -> Vec<String> {
    let mut differences = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (title, theirs) in theirs {
        let below = format!("{title} > ");
        let same: Vec<_> = match ours.get_key_value(title) {
            Some(found) => vec![found],
            None => ours.iter().filter(|(ours, _)| ours.starts_with(&below)).collect(),
        };
        if same.is_empty() {
            differences.push(format!("{title}: gator {theirs}, ours none"));
        }
        for (title, ours) in same {
            seen.insert(title.clone());
            if ours != theirs {
                differences.push(format!("{title}: gator {theirs}, ours {ours}"));
            }
        }
    }
    // A skipped suite is one line of gator's that names no test.
    differences.extend(
        ours.iter()
            .filter(|(title, word)| !seen.contains(*title) && *word != "skip")
            .map(|(title, word)| format!("{title}: gator none, ours {word}")),
    );
    differences
}

fn recorded() -> Verdicts {
    let text = std::fs::read_to_string(folder().join("gator.txt")).unwrap_or_default();
    let line = |line: &str| {
        let (word, title) = line.split_once(' ')?;
        Some((title.to_owned(), word.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[test]
fn gator_agrees_case_by_case() {
    let (ours, reasons) = ours();
    let theirs = gator();
    match &theirs {
        None => eprintln!(
            "skipped: gator itself: set SEAWALL_GATOR or install it (`make oracles` does)"
        ),
        Some(theirs) if std::env::var_os("SEAWALL_BLESS").is_some() => {
            let lines: Vec<String> =
                theirs.iter().map(|(title, word)| format!("{word} {title}\n")).collect();
            std::fs::write(folder().join("gator.txt"), lines.concat()).unwrap();
        }
        Some(theirs) => assert_eq!(*theirs, recorded(), "gator.txt is not what this gator says"),
    }
    let expected = recorded();
    assert!(expected.len() > 300, "gator.txt holds {} verdicts", expected.len());
    let differences = differences(&ours, &expected);
    let told: Vec<String> = differences
        .iter()
        .map(|line| {
            let title = line.split(": gator ").next().unwrap_or_default();
            format!("{line} {}", reasons.get(title).map_or("", String::as_str))
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {}:\n{}",
        differences.len(),
        expected.len(),
        told.join("\n")
    );
    eprintln!("{} verdicts agree", expected.len());
}
