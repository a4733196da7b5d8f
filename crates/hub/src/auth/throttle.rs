//! Token buckets by key: sign-in attempts, requests of a principal, bytes of an agent.
use seawall_model::Millis;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// How much may pass: `burst` at once, `per_second` for ever.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) burst: f64,
}

/// Sign-ins of one account. Source: platform.md, "Limits".
pub(crate) const SIGN_IN_PER_ACCOUNT: Rate = Rate { per_second: 5.0 / 60.0, burst: 5.0 };
/// Sign-ins from one address.
pub(crate) const SIGN_IN_PER_ADDRESS: Rate = Rate { per_second: 20.0 / 60.0, burst: 20.0 };
/// Certificates of one agent, each an entry of the audit log; an agent that works needs one in days.
pub(crate) const RENEWALS: Rate = Rate { per_second: 1.0 / 600.0, burst: 5.0 };
/// Certificates that one cluster agent has signed for its cluster, each an entry of the audit log: 30 at once and one
/// more every 2 seconds, so at most 60 in any minute and 30 a minute in the long run. The replicas of a webhook need one
/// each in weeks.
pub(crate) const SIGNINGS: Rate = Rate { per_second: 0.5, burst: 30.0 };
/// Alerts of one cluster about two agents of one identity, which dial again and again.
pub(crate) const TWINS: Rate = Rate { per_second: 1.0 / 3600.0, burst: 1.0 };
/// Requests of one principal, or of one address without one.
pub(crate) const REQUESTS: Rate = Rate { per_second: 50.0, burst: 100.0 };
/// Bytes of one agent.
pub(crate) const AGENT_BYTES: Rate =
    Rate { per_second: (2 << 20) as f64, burst: (16 << 20) as f64 };

/// Keys remembered: 100 bytes each. Full buckets are forgotten first, they say nothing.
const MAX_KEYS: usize = 100_000;

/// One bucket per key.
pub(crate) struct Throttle<K> {
    rate: Rate,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Millis,
}

impl Bucket {
    fn refilled(self, rate: Rate, now: Millis) -> Self {
        let seconds = (now - self.at).max(0) as f64 / 1000.0;
        Self { left: (self.left + seconds * rate.per_second).min(rate.burst), at: now.max(self.at) }
    }
}

impl<K: Eq + Hash> Throttle<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes `amount`, or says after how many milliseconds it could be taken. More than the burst waits for a full
    /// bucket and then leaves it in debt.
    pub(crate) fn take(&self, key: K, amount: f64, now: Millis) -> Result<(), Millis> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_KEYS && !buckets.contains_key(&key) {
            let rate = self.rate;
            buckets.retain(|_, bucket| bucket.refilled(rate, now).left < rate.burst);
            if buckets.len() >= MAX_KEYS {
                // Every remembered key is busy: a flood. A newcomer waits one refill.
                return Err((1000.0 / rate.per_second).ceil() as Millis);
            }
        }
        let full = Bucket { left: self.rate.burst, at: now };
        let bucket = buckets.entry(key).or_insert(full);
        *bucket = bucket.refilled(self.rate, now);
        let needed = amount.min(self.rate.burst);
        if bucket.left >= needed {
            bucket.left -= amount;
            return Ok(());
        }
        Err(((needed - bucket.left) / self.rate.per_second * 1000.0).ceil() as Millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_allows_its_burst_then_its_rate() {
        let throttle = Throttle::new(SIGN_IN_PER_ACCOUNT);
        for attempt in 0..5 {
            assert_eq!(throttle.take("admin", 1.0, 1_000), Ok(()), "attempt {attempt}");
        }
        assert_eq!(throttle.take("admin", 1.0, 1_000), Err(12_000));
        assert_eq!(throttle.take("other", 1.0, 1_000), Ok(()), "keys are apart");
        assert_eq!(throttle.take("admin", 1.0, 7_000), Err(6_000));
        assert_eq!(throttle.take("admin", 1.0, 13_000), Ok(()));
        assert_eq!(
            throttle.take("admin", 1.0, 5_000),
            Err(12_000),
            "a clock set back refills nothing"
        );
    }

    #[test]
    fn more_than_the_burst_passes_once_full_and_leaves_a_debt() {
        let throttle = Throttle::new(Rate { per_second: 10.0, burst: 10.0 });
        assert_eq!(throttle.take((), 30.0, 0), Ok(()));
        assert_eq!(throttle.take((), 1.0, 0), Err(2_100));
        assert_eq!(throttle.take((), 1.0, 2_100), Ok(()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let throttle = Throttle::new(Rate { per_second: 1.0, burst: 1.0 });
        for key in 0..MAX_KEYS {
            throttle.take(key, 1.0, 0).unwrap();
        }
        assert_eq!(throttle.take(MAX_KEYS, 1.0, 0), Err(1000));
        assert_eq!(throttle.take(MAX_KEYS, 1.0, 1000), Ok(()), "refilled buckets are forgotten");
    }
}
