//! `seawall replay`: recorded events or an audit log through the rules, one JSON alert a line.
use crate::command::rules;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use anyhow::Context;
use seawall_model::{Problem, Severity};
use seawall_rules::RuleSet;
use seawall_rules::replay::{AuditReplay, Replay, ReplayAlert, ReplayOptions, has_time};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Stdout, Write};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rules file (repeatable, in order) [default: the catalogue]
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    #[command(flatten)]
    input: Input,
    /// Which of several matching rules alert on one event
    #[arg(long = "match", value_enum, default_value = "all")]
    matching: Matching,
    /// Also print alerts of rules in `mode: audit`
    #[arg(long)]
    all: bool,
    /// Exit 1 on an alert at or over this severity
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<Severity>,
    /// JSON lines is the only form
    #[arg(long, value_parser = ["json"])]
    format: Option<String>,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Input {
    /// Events as `seawall sensor --record` writes them
    #[arg(long, value_name = "FILE.jsonl")]
    events: Option<PathBuf>,
    /// Kubernetes audit log, in any form that API servers, EKS, AKS and GKE write, gzip too; `-` is stdin
    #[arg(long, value_name = "FILE|-")]
    audit: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Matching {
    First,
    All,
}

/// A line over this is no event record: the sensor writes at most a few KiB.
const MAX_LINE_BYTES: usize = 2 << 20;

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let problem_format = if self.format.is_some() { Format::Json } else { Format::Table };
        let (set, problems) = rules::load(&self.rules)?;
        output::print_problems(&problems, problem_format);
        let replayed = self.replay(&set, problem_format);
        if !rules::broken(&problems, false) {
            return replayed;
        }
        // Rules that are wrong stay wrong, whether the events can be read or not.
        let rest =
            replayed.map_or_else(|failure| failure.message(), |_| "the others ran".to_owned());
        Err(Failure::usage(anyhow::anyhow!("some rules did not load; {rest}")))
    }

    fn replay(&self, set: &RuleSet, problem_format: Format) -> Outcome {
        let options =
            ReplayOptions { first_match: self.matching == Matching::First, audit: self.all };
        let file = self.input.audit.as_deref().or(self.input.events.as_deref());
        let file = file.expect("the argument parser demands one of the two");
        let name = if is_stdin(file) && self.input.audit.is_some() {
            "stdin".into()
        } else {
            file.display().to_string()
        };
        let mut printer = Printer {
            stdout: std::io::BufWriter::new(std::io::stdout()),
            fail_on: self.fail_on,
            over: false,
            name,
            problem_format,
        };
        let undecodable = match &self.input.audit {
            Some(file) => replay_audit(file, AuditReplay::new(set, options), &mut printer)?,
            None => replay_events(file, set, options, &mut printer)?,
        };
        printer.stdout.flush()?;
        Ok(match (printer.over, undecodable) {
            (true, _) => Exit::Findings,
            (false, 0) => Exit::Pass,
            (false, _) => Exit::Incomplete,
        })
    }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// Alerts to stdout, problems to stderr.
struct Printer {
    stdout: std::io::BufWriter<Stdout>,
    fail_on: Option<Severity>,
    /// An alert reached the severity.
    over: bool,
    name: String,
    problem_format: Format,
}

impl Printer {
    fn alerts(&mut self, alerts: &[ReplayAlert]) -> std::io::Result<()> {
        for alert in alerts {
            self.over |= self.fail_on.is_some_and(|level| alert.severity.meets(level));
            serde_json::to_writer(&mut self.stdout, &alert.json).map_err(std::io::Error::from)?;
            self.stdout.write_all(b"\n")?;
        }
        Ok(())
    }

    fn problems(&self, problems: impl IntoIterator<Item = Problem>) {
        let placed: Vec<_> = problems.into_iter().map(|problem| problem.file(&self.name)).collect();
        output::print_problems(&placed, self.problem_format);
    }
}

/// Returns how many records did not decode.
fn replay_events(
    file: &Path,
    set: &RuleSet,
    options: ReplayOptions,
    printer: &mut Printer,
) -> anyhow::Result<u64> {
    let mut reader = BufReader::new(open(file)?);
    // Whether any record carries a time decides how windows go, so the file is read twice, never held.
    let mut timed = false;
    let mut line = Vec::new();
    while !timed && read_line(&mut reader, &mut line)? {
        timed = std::str::from_utf8(&line).is_ok_and(has_time);
    }
    reader.rewind()?;
    let mut replay = Replay::new(set, options, timed);
    let mut undecodable = 0;
    while read_line(&mut reader, &mut line)? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match replay.line(&String::from_utf8_lossy(&line)) {
            Ok((alerts, problems)) => {
                printer.problems(problems);
                printer.alerts(&alerts)?;
            }
            Err(problem) => {
                undecodable += 1;
                printer.problems([problem]);
            }
        }
    }
    printer.problems(replay.untimed());
    Ok(undecodable)
}

