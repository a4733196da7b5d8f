//! Whether the entry may say `Fail`: only while somebody else answers when this agent is gone, and after a day without
//! an error. A webhook that refuses what nobody judges stops a cluster the first time that nobody can.
use seawall_model::Millis;
use seawall_model::time::Clock;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Ready agents, and nodes they run on, without which one restart would stop every deployment.
const NEEDED: Replicas = Replicas { ready: 2, nodes: 2 };
/// The product's own figure for [`Guard::calm`]: a day, so that whatever happens daily has happened.
pub const CALM: Duration = Duration::from_secs(24 * 60 * 60);

/// What becomes of a request that nobody judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FailurePolicy {
    /// It passes.
    #[default]
    Ignore,
    /// It is refused.
    Fail,
}

impl FailurePolicy {
    /// As `admissionregistration.k8s.io/v1` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "Ignore",
            Self::Fail => "Fail",
        }
    }
}

/// Agents of this cluster that answer reviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replicas {
    /// Pods that are ready and not being deleted.
    pub ready: usize,
    /// Nodes that these run on.
    pub nodes: usize,
}

/// What the guard asks. A sender that is gone means that its last word stays.
#[derive(Clone)]
pub struct Guard {
    pub clock: Arc<dyn Clock>,
    /// None while nobody knows.
    pub replicas: watch::Receiver<Option<Replicas>>,
    /// This agent's own last error, epoch milliseconds.
    pub last_error: watch::Receiver<Option<Millis>>,
    /// How long there must have been no error.
    pub calm: Duration,
    /// True once this agent ends: whoever stays decides anew.
    pub leaving: watch::Receiver<bool>,
}

/// Which failure policy stands, and what keeps it from being the one that is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub policy: FailurePolicy,
    pub why: Option<Hindrance>,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failurePolicy {}", self.policy.as_str())?;
        self.why.map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}

/// Why `Fail` does not stand although it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// This agent ends.
    Leaving,
    /// How many agents are ready is not known.
    Unknown,
    /// Too few are.
    Few(Replicas),
    /// Epoch milliseconds of the last error, and until when it counts.
    Recent { last_error: Millis, until: Millis },
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaving => write!(f, "this agent ends"),
            Self::Unknown => write!(f, "how many agents are ready is not known"),
            Self::Few(Replicas { ready, nodes }) => write!(
                f,
                "ready agents {ready}, nodes {nodes}; Fail needs {} and {}",
                NEEDED.ready, NEEDED.nodes
            ),
            Self::Recent { last_error, until } => {
                write!(f, "the last error was at {}, Fail from {}", text(*last_error), text(*until))
            }
        }
    }
}

/// What is known at one look.
pub(super) struct Known<'a> {
    /// The annotation.
    pub(super) written: Option<&'a str>,
    /// This agent's own last error.
    pub(super) own: Option<Millis>,
    pub(super) replicas: Option<Replicas>,
    pub(super) leaving: bool,
    pub(super) calm: Duration,
    pub(super) now: Millis,
}

/// What the guard says of one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) standing: Standing,
    /// What the annotation has to say; none where there must be none, so that a later wish for `Fail` does not build on
    /// a time in which errors were not written down.
    pub(super) last_error: Option<String>,
}

pub(super) fn decide(wanted: FailurePolicy, known: &Known<'_>) -> Decision {
    if wanted == FailurePolicy::Ignore {
        return Decision::default();
    }
    let (last_error, text) = known.last_error();
    let until = last_error.saturating_add(known.calm.as_millis().try_into().unwrap_or(Millis::MAX));
    let why = match known.replicas {
        _ if known.leaving => Some(Hindrance::Leaving),
        None => Some(Hindrance::Unknown),
        Some(replicas) if replicas.ready < NEEDED.ready || replicas.nodes < NEEDED.nodes => {
            Some(Hindrance::Few(replicas))
        }
        Some(_) if known.now < until => Some(Hindrance::Recent { last_error, until }),
        Some(_) => None,
    };
    let policy = if why.is_some() { FailurePolicy::Ignore } else { FailurePolicy::Fail };
    Decision { standing: Standing { policy, why }, last_error: Some(text) }
}

