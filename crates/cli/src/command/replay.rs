//! `seawall replay`: recorded events through the rules, one JSON alert a line.
use crate::command::rules;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use anyhow::Context;
use seawall_model::Severity;
use seawall_rules::RuleSet;
use seawall_rules::replay::{Replay, ReplayOptions, has_time};
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rules file (repeatable, in order) [default: the catalogue]
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// Events as `seawall sensor --record` writes them
    #[arg(long, value_name = "FILE.jsonl")]
    events: PathBuf,
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
        let name = self.events.display().to_string();
        let file = File::open(&self.events).with_context(|| format!("cannot read {name}"))?;
        let mut reader = BufReader::new(file);
        // Whether any record carries a time decides how windows go, so the file is read twice, never held.
        let mut timed = false;
        let mut line = Vec::new();
        while !timed && read_line(&mut reader, &mut line)? {
            timed = std::str::from_utf8(&line).is_ok_and(has_time);
        }
        reader.rewind()?;
        let options =
            ReplayOptions { first_match: self.matching == Matching::First, audit: self.all };
        let mut replay = Replay::new(set, options, timed);
        let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
        let (mut undecodable, mut over) = (0_u64, false);
        while read_line(&mut reader, &mut line)? {
            if line.trim_ascii().is_empty() {
                continue;
            }
            match replay.line(&String::from_utf8_lossy(&line)) {
                Ok((alerts, problems)) => {
                    let problems: Vec<_> =
                        problems.into_iter().map(|problem| problem.file(&name)).collect();
                    output::print_problems(&problems, problem_format);
                    for alert in alerts {
                        over |= self.fail_on.is_some_and(|level| alert.severity.meets(level));
                        serde_json::to_writer(&mut stdout, &alert.json)
                            .map_err(std::io::Error::from)?;
                        stdout.write_all(b"\n")?;
                    }
                }
                Err(problem) => {
                    undecodable += 1;
                    output::print_problems(&[problem.file(&name)], problem_format);
                }
            }
        }
        stdout.flush()?;
        output::print_problems(
            &replay.untimed().map(|problem| problem.file(&name)).into_iter().collect::<Vec<_>>(),
            problem_format,
        );
        Ok(match (over, undecodable) {
            (true, _) => Exit::Findings,
            (false, 0) => Exit::Pass,
            (false, _) => Exit::Incomplete,
        })
    }
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