/// Returns how many records did not decode, wholly or in part.
fn replay_audit(
    file: &Path,
    mut replay: AuditReplay<'_>,
    printer: &mut Printer,
) -> anyhow::Result<u64> {
    let input: Box<dyn Read> =
        if is_stdin(file) { Box::new(std::io::stdin()) } else { Box::new(open(file)?) };
    let mut reader = plain(input)?;
    loop {
        let chunk = reader.fill_buf().with_context(|| format!("cannot read {}", printer.name))?;
        if chunk.is_empty() {
            break;
        }
        let (alerts, problems) = replay.push(chunk);
        let length = chunk.len();
        reader.consume(length);
        printer.problems(problems);
        printer.alerts(&alerts)?;
    }
    let rest = replay.end();
    printer.problems(rest.problems);
    printer.alerts(&rest.alerts)?;
    Ok(rest.undecodable)
}

fn open(file: &Path) -> anyhow::Result<File> {
    File::open(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The text, unpacked if it is gzip, several members too: rotated logs are joined so.
fn plain(mut input: Box<dyn Read>) -> std::io::Result<Box<dyn BufRead>> {
    const MAGIC: [u8; 2] = [0x1f, 0x8b];
    let mut head = Vec::new();
    input.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head)?;
    let packed = head == MAGIC;
    let whole = std::io::Cursor::new(head).chain(input);
    Ok(match packed {
        true => Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(whole))),
        false => Box::new(BufReader::new(whole)),
    })
}

/// Reads one line without its end, at most [`MAX_LINE_BYTES`] of it; false at the end of the file.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let text = &chunk[..end.unwrap_or(chunk.len())];
        let room = MAX_LINE_BYTES.saturating_sub(line.len());
        line.extend_from_slice(&text[..text.len().min(room)]);
        let used = end.map_or(chunk.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Call {
        #[command(flatten)]
        args: Args,
    }

    /// The exit code with these rules and with events or without.
    #[track_caller]
    fn check(rules: &str, events: Option<&str>, expected: u8) {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("rules.yaml"), rules).unwrap();
        if let Some(events) = events {
            std::fs::write(path("events.jsonl"), events).unwrap();
        }
        let call = ["replay", "--rules", &path("rules.yaml"), "--events", &path("events.jsonl")];
        let code =
            Call::parse_from(call).args.run().map_or_else(|failure| failure.code(), Into::into);
        assert_eq!(code, std::process::ExitCode::from(expected), "{rules} {events:?}");
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// The exit code of the catalogue with this log, failing on `medium`.
    #[track_caller]
    fn check_audit(log: &[u8], expected: u8) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        std::fs::write(&path, log).unwrap();
        let call = ["replay", "--audit", path.to_str().unwrap(), "--fail-on", "medium"];
        let code =
            Call::parse_from(call).args.run().map_or_else(|failure| failure.code(), Into::into);
        assert_eq!(
            code,
            std::process::ExitCode::from(expected),
            "{}",
            String::from_utf8_lossy(log)
        );
    }

    #[test]
    fn audit_logs_of_any_form_are_read() {
        let record = |name: &str, code: u16| {
            format!(
                r#"{{"kind": "Event", "verb": "create", "auditID": "{name}", "user": {{"username": "alice"}}, "objectRef": {{"resource": "clusterrolebindings", "name": "{name}"}}, "responseStatus": {{"code": {code}}}, "requestObject": {{"roleRef": {{"kind": "ClusterRole", "name": "cluster-admin"}}, "subjects": [{{"kind": "User", "name": "bob"}}]}}}}"#
            )
        };
        let (bad, denied) = (record("a", 201), record("b", 403));
        let azure =
            serde_json::json!({"category": "kube-audit", "properties": {"log": bad}}).to_string();
        check_audit(bad.as_bytes(), 1);
        check_audit(format!("[{denied},{bad}]").as_bytes(), 1);
        check_audit(azure.as_bytes(), 1);
        check_audit(&[gzip(&denied), gzip(&bad)].concat(), 1);
        check_audit(denied.as_bytes(), 0);
        check_audit(b"", 0);
        check_audit(br#"{"kind": "Pod"}"#, 0);
        check_audit(format!("{denied}\n{{\"kind\": \"Ev\n").as_bytes(), 4);
        check_audit(format!("{{\"kind\": \"Ev\n{bad}").as_bytes(), 1);
        check_audit(&gzip(&bad)[..20], 3);
    }

    #[test]
    fn events_and_audit_log_are_alternatives() {
        assert!(Call::try_parse_from(["replay"]).is_err());
        assert!(Call::try_parse_from(["replay", "--audit", "a", "--events", "b"]).is_err());
    }

    #[test]
    fn broken_rules_outweigh_unreadable_events() {
        let sound =
            "- rule: r\n  desc: d\n  condition: proc.pid = 1\n  output: o\n  priority: INFO\n";
        let event = r#"{"evt.type": "execve", "proc.pid": 2}"#;
        check(sound, Some(event), 0);
        check(sound, None, 3);
        check("- rule: r\n", Some(event), 2);
        check("- rule: r\n", None, 2);
        check(sound, Some("{"), 4);
    }
}
