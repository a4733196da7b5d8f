//! How registries are reached.
use super::credential::{Credential, Secret};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// How registries are reached; the default is what `docker pull` would do on this machine.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Certificates in PEM that are trusted beside the system's.
    pub ca: Option<String>,
    /// `host[:port]`, whose certificate is not checked and that may speak plain http. This machine's own addresses
    /// may do the latter unnamed.
    pub insecure: Vec<String>,
    /// Registry → `[http://]host[:port][/prefix]` tried before it, in order.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// Registry, as `host[:port]` → what it gets. Before all files, helpers and clouds.
    pub credentials: BTreeMap<String, Credential>,
    pub environment: Environment,
    pub pace: Pace,
}

/// Where variables come from: credentials of files, helpers and clouds are found by them.
#[derive(Clone, Debug, Default)]
pub enum Environment {
    #[default]
    Process,
    /// These alone; a helper gets no others either.
    Given(BTreeMap<String, Secret>),
}

impl Environment {
    /// `None` where it is not set, empty or no UTF-8.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = match self {
            Self::Process => std::env::var(name).ok(),
            Self::Given(variables) => variables.get(name).map(|value| value.expose().to_owned()),
        };
        value.filter(|value| !value.is_empty())
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        self.get("HOME").map(PathBuf::from)
    }

    #[cfg(test)]
    pub(super) fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), Secret::from(value));
        Self::Given(variables.into_iter().map(owned).collect())
    }
}

/// How often and how long things are tried.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Tries of one request, the first included.
    pub tries: u32,
    /// Before the second try; doubled for each further one.
    pub wait: Duration,
    /// All waits of one request together, those that a registry asks for included.
    pub patience: Duration,
    /// Until a connection stands.
    pub connect: Duration,
    /// Longest silence while an answer is awaited or read.
    pub silence: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            tries: 5,
            wait: Duration::from_millis(500),
            patience: Duration::from_secs(60),
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
        }
    }
}
