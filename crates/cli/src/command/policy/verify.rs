//! `seawall policy verify`: suites of tests of Gatekeeper's templates and constraints.
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use anyhow::{Context, anyhow};
use regex::Regex;
use seawall_policy::suite::{self, CaseResult, Filter, Suite, Verdict};
use seawall_posture::yaml;
use seawall_rego::{Clock, Limits};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The Kubernetes whose CEL templates compile with.
const MINOR: u32 = 36;
/// One evaluation in a test, as in scans.
const TIME: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Suites, directories of suites, or `DIR/...` for those below it too
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Only tests whose name, case or `TEST > CASE` this matches
    #[arg(long, value_name = "REGEX")]
    run: Option<Regex>,
    /// Only tests of templates of this engine
    #[arg(long, value_parser = ["cel", "rego"])]
    engine: Option<String>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
    Junit,
}

/// One suite's results, or why it has none.
struct Ran {
    suite: String,
    results: Result<Vec<CaseResult>, String>,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let filter = Filter { name: self.run.clone(), engine: self.engine.clone() };
        let mut ran = Vec::new();
        for path in &self.paths {
            for file in suites(path)? {
                ran.extend(run(&file, &filter)?);
            }
        }
        if ran.is_empty() {
            let paths: Vec<String> =
                self.paths.iter().map(|path| path.display().to_string()).collect();
            return Err(Failure::usage(anyhow!("no suite found in {}", paths.join(", "))));
        }
        match self.format {
            Format::Table => output::print(&table(&ran))?,
            Format::Json => output::print_json(&json(&ran))?,
            Format::Junit => output::print(&junit(&ran))?,
        }
        let failed = ran.iter().any(|ran| match &ran.results {
            Err(_) => true,
            Ok(results) => {
                results.iter().any(|result| matches!(result.verdict, Verdict::Failed(_)))
            }
        });
        Ok(if failed { Exit::Findings } else { Exit::Pass })
    }
}

/// The files that a path stands for: as with gator a directory's own, and with `/...` those below it.
fn suites(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    const EXTENSIONS: &[&str] = &["yaml", "yml"];
    if path.file_name().is_some_and(|name| name == "...") {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return crate::files::below(dir, EXTENSIONS);
    }
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in
        std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?
    {
        let file = entry?.path();
        let wanted =
            file.extension().and_then(|e| e.to_str()).is_some_and(|e| EXTENSIONS.contains(&e));
        if wanted && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// `None`: the file holds no suite.
fn run(file: &Path, filter: &Filter) -> Result<Option<Ran>, Failure> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    if !text.contains("test.gatekeeper.sh") {
        return Ok(None);
    }
    let name = file.display().to_string();
    let parsed = match documents(&text) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Some(Ran { suite: name, results: Err(error) })),
    };
    let parsed = parsed.iter().find_map(|document| Suite::parse(document).transpose());
    let suite = match parsed {
        None => return Ok(None),
        Some(Err(error)) => return Ok(Some(Ran { suite: name, results: Err(error) })),
        Some(Ok(suite)) => suite,
    };
    let dir = file.parent().unwrap_or(Path::new(""));
    let files = |path: &str| {
        let path = dir.join(path);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        documents(&text)
            .map_err(|error| format!("reading {:?}: {error}", path.display().to_string()))
    };
    let begin = Instant::now();
    let clock = Clock { read: Rc::new(move || begin.elapsed()), limit: TIME };
    let limits = Limits { clock: Some(clock), now: Some(now()), ..Limits::default() };
    Ok(Some(Ran { suite: name, results: Ok(suite::run(&suite, &files, filter, MINOR, &limits)) }))
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// The documents of a file that are not empty, without null members' meaning changed.
fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    for (_, line, text) in yaml::documents(text) {
        match yaml::parse(text) {
            Ok(None) => {}
            Ok(Some(node)) => values.push(node.to_json()),
            Err(error) => return Err(format!("line {}: {}", line + error.line - 1, error.message)),
        }
    }
    Ok(values)
}

fn title(suite: &str, result: &CaseResult) -> String {
    match result.case.as_str() {
        "" => format!("{suite} > {}", result.test),
        case => format!("{suite} > {} > {case}", result.test),
    }
}

