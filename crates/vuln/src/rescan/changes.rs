//! Which names two segments of one release answer differently for.
use crate::segment::{Row, Segment};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Names whose rows, or the text of whose records, differ; all names where one of the two is missing. In order.
pub fn changed_names(old: Option<&Segment>, new: Option<&Segment>) -> Vec<String> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) if old.digest() == new.digest() => return Vec::new(),
        (Some(old), Some(new)) if old.meta().feed_keys() == new.meta().feed_keys() => (old, new),
        // Another feed speaks now: every finding names it.
        (Some(old), Some(new)) => {
            let mut names = old.names();
            names.extend(new.names());
            names.sort_unstable();
            names.dedup();
            return names;
        }
        (Some(only), None) | (None, Some(only)) => return only.names(),
        (None, None) => return Vec::new(),
    };
    let before = signatures(old);
    let after = signatures(new);
    let mut changed: Vec<String> = after
        .iter()
        .filter(|(name, signature)| before.get(*name) != Some(signature))
        .map(|(name, _)| name.clone())
        .collect();
    changed.extend(before.into_keys().filter(|name| !after.contains_key(name)));
    changed.sort_unstable();
    changed
}

/// A number for all that a segment says of each name. Places of keys and records differ from build to build, so what
/// they lead to is hashed.
fn signatures(segment: &Segment) -> BTreeMap<String, u64> {
    let mut signatures = BTreeMap::new();
    segment.each_name(|name, rows| {
        let mut hash = DefaultHasher::new();
        rows.iter().for_each(|row| row_into(segment, row, &mut hash));
        signatures.insert(name.to_owned(), hash.finish());
    });
    signatures
}

fn row_into(segment: &Segment, row: &Row, hash: &mut DefaultHasher) {
    let Row { entry, kind, flags, feed, unfixed, .. } = row;
    (entry.get(), kind, flags, feed, unfixed).hash(hash);
    segment.key(row.introduced.get()).hash(hash);
    segment.key(row.end.get()).hash(hash);
    segment.only(row).hash(hash);
    segment.record_hash(row.advisory.get()).hash(hash);
}
