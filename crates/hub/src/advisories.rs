//! The advisory index in use. Another process builds it; a new one is taken up while the hub runs.
use crate::api::extract::chain;
use seawall_model::Millis;
use seawall_vuln::IndexSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

/// Owned by the hub; [`Advisories::reload`] is the only one that changes it.
pub(crate) struct Advisories {
    directory: PathBuf,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    index: Option<Arc<IndexSet>>,
    digest: String,
    /// Why there is none, or why a newer one was not taken up.
    problem: Option<String>,
    /// When the manifest was last written, as of the last look.
    seen: Option<SystemTime>,
}

impl Advisories {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, state: RwLock::default() }
    }

    /// Opens the index where its manifest is newer than the one in use. True if matching may now answer differently.
    pub(crate) fn reload(&self) -> bool {
        let manifest = self.directory.join(seawall_feeds::MANIFEST);
        let written = std::fs::metadata(manifest).and_then(|about| about.modified()).ok();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.seen == written && (written.is_some() || state.problem.is_some()) {
            return false;
        }
        state.seen = written;
        match seawall_feeds::open(&self.directory) {
            Ok(index) => {
                let digest = index.digest();
                let changed = state.digest != digest;
                (state.index, state.digest, state.problem) = (Some(Arc::new(index)), digest, None);
                changed
            }
            Err(error) => {
                // The last good one stays in use.
                tracing::warn!(error = chain(&error), "advisory index not opened");
                state.problem = Some(chain(&error));
                false
            }
        }
    }

    pub(crate) fn index(&self) -> Option<Arc<IndexSet>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).index.clone()
    }

    pub(crate) fn is_there(&self) -> bool {
        self.index().is_some()
    }

    /// One line for people: what the index is made of, or why there is none. `now` gives its age.
    pub(crate) fn note(&self, now: Millis) -> String {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let Some(index) = &state.index else {
            let problem = state.problem.as_deref().unwrap_or("it was not opened yet");
            return format!("no advisory index: {problem}");
        };
        let info = index.info();
        let segments: Vec<&str> =
            info.segments.iter().map(|segment| segment.name.as_str()).collect();
        let days = info.newest.map(|newest| (now - newest).max(0) / (24 * 60 * 60 * 1000));
        let age = days.map_or(String::new(), |days| format!(", newest record {days} days old"));
        let problem =
            state.problem.as_ref().map_or(String::new(), |problem| format!("; {problem}"));
        format!(
            "{} ecosystems and releases{age}: {}{problem}",
            segments.len(),
            shortened(&segments)
        )
    }
}

/// Names enough to recognise the index by.
fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    let rest = names.len().saturating_sub(SHOWN);
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}
