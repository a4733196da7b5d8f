//! How a command ends.
use std::process::ExitCode;

/// The command ran; what it found decides the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Pass,
    /// Findings at or over the threshold, a failed test, a denial.
    Findings,
    /// Something was left out.
    Incomplete,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Pass => Self::SUCCESS,
            Exit::Findings => Self::from(1),
            Exit::Incomplete => Self::from(4),
        }
    }
}

pub(crate) const USAGE: u8 = 2;

/// The command could not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    error: anyhow::Error,
    help: Option<String>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The call or a file it names is wrong.
    Usage,
    /// The world is: a file missing, a port taken, a service away.
    CouldNotRun,
}

impl Failure {
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { kind: Kind::Usage, error: error.into(), help: None }
    }

    pub(crate) fn could_not_run(error: impl Into<anyhow::Error>) -> Self {
        Self { kind: Kind::CouldNotRun, error: error.into(), help: None }
    }

    /// What the user should do next.
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The chain of causes, each once.
    pub(crate) fn message(&self) -> String {
        chain(&self.error)
    }

    pub(crate) fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    pub(crate) fn code(&self) -> ExitCode {
        match self.kind {
            Kind::Usage => USAGE.into(),
            Kind::CouldNotRun => ExitCode::from(3),
        }
    }
}

/// The error and its causes in one line, each once.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if message.is_empty() {
            message = cause;
        } else if !message.ends_with(&cause) {
            message.push_str(": ");
            message.push_str(&cause);
        }
    }
    message
}

/// An error without a kind of its own came from the world.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::could_not_run(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::could_not_run(error)
    }
}

pub(crate) type Outcome = Result<Exit, Failure>;
