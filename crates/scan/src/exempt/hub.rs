//! Exemptions that the hub holds.
use super::entry::Entry;
use seawall_model::exemption::Exemption;

/// `None` for one of an element or a namespace, which an image has not.
pub(super) fn entry(stored: &Exemption) -> Option<Entry> {
    let target = &stored.target;
    if target.path.is_some() || target.namespace.is_some() {
        return None;
    }
    Some(Entry {
        id: stored.id.to_string(),
        flaw: Some(target.rule.clone()),
        packages: target.package.iter().cloned().collect(),
        paths: Vec::new(),
        resource: target.resource.clone(),
        category: stored.category,
        reason: stored.reason.clone(),
        by: Some(stored.owner.clone()),
        expires: Some(stored.expires),
        place: None,
        unused: None,
    })
}
