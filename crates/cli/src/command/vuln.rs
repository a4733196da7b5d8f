//! `seawall vuln compare`: version orders on stdin lines.
use crate::exit::{Exit, Failure, Outcome};
use seawall_vuln::Scheme;
use std::io::{self, BufRead, Write};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Read `A<TAB>B` lines and print `<`, `=`, `>` or `invalid` for each, in order
    Compare {
        /// The version order: debian, pypi or semver
        #[arg(long, value_name = "S")]
        scheme: String,
    },
}

impl Verb {
    pub(crate) fn run(self) -> Outcome {
        let Self::Compare { scheme } = self;
        let scheme: Scheme = scheme
            .parse()
            .map_err(|error: seawall_vuln::order::UnknownScheme| Failure::usage(error))?;
        let mut stdout = io::BufWriter::new(io::stdout().lock());
        let mut stdin = io::stdin().lock();
        let mut line = Vec::new();
        while stdin.read_until(b'\n', &mut line)? > 0 {
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            writeln!(stdout, "{}", scheme.compare_line(text))?;
            line.clear();
        }
        stdout.flush()?;
        Ok(Exit::Pass)
    }
}
