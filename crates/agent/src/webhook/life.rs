//! The last moment the webhook answered, kept in the state folder, so that the next start knows since when nobody did.
use super::gaps::{Gaps, Reason};
use seawall_model::Millis;
use seawall_model::admission::Gap;
use seawall_model::record::Record;
use seawall_model::time::Clock;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How often the moment is written. A gap begins at most this much too early, at an orderly end by what answers under way
/// then take.
const BEAT: Duration = Duration::from_secs(1);
/// A beat this late means that the process stood still: stopped or starved. A machine's sleep is not seen: its API
/// server, where it is one, slept too.
const STILL: Duration = Duration::from_secs(3);
const FILE: &str = "admission-life.json";

/// What outlives the process.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The last moment the webhook is known to have answered.
    alive: Option<Millis>,
    gaps: Gaps,
    /// Gaps that the sink has not taken yet.
    unsent: Vec<Gap>,
}

/// The webhook's life. Shared by the beat and by what hears audit events.
#[derive(Debug)]
struct Life {
    kept: Kept,
    /// Why there was no answer since `alive`.
    interrupted: Option<Reason>,
}

/// Hears of audit events and beats.
#[derive(Clone)]
pub struct Lifeline {
    life: Arc<Mutex<Life>>,
    path: Arc<PathBuf>,
    webhook: Arc<str>,
    timeout: Duration,
}

impl Lifeline {
    /// Reads what an earlier process left in `dir`. `webhook` is the webhook's own name, `timeout` its
    /// `timeoutSeconds`. A file that cannot be read is as none: it is told, and life begins anew.
    pub fn load(dir: &Path, webhook: &str, timeout: Duration) -> Self {
        let path = dir.join(FILE);
        let kept = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) => Err(error),
        };
        let kept = kept.unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(path = %path.display(), %error, "last moment of the webhook unknown");
            }
            Kept { alive: None, gaps: Gaps::new(), unsent: Vec::new() }
        });
        let life = Life { kept, interrupted: Some(Reason::Restart) };
        let (webhook, path) = (webhook.into(), Arc::new(path));
        Self { life: Arc::new(Mutex::new(life)), path, webhook, timeout }
    }

    fn lock(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One event of an audit batch.
    pub fn audit(&self, event: &Value) {
        self.lock().kept.gaps.audit(event, &self.webhook, self.timeout);
    }

    /// Until when nobody answered last, as outages and audit events tell; none where neither tells of such a time.
    pub fn last_failure(&self) -> Option<Millis> {
        self.lock().kept.gaps.last_failure()
    }

    /// Beats every second until the future is dropped; gaps go to `sink`. `blocked` says why the webhook cannot answer
    /// now: not yet ready after the start is [`Reason::Restart`].
    pub async fn beat(
        &self,
        clock: Arc<dyn Clock>,
        sink: mpsc::Sender<Record>,
        blocked: impl Fn() -> Option<Reason> + Send,
    ) {
        let mut interval = tokio::time::interval(BEAT);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut last, mut failing) = (Instant::now(), false);
        loop {
            interval.tick().await;
            let since_last = last.elapsed();
            last = Instant::now();
            let text = {
                let mut life = self.lock();
                life.beat(clock.now(), since_last, blocked());
                // A full sink must not stop the beat, which would be a gap of its own; it gets the rest next time.
                let sent = life.kept.unsent.iter();
                let sent =
                    sent.take_while(|gap| sink.try_send(Record::Gap((*gap).clone())).is_ok());
                let sent = sent.count();
                life.kept.unsent.drain(..sent);
                serde_json::to_vec(&life.kept).unwrap_or_default()
            };
            let path = self.path.clone();
            let written = tokio::task::spawn_blocking(move || write(&path, &text)).await;
            match written.unwrap_or_else(|error| Err(io::Error::other(error))) {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(%error, "last moment of the webhook not written");
                }
                Err(_) => {}
            }
        }
    }
}

impl Life {
    /// One beat; gaps that have settled wait to be sent.
    fn beat(&mut self, now: Millis, since_last: Duration, blocked: Option<Reason>) {
        if since_last >= STILL {
            self.interrupted.get_or_insert(Reason::Unreachable);
        }
        match blocked {
            Some(reason) => {
                self.interrupted.get_or_insert(reason);
            }
            None => {
                let alive = self.kept.alive.replace(now);
                if let (Some(reason), Some(alive)) = (self.interrupted.take(), alive)
                    && alive < now
                {
                    self.kept.gaps.outage(alive, now, reason);
                }
            }
        }
        let settled = self.kept.gaps.due(now);
        self.kept.unsent.extend(settled);
    }
}

