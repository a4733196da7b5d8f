//! stdout for results, stderr for everything else, control characters escaped in both.
use seawall_model::Problem;
use serde::Serialize;
use std::io::{self, Write};

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

/// Prints text to stdout. A reader that went away (`| head`) ends the program quietly, as pipes do.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other,
    }
}

/// Pretty JSON and a line end.
pub(crate) fn print_json(value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}

/// One JSON value on one line.
pub(crate) fn print_json_line(value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    print(&text)
}

/// Problems on stderr, as lines or as one JSON object each.
pub(crate) fn print_problems(problems: &[Problem], format: Format) {
    for problem in problems {
        match format {
            Format::Json => eprintln!("{}", serde_json::to_string(problem).unwrap_or_default()),
            Format::Table => {
                eprintln!("{}", escape(&problem.to_string()));
                if let Some(help) = &problem.help {
                    eprintln!("   |  {}", escape(help));
                }
            }
        }
    }
}

/// An error and what to do about it.
pub(crate) fn error(message: &str, help: Option<&str>) {
    eprintln!("error: {}", escape(message));
    if let Some(help) = help {
        eprintln!("  help: {help}");
    }
}

/// Names come from images and files of strangers: nothing they hold may steer a terminal.
pub(crate) fn escape(text: &str) -> String {
    let control = |c: char| c.is_control() && c != '\n';
    if !text.contains(control) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if control(c) { c.escape_default().to_string() } else { c.to_string() })
        .collect()
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

/// Where this user's derived files lie. Source: XDG Base Directory Specification.
pub(crate) fn cache_dir() -> std::path::PathBuf {
    let named = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty());
    let home = || std::env::var_os("HOME").map(|home| std::path::Path::new(&home).join(".cache"));
    let base = named.map(Into::into).or_else(home).unwrap_or_else(std::env::temp_dir);
    base.join("seawall")
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
