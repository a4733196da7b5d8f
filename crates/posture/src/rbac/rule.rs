//! One rule of a role: what it grants, read as the API server's authorizer reads it.
use super::permission::{Bits, Permission, Universe};
use serde_json::Value;
use std::sync::Arc;

/// Permissions that one rule spells out in full; longer ones are matched as lists. Built-in rules have up to 200.
const MAX_SPELLED: usize = 4_096;

/// Source: `PolicyRule` of rbac.authorization.k8s.io/v1, and the matching functions of `pkg/apis/rbac/v1`
/// (`VerbMatches`, `APIGroupMatches`, `ResourceMatches`, `ResourceNameMatches`, `NonResourceURLMatches`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    pub verbs: Vec<Arc<str>>,
    pub groups: Vec<Arc<str>>,
    pub resources: Vec<Arc<str>>,
    /// Empty grants every name.
    pub names: Vec<Arc<str>>,
    pub urls: Vec<Arc<str>>,
}

fn any_or(list: &[Arc<str>], wanted: &str) -> bool {
    list.iter().any(|item| item.as_ref() == "*" || item.as_ref() == wanted)
}

impl Rule {
    /// `value` is an element of `rules`. What is no text is left out, as it grants nothing.
    pub fn read(value: &Value) -> Self {
        let list = |key: &str| {
            let items = value.get(key).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(Arc::from).collect()
        };
        Self {
            verbs: list("verbs"),
            groups: list("apiGroups"),
            resources: list("resources"),
            names: list("resourceNames"),
            urls: list("nonResourceURLs"),
        }
    }

    /// Whether the rule grants it on an object of that name, or on no particular one where `name` is empty.
    pub(crate) fn grants(&self, permission: &Permission, name: &str) -> bool {
        self.covers(permission) && (self.names.is_empty() || any_name(&self.names, name))
    }

    /// The same, whatever the names.
    pub(crate) fn covers(&self, permission: &Permission) -> bool {
        any_or(&self.verbs, &permission.verb)
            && any_or(&self.groups, &permission.group)
            && self.resources.iter().any(|resource| covers_resource(resource, &permission.resource))
    }

    /// Whether the rule grants `verb` on a path such as `/metrics`.
    pub(crate) fn grants_url(&self, verb: &str, path: &str) -> bool {
        any_or(&self.verbs, verb)
            && self.urls.iter().any(|url| {
                url.as_ref() == path
                    || url.ends_with('*') && path.starts_with(url.trim_end_matches('*'))
            })
    }

    /// Whether it grants permissions that nobody has named yet.
    pub(crate) fn is_open(&self) -> bool {
        let star = |list: &[Arc<str>]| list.iter().any(|item| item.as_ref() == "*");
        star(&self.verbs)
            || star(&self.groups)
            || self.resources.iter().any(|item| item.as_ref() == "*" || item.starts_with("*/"))
    }

    /// Sets the bits of all known permissions that the rule grants on every name, after teaching `universe` those it
    /// spells out. Returns whether it grants more than bits can say: future permissions, or too many to spell out.
    pub(crate) fn spell(&self, universe: &mut Universe, bits: &mut Bits) -> bool {
        if !self.names.is_empty() {
            return false;
        }
        let open = self.is_open();
        let count = self.verbs.len() * self.groups.len() * self.resources.len();
        let mut complete = !open && count <= MAX_SPELLED;
        if complete {
            for verb in &self.verbs {
                for group in &self.groups {
                    for resource in &self.resources {
                        let (verb, group, resource) =
                            (verb.clone(), group.clone(), resource.clone());
                        match universe.learn(Permission { verb, group, resource }) {
                            Some(number) => bits.insert(number),
                            None => complete = false,
                        }
                    }
                }
            }
        } else {
            let known = universe.known().filter(|(_, permission)| self.covers(permission));
            known.for_each(|(number, _)| bits.insert(number));
        }
        !complete
    }