impl Known<'_> {
    /// The last error, and how the annotation tells it. A time that is absent, unreadable or yet to come counts as now;
    /// so does one at which nobody answers.
    fn last_error(&self) -> (Millis, String) {
        let read = self.written.and_then(read).filter(|time| *time <= self.now);
        let nobody = self.replicas.is_some_and(|replicas| replicas.ready == 0);
        let kept = if nobody { self.now } else { read.unwrap_or(self.now) };
        let last_error = self.own.map_or(kept, |own| own.min(self.now).max(kept));
        match self.written {
            Some(written) if read == Some(last_error) => (last_error, written.to_owned()),
            _ => (last_error, text(last_error)),
        }
    }
}

fn read(text: &str) -> Option<Millis> {
    text.parse().ok().map(|time: jiff::Timestamp| time.as_millisecond())
}

/// RFC 3339; a time outside its years as the number it is.
fn text(time: Millis) -> String {
    jiff::Timestamp::from_millisecond(time)
        .map_or_else(|_| time.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Millis = 86_400_000;
    /// 2026-01-02T00:00:00Z
    const NOW: Millis = 1_767_312_000_000;

    fn known(written: Option<&str>, replicas: Option<(usize, usize)>) -> Known<'_> {
        let replicas = replicas.map(|(ready, nodes)| Replicas { ready, nodes });
        Known { written, own: None, replicas, leaving: false, calm: CALM, now: NOW }
    }

    #[track_caller]
    fn check(known: &Known<'_>, expected: FailurePolicy, last_error: &str) {
        let decision = decide(FailurePolicy::Fail, known);
        assert_eq!(decision.standing.policy, expected, "{}", decision.standing);
        assert_eq!(decision.standing.why.is_none(), expected == FailurePolicy::Fail);
        assert_eq!(decision.last_error.as_deref(), Some(last_error));
    }

    #[test]
    fn fail_needs_two_agents_on_two_nodes_and_a_day_of_calm() {
        use FailurePolicy::{Fail, Ignore};
        let (now, yesterday) = ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z");
        let two = Some((2, 2));
        let calm = |replicas| known(Some(yesterday), replicas);
        check(&calm(two), Fail, yesterday);
        check(&calm(Some((3, 2))), Fail, yesterday);
        check(&calm(Some((2, 1))), Ignore, yesterday);
        check(&calm(Some((1, 1))), Ignore, yesterday);
        check(&calm(None), Ignore, yesterday);
        check(&Known { leaving: true, ..calm(two) }, Ignore, yesterday);
        check(&known(Some("2026-01-01T00:00:00.001Z"), two), Ignore, "2026-01-01T00:00:00.001Z");
        // Whoever writes it may write it in its own way.
        check(&known(Some("2026-01-01T01:00:00+01:00"), two), Fail, "2026-01-01T01:00:00+01:00");
        // Absent, unreadable and yet to come are now.
        check(&known(None, two), Ignore, now);
        check(&known(Some("yesterday"), two), Ignore, now);
        check(&known(Some("2026-01-02T00:00:01Z"), two), Ignore, now);
        // One's own counts where it is newer.
        let own = |own| Known { own: Some(own), ..calm(two) };
        check(&own(NOW - 1_000), Ignore, "2026-01-01T23:59:59Z");
        check(&own(NOW - 2 * DAY), Fail, yesterday);
        check(&own(NOW + DAY), Ignore, now);
        // A time without any agent is an error that nobody was there to write down.
        check(&calm(Some((0, 0))), Ignore, now);
    }

    #[test]
    fn without_a_wish_nothing_is_written() {
        let decision = decide(FailurePolicy::Ignore, &known(Some("x"), None));
        assert_eq!(decision.last_error, None);
        assert_eq!(decision.standing.to_string(), "failurePolicy Ignore");
    }

    #[test]
    fn what_hinders_is_told() {
        let told = |replicas, written| {
            decide(FailurePolicy::Fail, &known(written, replicas)).standing.to_string()
        };
        assert_eq!(told(Some((2, 2)), Some("2025-12-31T00:00:00Z")), "failurePolicy Fail");
        assert_eq!(
            told(Some((1, 1)), None),
            "failurePolicy Ignore: ready agents 1, nodes 1; Fail needs 2 and 2"
        );
        assert_eq!(
            told(Some((2, 2)), Some("2026-01-01T12:00:00Z")),
            "failurePolicy Ignore: the last error was at 2026-01-01T12:00:00Z, Fail from 2026-01-02T12:00:00Z"
        );
    }
}
