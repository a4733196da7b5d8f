//! The reviews that came lately: what a new policy set is tried on before it may refuse.
//!
//! They stay in memory: requests hold what people deploy, and a restart costs a trial some requests, not its objects.
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Reviews kept: some hours of a busy cluster's deployments.
const MAX_REVIEWS: usize = 1_000;
/// Bytes of them all; a review of a Deployment has about 8 KB.
const MAX_BYTES: usize = 16 << 20;
/// A longer one is not kept: it would push out a hundred others.
const MAX_REVIEW_BYTES: usize = 256 << 10;

#[derive(Debug, Default)]
pub(crate) struct Recent {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    reviews: VecDeque<Bytes>,
    bytes: usize,
}

impl Recent {
    /// Keeps one; the oldest make room for it.
    pub(crate) fn keep(&self, review: Bytes) {
        if review.len() > MAX_REVIEW_BYTES {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += review.len();
        kept.reviews.push_back(review);
        while kept.reviews.len() > MAX_REVIEWS || kept.bytes > MAX_BYTES {
            let oldest = kept.reviews.pop_front();
            kept.bytes -= oldest.map_or(0, |oldest| oldest.len());
        }
    }

    /// The oldest first.
    pub(crate) fn all(&self) -> Vec<Bytes> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.reviews.iter().cloned().collect()
    }
}

#[test]
fn the_newest_stay_within_bounds() {
    let check = |length: usize, count: usize, kept: usize| {
        let recent = Recent::default();
        (0..count).for_each(|at| recent.keep(Bytes::from(vec![at as u8; length])));
        let all = recent.all();
        assert_eq!(all.len(), kept, "{count} of {length}");
        assert!(all.last().is_none_or(|last| last[0] == (count - 1) as u8));
    };
    check(10, 3, 3);
    check(10, MAX_REVIEWS + 5, MAX_REVIEWS);
    check(MAX_REVIEW_BYTES, 70, 64);
    check(MAX_REVIEW_BYTES + 1, 2, 0);
}
