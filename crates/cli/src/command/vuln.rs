//! `seawall vuln compare|explain`: version orders on stdin lines; why a flaw is reported or is not.
mod explain;

use crate::exit::{Exit, Failure, Outcome};
use seawall_vuln::Scheme;
use std::io::{self, BufRead, Write};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Read `A<TAB>B` lines and print `<`, `=`, `>` or `invalid` for each, in order
    Compare {
        #[arg(long, value_name = "S", help = format!("The version order: {}", list()))]
        scheme: String,
    },
    /// Say why a flaw is reported of a target, or why it is not
    Explain(Box<explain::Args>),
}

/// Every scheme, as sentences name several.
fn list() -> String {
    let [first @ .., last] = Scheme::ALL.map(Scheme::as_str);
    format!("{} or {last}", first.join(", "))
}

impl Verb {
    pub(crate) fn run(self) -> Outcome {
        let scheme = match self {
            Self::Explain(args) => return args.run(),
            Self::Compare { scheme } => scheme,
        };
        let scheme: Scheme = scheme
            .parse()
            .map_err(|error: seawall_vuln::order::UnknownScheme| Failure::usage(error))?;
        match compare(scheme) {
            // A reader that went away (`| head`) ends the program quietly, as pipes do.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Pass),
            other => Ok(other.map(|()| Exit::Pass)?),
        }
    }
}

/// Answers every line. What asks line by line and waits gets its answer: nothing stays buffered while no whole
/// question does.
fn compare(scheme: Scheme) -> io::Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    let mut stdin = io::BufReader::with_capacity(INPUT, io::stdin().lock());
    let mut line = Vec::new();
    while stdin.read_until(b'\n', &mut line)? > 0 {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        writeln!(stdout, "{}", scheme.compare_line(text))?;
        line.clear();
        if !stdin.buffer().contains(&b'\n') {
            stdout.flush()?;
        }
    }
    stdout.flush()
}

/// Bytes read at once: more than the standard library buffers below, which then passes them through.
const INPUT: usize = 64 * 1024;
