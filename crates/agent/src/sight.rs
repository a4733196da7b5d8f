//! Which kinds can be read, which not and since when, and whether enough has been seen to speak.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long the first listing waits for a kind whose watch fails: the API server's own restart takes less, and the
/// findings of all other kinds wait with it.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Why a kind cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Forbidden,
    Broken,
}

impl Trouble {
    /// The reason of findings that are unknown for it.
    fn reason(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Broken => "stale",
        }
    }
}

#[derive(Clone, Debug)]
struct Unreadable {
    trouble: Trouble,
    message: String,
    /// Since the kind was last read, whatever the troubles since.
    since: Instant,
    told: Option<Trouble>,
}

/// The agent's view of its kinds, by index. Owned by its loop, which tells it what happens and passes in the time.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// Kinds not listed yet.
    unlisted: BTreeSet<usize>,
    /// The first kinds have been listed, refused or given up for now.
    complete: bool,
    unreadable: BTreeMap<usize, Unreadable>,
}

impl Sight {
    /// A kind is watched from now on.
    pub(crate) fn expect(&mut self, kind: usize) {
        self.unlisted.insert(kind);
    }

    /// A kind is watched no more.
    pub(crate) fn forget(&mut self, kind: usize) {
        self.unlisted.remove(&kind);
        self.unreadable.remove(&kind);
    }

    /// Every object of the kind has been seen.
    pub(crate) fn listed(&mut self, kind: usize) {
        self.unlisted.remove(&kind);
    }

    pub(crate) fn lost(&mut self, kind: usize, trouble: Trouble, message: String, now: Instant) {
        // What may not be read will not be listed soon.
        if trouble == Trouble::Forbidden {
            self.unlisted.remove(&kind);
        }
        let (since, told) =
            self.unreadable.get(&kind).map_or((now, None), |known| (known.since, known.told));
        self.unreadable.insert(kind, Unreadable { trouble, message, since, told });
    }

    /// The kind is read again; whether it was not.
    pub(crate) fn found(&mut self, kind: usize) -> bool {
        self.unreadable.remove(&kind).is_some()
    }

    /// Kinds whose last state is too old from now on, each with the reason. One is named again when its reason changes.
    pub(crate) fn grown_stale(
        &mut self,
        now: Instant,
        after: Duration,
    ) -> Vec<(usize, &'static str)> {
        let mut stale = Vec::new();
        for (kind, unreadable) in &mut self.unreadable {
            let old = now.duration_since(unreadable.since) >= after;
            if old && unreadable.told != Some(unreadable.trouble) {
                unreadable.told = Some(unreadable.trouble);
                stale.push((*kind, unreadable.trouble.reason()));
            }
        }
        stale
    }

    /// Whether every kind was listed once, or given up for now: before that, owners are missing that are only not read
    /// yet. Kinds that join later hold nobody up.
    pub(crate) fn complete(&mut self, now: Instant) -> bool {
        self.complete |= self.settled(now);
        self.complete
    }

    /// Whether every kind is listed, or given up for now.
    pub(crate) fn settled(&mut self, now: Instant) -> bool {
        self.unlisted.retain(|kind| {
            let failing = self.unreadable.get(kind);
            failing.is_none_or(|failing| now.duration_since(failing.since) < MAX_WAIT)
        });
        self.unlisted.is_empty()
    }

    /// As of the last call of [`Self::complete`].
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Kinds that cannot be read, with the server's words.
    pub(crate) fn unreadable(&self) -> impl Iterator<Item = (usize, Trouble, &str)> {
        self.unreadable
            .iter()
            .map(|(kind, unreadable)| (*kind, unreadable.trouble, unreadable.message.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(300);

    fn sight(kinds: usize) -> Sight {
        let mut sight = Sight::default();
        (0..kinds).for_each(|kind| sight.expect(kind));
        sight
    }

    fn lost(sight: &mut Sight, kind: usize, trouble: Trouble, now: Instant) {
        sight.lost(kind, trouble, "no".to_owned(), now);
    }

    #[test]
    fn whatever_the_trouble_a_kind_grows_stale() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut sight = sight(1);
        sight.listed(0);
        lost(&mut sight, 0, Trouble::Forbidden, start);
        assert_eq!(sight.grown_stale(later(299), AFTER), []);
        assert_eq!(sight.grown_stale(later(300), AFTER), [(0, "forbidden")]);
        assert_eq!(sight.grown_stale(later(301), AFTER), [], "said once");
        // Another trouble neither starts the time anew nor keeps the old reason.
        lost(&mut sight, 0, Trouble::Broken, later(302));
        assert_eq!(sight.grown_stale(later(302), AFTER), [(0, "stale")]);
        assert!(sight.found(0) && !sight.found(0));
        lost(&mut sight, 0, Trouble::Broken, later(400));
        lost(&mut sight, 0, Trouble::Broken, later(600));
        assert_eq!(sight.grown_stale(later(700), AFTER), [(0, "stale")]);
    }

    #[test]
    fn a_kind_that_fails_from_the_start_holds_up_the_others_for_a_while_only() {
        let start = Instant::now();
        let mut sight = sight(3);
        sight.listed(0);
        lost(&mut sight, 1, Trouble::Forbidden, start);
        lost(&mut sight, 2, Trouble::Broken, start);
        assert!(!sight.complete(start + MAX_WAIT / 2));
        // Repeated failures are the same one.
        lost(&mut sight, 2, Trouble::Broken, start + MAX_WAIT / 2);
        assert!(sight.complete(start + MAX_WAIT));
        assert_eq!(sight.unreadable().count(), 2);
        // A kind that is only slow is waited for.
        assert!(!self::sight(1).complete(start + 10 * MAX_WAIT));
        // One that joins later holds up what waits for it, and nothing else.
        sight.expect(3);
        assert!(sight.complete(start + MAX_WAIT) && !sight.settled(start + MAX_WAIT));
        sight.forget(3);
        assert!(sight.settled(start + MAX_WAIT));
    }
}