    /// The rule as it stands in a role.
    pub fn value(&self) -> Value {
        let lists = [
            ("verbs", &self.verbs),
            ("apiGroups", &self.groups),
            ("resources", &self.resources),
            ("resourceNames", &self.names),
            ("nonResourceURLs", &self.urls),
        ];
        let present = lists.iter().filter(|(_, list)| !list.is_empty());
        let text = |list: &[Arc<str>]| list.iter().map(|item| Value::from(item.as_ref())).collect();
        present.map(|(key, list)| ((*key).to_owned(), Value::Array(text(list)))).collect()
    }

    /// The rule as text: `get, list secrets (names a, b)`.
    pub fn words(&self) -> String {
        let list = |items: &[Arc<str>]| items.join(", ");
        if !self.urls.is_empty() {
            return format!("{} {}", list(&self.verbs), list(&self.urls));
        }
        let groups = self.groups.iter().map(|group| if group.is_empty() { "core" } else { group });
        let groups: Vec<&str> = groups.collect();
        let of = match groups.as_slice() {
            ["core"] => String::new(),
            groups => format!(" of {}", groups.join(", ")),
        };
        let names = match self.names.as_slice() {
            [] => String::new(),
            names => format!(" named {}", list(names)),
        };
        format!("{} {}{of}{names}", list(&self.verbs), list(&self.resources))
    }
}

fn any_name(names: &[Arc<str>], name: &str) -> bool {
    names.iter().any(|item| item.as_ref() == name)
}

/// `*` is every resource and subresource, `*/scale` that subresource of every resource.
fn covers_resource(granted: &str, wanted: &str) -> bool {
    if granted == "*" || granted == wanted {
        return true;
    }
    match (granted.strip_prefix("*/"), wanted.split_once('/')) {
        (Some(granted), Some((_, wanted))) => granted == wanted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(rule: Value, question: (&str, &str, &str, &str), expected: bool) {
        let (verb, group, resource, name) = question;
        let permission =
            Permission { verb: verb.into(), group: group.into(), resource: resource.into() };
        assert_eq!(Rule::read(&rule).grants(&permission, name), expected, "{rule} {question:?}");
    }

    #[test]
    fn resources() {
        let rule = |resources: &[&str]| json!({"verbs": ["get"], "apiGroups": [""], "resources": resources});
        check(rule(&["pods"]), ("get", "", "pods", ""), true);
        check(rule(&["pods"]), ("get", "", "pods/log", ""), false);
        check(rule(&["*"]), ("get", "", "pods/log", ""), true);
        check(rule(&["*"]), ("get", "apps", "deployments", ""), false);
        check(rule(&["*/log"]), ("get", "", "pods/log", ""), true);
        check(rule(&["*/log"]), ("get", "", "pods", ""), false);
        check(rule(&["pods/*"]), ("get", "", "pods/log", ""), false);
        check(rule(&[]), ("get", "", "pods", ""), false);
    }

    #[test]
    fn names_narrow() {
        let rule = json!({"verbs": ["get"], "apiGroups": ["*"], "resources": ["secrets"], "resourceNames": ["a"]});
        check(rule.clone(), ("get", "", "secrets", "a"), true);
        check(rule.clone(), ("get", "", "secrets", "b"), false);
        check(rule, ("get", "", "secrets", ""), false);
        let rule = json!({"verbs": ["*"], "apiGroups": [""], "resources": ["secrets"]});
        check(rule.clone(), ("anything", "", "secrets", "b"), true);
        check(
            json!({"verbs": ["get"], "apiGroups": [], "resources": ["secrets"]}),
            ("get", "", "secrets", ""),
            false,
        );
        assert_eq!(Rule::read(&rule).words(), "* secrets");
    }

    #[test]
    fn urls() {
        let rule =
            Rule::read(&json!({"verbs": ["get"], "nonResourceURLs": ["/healthz", "/metrics/*"]}));
        for (verb, path, expected) in [
            ("get", "/healthz", true),
            ("get", "/healthz/x", false),
            ("get", "/metrics/", true),
            ("get", "/metrics", false),
            ("post", "/healthz", false),
        ] {
            assert_eq!(rule.grants_url(verb, path), expected, "{verb} {path}");
        }
    }
}
