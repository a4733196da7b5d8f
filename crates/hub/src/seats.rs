//! How many of something each key holds at once: connections of an address, streams of a principal.
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle; clones share the count. Keys that hold nothing take no memory.
pub(crate) struct Seats<K> {
    limit: usize,
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

/// One of a key's seats, free again once dropped.
pub(crate) struct Seat<K: Eq + Hash> {
    key: K,
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

/// A panic while the lock was held leaves a count that is still whole: each change is one operation.
fn lock<K>(taken: &Mutex<HashMap<K, usize>>) -> MutexGuard<'_, HashMap<K, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Clone + Eq + Hash> Seats<K> {
    /// `limit` seats for each key.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// `None` where `key` holds all it may.
    pub(crate) fn take(&self, key: K) -> Option<Seat<K>> {
        let mut taken = lock(&self.taken);
        let held = taken.entry(key.clone()).or_default();
        if *held >= self.limit {
            return None;
        }
        *held += 1;
        Some(Seat { key, taken: Arc::clone(&self.taken) })
    }
}

impl<K: Eq + Hash> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(held) = taken.get_mut(&self.key) {
            *held -= 1;
            if *held == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[test]
fn seats_are_counted_by_key_and_come_back() {
    let seats = Seats::new(2);
    let first = seats.take("a").unwrap();
    let _second = seats.take("a").unwrap();
    assert!(seats.take("a").is_none());
    assert!(seats.take("b").is_some(), "keys are apart");
    drop(first);
    assert!(seats.take("a").is_some());
    assert_eq!(lock(&seats.taken).len(), 1, "b holds nothing and is forgotten");
}
