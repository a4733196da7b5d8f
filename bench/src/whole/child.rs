//! Another process of this program, which says where it listens and ends with our end of its standard input.
use anyhow::{Context, ensure};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Ended when it is dropped.
pub(super) struct Other {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Other {
    /// Starts it and reads the first line that it prints.
    pub(super) fn start(arguments: &[String]) -> anyhow::Result<(Self, String)> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().with_context(|| format!("cannot start {arguments:?}"))?;
        let stdin = process.stdin.take();
        let mut stdout = BufReader::new(process.stdout.take().context("it has no stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        ensure!(!line.is_empty(), "{arguments:?} ended before it listened");
        Ok((Self { process, stdin, stdout }, line.trim_end().to_owned()))
    }

    /// Ends it; what it printed since.
    pub(super) fn end(mut self) -> anyhow::Result<String> {
        drop(self.stdin.take());
        let mut told = String::new();
        self.stdout.read_to_string(&mut told)?;
        ensure!(self.process.wait()?.success(), "it failed");
        Ok(told)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _gone_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// Returns when standard input ends.
pub(super) async fn until_stdin_ends() {
    let wait = || std::io::stdin().lock().read_to_end(&mut Vec::new());
    let _unreadable_is_an_end_too = tokio::task::spawn_blocking(wait).await;
}
