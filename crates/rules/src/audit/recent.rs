//! Which records came already: an API server sends a batch again when the answer was lost, and two routes may lead from
//! one log to us.
use seawall_model::audit::AuditEvent;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// Records remembered: some minutes of a large cluster, 1 MiB whatever is in them.
const WINDOW: usize = 16_384;

/// A record's hash in place of its texts, which clients make as long as they like.
type Key = u128;

#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashSet<Key>,
    order: VecDeque<Key>,
    /// Two keyed 64-bit hashes: without the keys nobody finds two records that collide, and by chance none do.
    hashers: [RandomState; 2],
}

impl Recent {
    /// A duplicate has the same id and stage. Clients may choose the id (header `Audit-ID`), so a record that differs in
    /// time, user, verb or object is another one, lest a second request hide behind the first.
    pub(super) fn is_new(&mut self, event: &AuditEvent) -> bool {
        let Some(id) = &event.id else { return true };
        let object = event.object.as_ref().map(|object| {
            let of = (&object.group, &object.resource, &object.subresource);
            (of, &object.namespace, &object.name)
        });
        let parts = (id, event.stage.as_str(), event.time_ns, &event.user, &event.verb, object);
        let [high, low] = self.hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(parts)));
        let key = (high << 64) | low;
        if self.known.contains(&key) {
            return false;
        }
        // First out, then in: one more would double what is allocated.
        if self.order.len() == WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(key);
        self.order.push_back(key);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::audit::{ObjectRef, Stage};
    use serde_json::Value;

    fn event(id: &str) -> AuditEvent {
        AuditEvent {
            id: Some(id.to_owned()),
            stage: Stage::ResponseComplete,
            time_ns: Some(1),
            cluster: None,
            user: Some("alice".to_owned()),
            groups: Vec::new(),
            impersonated: None,
            addresses: Vec::new(),
            user_agent: None,
            verb: Some("create".to_owned()),
            query: Vec::new(),
            uri: None,
            object: Some(ObjectRef { resource: Some("pods".to_owned()), ..ObjectRef::default() }),
            code: None,
            reason: None,
            decision: None,
            decision_reason: None,
            json: Value::Null,
        }
    }

    #[test]
    fn long_texts_take_no_memory_and_the_oldest_is_forgotten() {
        let mut recent = Recent::default();
        let long = "x".repeat(4 << 10);
        let numbered =
            |number: usize| AuditEvent { user: Some(long.clone()), ..event(&number.to_string()) };
        for number in 0..2 * WINDOW {
            assert!(recent.is_new(&numbered(number)));
        }
        assert_eq!((recent.known.len(), recent.order.len()), (WINDOW, WINDOW));
        // A set has a byte beside each place, and an eighth of the places free.
        let places = (recent.known.capacity() * 8).div_ceil(7).next_power_of_two();
        let bytes = places * (size_of::<Key>() + 1) + recent.order.capacity() * size_of::<Key>();
        assert!(bytes <= 1 << 20, "{bytes} bytes");
        assert!(!recent.is_new(&numbered(WINDOW)), "the oldest that is known");
        assert!(recent.is_new(&numbered(WINDOW - 1)), "forgotten");
    }

    #[test]
    fn requests_under_one_id_are_told_apart() {
        let text = |text: &str| Some(text.to_owned());
        let object = |change: &dyn Fn(&mut ObjectRef)| {
            let mut event = event("a");
            change(event.object.as_mut().unwrap());
            event
        };
        let distinct = [
            event("a"),
            event("b"),
            AuditEvent { stage: Stage::ResponseStarted, ..event("a") },
            AuditEvent { time_ns: Some(2), ..event("a") },
            AuditEvent { user: text("bob"), ..event("a") },
            AuditEvent { user: None, ..event("a") },
            AuditEvent { user: text(""), ..event("a") },
            AuditEvent { verb: text("patch"), ..event("a") },
            AuditEvent { object: None, ..event("a") },
            object(&|object| object.group = "x.io".to_owned()),
            object(&|object| object.resource = text("services")),
            object(&|object| object.subresource = text("exec")),
            object(&|object| object.namespace = text("shop")),
            object(&|object| object.name = text("shop")),
            // No text can move the border between two.
            AuditEvent { user: text("a\u{1f}b"), verb: text("c"), ..event("a") },
            AuditEvent { user: text("a"), verb: text("b\u{1f}c"), ..event("a") },
            // However long the beginning that they share.
            event(&"x".repeat(200)),
            event(&format!("{}y", "x".repeat(200))),
        ];
        let mut recent = Recent::default();
        for event in &distinct {
            assert!(recent.is_new(event), "{event:?}");
        }
        for event in &distinct {
            assert!(!recent.is_new(event), "{event:?}");
        }
    }
}
