//! Which records came already: an API server sends a batch again when the answer was lost, and two routes may lead from
//! one log to us.
use seawall_model::audit::AuditEvent;
use std::collections::{HashSet, VecDeque};

/// Records remembered: some minutes of a large cluster, 5 MiB.
const WINDOW: usize = 16_384;
/// Ids are UUIDs; a client may choose a longer one.
const MAX_ID_CHARS: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashSet<Box<str>>,
    order: VecDeque<Box<str>>,
}

impl Recent {
    /// A duplicate has the same id and stage. Clients may choose the id (header `Audit-ID`), so a record that differs in
    /// time, user, verb or object is another one, lest a second request hide behind the first.
    pub(super) fn is_new(&mut self, event: &AuditEvent) -> bool {
        let Some(id) = &event.id else { return true };
        let id: String = id.chars().take(MAX_ID_CHARS).collect();
        let time = event.time_ns.map(|time| time.to_string()).unwrap_or_default();
        let object = event.object.as_ref();
        let parts = [
            Some(id.as_str()),
            Some(event.stage.as_str()),
            Some(&time),
            event.user.as_deref(),
            event.verb.as_deref(),
            object.and_then(|object| object.resource.as_deref()),
            object.and_then(|object| object.subresource.as_deref()),
            object.and_then(|object| object.namespace.as_deref()),
            object.and_then(|object| object.name.as_deref()),
        ];
        let key: Box<str> = parts.map(Option::unwrap_or_default).join("\u{1f}").into();
        if !self.known.insert(key.clone()) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}