fn table(ran: &[Ran]) -> String {
    let mut text = String::new();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for Ran { suite, results } in ran {
        let results = match results {
            Ok(results) => results,
            Err(error) => {
                failed += 1;
                let _ = writeln!(text, "{}", output::escape(&format!("FAIL {suite}: {error}")));
                continue;
            }
        };
        for result in results {
            let title = title(suite, result);
            let line = match &result.verdict {
                Verdict::Passed => {
                    passed += 1;
                    format!("ok {title}")
                }
                Verdict::Failed(reason) => {
                    failed += 1;
                    format!("FAIL {title}: {reason}")
                }
                Verdict::Skipped => {
                    skipped += 1;
                    format!("skip {title}")
                }
            };
            let _ = writeln!(text, "{}", output::escape(&line));
        }
    }
    let _ = writeln!(text, "{passed} passed, {failed} failed, {skipped} skipped");
    text
}

fn json(ran: &[Ran]) -> Value {
    let one = |suite: &str, result: &CaseResult| {
        let (verdict, reason) = match &result.verdict {
            Verdict::Passed => ("ok", None),
            Verdict::Failed(reason) => ("FAIL", Some(reason)),
            Verdict::Skipped => ("skip", None),
        };
        serde_json::json!({"suite": suite, "test": result.test, "case": result.case, "result": verdict, "reason": reason})
    };
    let mut cases = Vec::new();
    for Ran { suite, results } in ran {
        match results {
            Ok(results) => cases.extend(results.iter().map(|result| one(suite, result))),
            Err(error) => cases.push(serde_json::json!({
                "suite": suite, "test": "", "case": "", "result": "FAIL", "reason": error})),
        }
    }
    Value::Array(cases)
}

fn junit(ran: &[Ran]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for Ran { suite, results } in ran {
        let broken = |error: &String| CaseResult {
            test: "suite".to_owned(),
            case: String::new(),
            verdict: Verdict::Failed(error.clone()),
        };
        let results = match results {
            Ok(results) => results.clone(),
            Err(error) => vec![broken(error)],
        };
        let count =
            |is: fn(&Verdict) -> bool| results.iter().filter(|result| is(&result.verdict)).count();
        let failures = count(|verdict| matches!(verdict, Verdict::Failed(_)));
        let skipped = count(|verdict| matches!(verdict, Verdict::Skipped));
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\">",
            xml(suite),
            results.len()
        );
        for result in &results {
            let case = if result.case.is_empty() { &result.test } else { &result.case };
            let _ = write!(
                text,
                "    <testcase classname=\"{}\" name=\"{}\"",
                xml(&result.test),
                xml(case)
            );
            let _ = match &result.verdict {
                Verdict::Passed => writeln!(text, "/>"),
                Verdict::Failed(reason) => {
                    writeln!(text, "><failure message=\"{}\"/></testcase>", xml(reason))
                }
                Verdict::Skipped => writeln!(text, "><skipped/></testcase>"),
            };
        }
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

/// Text within an attribute; characters that XML 1.0 cannot hold are shown as spaces.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            char if char < ' ' && char != '\t' => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(path: &str, run: Option<&str>, format: Format) -> Outcome {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/gatekeeper/");
        let run = run.map(|pattern| Regex::new(pattern).unwrap());
        Args { paths: vec![format!("{folder}{path}").into()], run, engine: None, format }.run()
    }

    #[test]
    fn exit_codes() {
        for format in [Format::Table, Format::Json, Format::Junit] {
            assert_eq!(outcome("templates/...", None, format).unwrap(), Exit::Pass);
            assert_eq!(outcome("suites/assertions", None, format).unwrap(), Exit::Findings);
        }
        assert_eq!(
            outcome("suites/assertions", Some("^three$"), Format::Table).unwrap(),
            Exit::Pass
        );
        assert_eq!(
            outcome("suites/assertions/suite.yaml", Some("no x"), Format::Table).unwrap(),
            Exit::Pass
        );
        // A directory's own files only, and none of these is a suite.
        assert!(outcome("suites", None, Format::Table).is_err());
        assert!(outcome("suites/match/constraints", None, Format::Table).is_err());
    }

    #[test]
    fn junit_is_well_formed() {
        let results = vec![
            CaseResult {
                test: "a & b".to_owned(),
                case: "<c>".to_owned(),
                verdict: Verdict::Failed("\"x\"\n\u{1}".to_owned()),
            },
            CaseResult { test: "t".to_owned(), case: String::new(), verdict: Verdict::Skipped },
        ];
        let text = junit(&[Ran { suite: "s.yaml".to_owned(), results: Ok(results) }]);
        let expected = "  <testsuite name=\"s.yaml\" tests=\"2\" failures=\"1\" skipped=\"1\">\n    \
            <testcase classname=\"a &amp; b\" name=\"&lt;c&gt;\"><failure message=\"&quot;x&quot;&#10; \"/></testcase>\n    \
            <testcase classname=\"t\" name=\"t\"><skipped/></testcase>\n  </testsuite>\n";
        assert!(text.contains(expected), "{text}");
    }
}
