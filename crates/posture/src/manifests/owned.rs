//! Who answers for an object among those of one call, where they come out of a cluster.
use super::Object;
use crate::objects::Objects;
use crate::owners::{self, Role};
use serde_json::Value;

/// The role of each object. One without a UID was written by hand and answers for itself, as does one whose controller
/// is not among them.
pub(crate) fn roles(objects: &[Object]) -> Vec<Role> {
    let mut stored = Objects::default();
    let uids: Vec<Option<&str>> = objects
        .iter()
        .map(|object| {
            let uid = object.value.pointer("/metadata/uid").and_then(Value::as_str)?;
            let bytes = serde_json::to_vec(&object.value).ok()?;
            // One that the store refuses, for its size, is judged for itself.
            stored.apply(&bytes).ok().map(|_| uid)
        })
        .collect();
    let role = |uid: Option<&str>| match uid.map(|uid| owners::role(&stored, uid)) {
        None => Role::Subject { owner: None },
        Some(Role::Waiting { owner }) => Role::Subject { owner: Some(owner) },
        Some(role) => role,
    };
    uids.into_iter().map(role).collect()
}