/// By rename: a reader never sees half a file. Not synced, as after a crash of the machine the file system's own
/// second or two do not matter.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn life(alive: Option<Millis>) -> Life {
        let kept = Kept { alive, gaps: Gaps::new(), unsent: Vec::new() };
        Life { kept, interrupted: Some(Reason::Restart) }
    }

    /// Beats at seconds, each with what blocks; the gaps told in the end.
    #[track_caller]
    fn check(
        alive: Option<Millis>,
        beats: &[(i64, Option<Reason>)],
        expected: &[(i64, i64, &str)],
    ) {
        let mut life = life(alive);
        let mut last = beats[0].0;
        for (second, blocked) in beats {
            let since_last = SECOND * u32::try_from(second - last).unwrap();
            life.beat(second * 1000, since_last, *blocked);
            assert_eq!(life.kept.unsent, []);
            last = *second;
        }
        life.beat((last + 3_600) * 1000, SECOND, None);
        let told = life.kept.unsent;
        let told: Vec<_> =
            told.iter().map(|gap| (gap.from / 1000, gap.to / 1000, gap.reason.as_str())).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn table() {
        use Reason::{Expired, Restart};
        let up = |second| (second, None);
        // The first life ever has nothing before it.
        check(None, &[up(100), up(101)], &[]);
        check(Some(90_000), &[up(100), up(101)], &[(90, 100, "restart")]);
        // A start takes until the webhook is ready.
        check(
            Some(90_000),
            &[(100, Some(Restart)), (101, Some(Restart)), up(102)],
            &[(90, 102, "restart")],
        );
        check(None, &[up(100), up(101), up(103)], &[]);
        check(None, &[up(100), up(101), up(131), up(132)], &[(101, 131, "unreachable")]);
        check(
            None,
            &[up(100), (101, Some(Expired)), (102, Some(Expired)), up(103), up(104)],
            &[(100, 103, "expired")],
        );
        // Stopped while expired: one gap, by what came first.
        check(
            None,
            &[up(100), (101, Some(Expired)), (160, Some(Expired)), up(161)],
            &[(100, 161, "expired")],
        );
        // A clock set back makes no gap.
        check(Some(200_000), &[up(100), up(101)], &[]);
    }

    #[test]
    fn what_is_kept_outlives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let name = "admission.seawall.dev";
        let first = Lifeline::load(dir.path(), name, SECOND);
        first.lock().beat(1_000, SECOND, None);
        first.lock().kept.gaps.outage(500, 600, Reason::Expired);
        let text = serde_json::to_vec(&first.lock().kept).unwrap();
        write(&first.path, &text).unwrap();
        let second = Lifeline::load(dir.path(), name, SECOND);
        second.lock().beat(5_000, SECOND, None);
        assert_eq!(second.lock().kept.unsent, []);
        second.lock().beat(3_600_000, SECOND, None);
        let told = second.lock().kept.unsent.clone();
        let told: Vec<_> = told.iter().map(|gap| (gap.from, gap.to, gap.reason.as_str())).collect();
        assert_eq!(told, [(500, 600, "expired"), (1_000, 5_000, "restart")]);
        std::fs::write(dir.path().join(FILE), "{half").unwrap();
        assert_eq!(Lifeline::load(dir.path(), name, SECOND).lock().kept.alive, None);
    }

    #[tokio::test]
    async fn beats_are_written_and_gaps_sent() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(seawall_model::time::FixedClock::at(1_010_000));
        let line = Lifeline::load(dir.path(), "w", SECOND);
        line.lock().kept.gaps.outage(1, 2, Reason::Timeout);
        let (sink, mut records) = mpsc::channel(4);
        let beating = tokio::time::timeout(SECOND / 2, line.beat(clock.clone(), sink, || None));
        assert!(beating.await.is_err());
        assert!(matches!(records.try_recv(), Ok(Record::Gap(gap)) if gap.reason == "timeout"));
        let again = Lifeline::load(dir.path(), "w", SECOND);
        assert_eq!(again.lock().kept.alive, Some(1_010_000));
    }
}
