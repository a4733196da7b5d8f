//! stdout for results, stderr for everything else. Names come from images and files of strangers: what steers a
//! terminal or hides in a line is escaped in both.
use seawall_model::time::{Clock, SystemClock};
use seawall_model::{Millis, Problem};
pub(crate) use seawall_scan::escape;
use seawall_scan::escape_json;
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

/// Prints text to stdout. A reader that went away (`| head`) ends the program quietly, as pipes do.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    quiet(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Ends the program, as [`print`] does, where stdout's reader went away.
pub(crate) fn quiet(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other,
    }
}

/// Pretty JSON and a line end.
pub(crate) fn print_json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    print(&(escape_json(&text) + "\n"))
}

/// One JSON value on one line.
pub(crate) fn print_json_line(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value)?;
    print(&(escape_json(&text) + "\n"))
}

/// Problems on stderr, as lines or as one JSON object each.
pub(crate) fn print_problems(problems: &[Problem], format: Format) {
    problems.iter().for_each(|problem| eprint!("{}", problem_text(problem, format)));
}

fn problem_text(problem: &Problem, format: Format) -> String {
    match format {
        Format::Json => {
            escape_json(&serde_json::to_string(problem).expect("plain values serialise")) + "\n"
        }
        Format::Table => {
            let help = problem.help.as_ref().map(|help| format!("   |  {}\n", escape(help)));
            format!("{}\n{}", escape(&problem.to_string()), help.unwrap_or_default())
        }
    }
}

/// An error and what to do about it.
pub(crate) fn error(message: &str, help: Option<&str>) {
    eprint!("{}", error_text(message, help));
}

fn error_text(message: &str, help: Option<&str>) -> String {
    let help = help.map(|help| format!("  help: {}\n", escape(help))).unwrap_or_default();
    format!("error: {}\n{help}", escape(message))
}

/// A table of aligned columns under a header; the last column is never padded.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| escape(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    if text.is_empty() {
        text.push('\n');
    }
    text
}

/// The moment that documents bear: that of `$SOURCE_DATE_EPOCH`, in seconds, so that the same input can give the same
/// bytes, else now. Epoch milliseconds. Source: Reproducible Builds, SOURCE_DATE_EPOCH specification 1.1.
pub(crate) fn made() -> Millis {
    let asked =
        std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse::<Millis>().ok());
    asked.and_then(|seconds| seconds.checked_mul(1_000)).unwrap_or_else(|| SystemClock.now())
}

/// Where this user's derived files lie. `None` without a home: a directory that all users share would let any of them
/// say what an image holds. Source: XDG Base Directory Specification, which ignores relative paths.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".cache"));
    absolute("XDG_CACHE_HOME").or_else(home).map(|base| base.join("seawall"))
}

/// Where the hub and its local agents keep what must last. Source: Filesystem Hierarchy Standard, XDG Base Directory
/// Specification.
pub(crate) fn data_dir() -> std::path::PathBuf {
    // The owner of /proc/self is the effective user.
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|about| std::os::unix::fs::MetadataExt::uid(&about) == 0);
    if is_root {
        return "/var/lib/seawall".into();
    }
    let named = std::env::var_os("XDG_DATA_HOME").filter(|path| !path.is_empty());
    let home =
        || std::env::var_os("HOME").map(|home| std::path::Path::new(&home).join(".local/share"));
    let base = named.map(Into::into).or_else(home).unwrap_or_else(std::env::temp_dir);
    base.join("seawall")
}

#[test]
fn nothing_on_stderr_steers_a_terminal() {
    const HOSTILE: &str = "a\u{1b}[2J\nerror: b\u{202e}c\r\u{9b}";
    let problem = Problem::gap("code", HOSTILE).file(HOSTILE).item(HOSTILE).help(HOSTILE);
    for (text, lines) in [
        (problem_text(&problem, Format::Table), 2),
        (problem_text(&problem, Format::Json), 1),
        (error_text(HOSTILE, Some(HOSTILE)), 2),
        (table(&["A"], &[vec![HOSTILE.to_owned()]]), 2),
    ] {
        let hostile = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(hostile), "{text:?}");
        assert_eq!(text.lines().count(), lines, "{text:?}");
    }
    let json = problem_text(&problem, Format::Json);
    assert_eq!(serde_json::from_str::<Problem>(&json).unwrap(), problem);
}
