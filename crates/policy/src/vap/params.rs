//! What the engine cannot know by itself: namespaces, params, answers; and which params a binding means.
use super::spec::{NotFound, ParamKind, ParamRef};
use seawall_cel::authz::Answers;
use serde_json::Value;
use std::sync::Arc;

/// What the caller has at hand.
pub trait Lookup {
    /// The Namespace object; `None`: it is not at hand.
    fn namespace(&self, name: &str) -> Option<&Value>;
    /// All objects of `kind`.
    fn params(&self, api_version: &str, kind: &str) -> Params<'_>;
    /// Answers to the authorization checks a verdict asked for before.
    fn answers(&self) -> Arc<Answers>;
}

/// Objects of a kind, in the order of their namespaces and names.
pub enum Params<'l> {
    /// The API server serves no such kind.
    Unknown,
    /// It may have objects of that kind; nobody here knows, for this reason: `is not at hand`.
    NotAtHand(String),
    /// These are known, others may be there: one that is named is found among them, else it is not at hand.
    Partial {
        namespaced: bool,
        objects: Vec<&'l Value>,
        /// Why others are not known.
        missing: String,
    },
    Cluster(Vec<&'l Value>),
    Namespaced(Vec<&'l Value>),
}

/// Why a binding has no params.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoParams {
    /// The API server's words.
    Error(String),
    NotAtHand(String),
}

/// The params of a binding: one evaluation each; `None` is `null`.
pub(super) fn collect<'l>(
    kind: Option<&ParamKind>,
    reference: Option<&ParamRef>,
    namespace: &str,
    lookup: &'l dyn Lookup,
) -> Result<Vec<Option<&'l Value>>, NoParams> {
    let (Some(kind), Some(reference)) = (kind, reference) else { return Ok(vec![None]) };
    let error = |told: &str| NoParams::Error(told.to_owned());
    let not_at_hand =
        |why: &str| NoParams::NotAtHand(format!("{} {} {why}", kind.api_version, kind.kind));
    let (namespaced, missing, objects) = match lookup.params(&kind.api_version, &kind.kind) {
        Params::Unknown => return Err(NoParams::Error(unknown_kind(kind))),
        Params::NotAtHand(why) => return Err(not_at_hand(&why)),
        Params::Partial { namespaced, objects, missing } => (namespaced, Some(missing), objects),
        Params::Cluster(objects) => (false, None, objects),
        Params::Namespaced(objects) => (true, None, objects),
    };
    let objects = match namespaced {
        false if !reference.namespace.is_empty() => {
            let told = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`";
            return Err(error(told));
        }
        false => objects,
        true => {
            let wanted = match (reference.namespace.as_str(), namespace) {
                ("", "") => {
                    let told = "cannot use namespaced paramRef in policy binding that matches cluster-scoped \
                        resources";
                    return Err(error(told));
                }
                ("", of_request) => of_request,
                (given, _) => given,
            };
            let inside = |object: &&Value| {
                object.pointer("/metadata/namespace").and_then(Value::as_str) == Some(wanted)
            };
            objects.into_iter().filter(inside).collect()
        }
    };
    let meant = |object: &&Value| match &reference.selector {
        Some(selector) => selector.matches(object.pointer("/metadata/labels")),
        None => object.pointer("/metadata/name").and_then(Value::as_str) == Some(&reference.name),
    };
    let params: Vec<Option<&Value>> = objects.into_iter().filter(meant).map(Some).collect();
    if let Some(missing) = missing.filter(|_| params.is_empty() || reference.selector.is_some()) {
        return Err(not_at_hand(&missing));
    }
    if params.is_empty() && reference.parameter_not_found_action == Some(NotFound::Deny) {
        let told = "no params found for policy binding with `Deny` parameterNotFoundAction";
        return Err(error(told));
    }
    Ok(params)
}

/// The words of a kind the API server does not serve.
pub(super) fn unknown_kind(kind: &ParamKind) -> String {
    let ParamKind { api_version, kind } = kind;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    format!("failed to find resource referenced by paramKind: '{group}/{version}, Kind={kind}'")
}
