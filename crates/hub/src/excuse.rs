//! Which exemption excuses a finding. Every given part of the target has to fit; a failing element that no exemption
//! names keeps the resource unhealthy.
use seawall_model::exemption::{Category, Exemption};
use seawall_model::finding::Detail;
use seawall_model::finding::{ControlFinding, ExemptionRef, Finding, State, VulnFinding};

/// The exemptions of one scope and those above it, granted and not expired.
pub(crate) struct Excuses<'a>(pub(crate) &'a [Exemption]);

/// What an exemption is held against.
struct Subject<'a> {
    rule: &'a str,
    aliases: &'a [String],
    namespace: Option<&'a str>,
    /// `Deployment/web`, an image name or a node name.
    resource: &'a str,
    /// Name and purl.
    package: Option<(&'a str, &'a str)>,
}

impl Excuses<'_> {
    /// Turns unhealthy into exempt, and back where the excuse is gone. True if something changed.
    pub(crate) fn apply_control(&self, finding: &mut ControlFinding) -> bool {
        if !matches!(finding.state, State::Unhealthy | State::Exempt) {
            return false;
        }
        let resource = format!("{}/{}", finding.resource.kind, finding.resource.name);
        let subject = Subject {
            rule: &finding.control,
            aliases: &[],
            namespace: finding.resource.namespace.as_deref(),
            resource: &resource,
            package: None,
        };
        let paths: Vec<&str> = finding.evidence.iter().map(|e| e.path.as_str()).collect();
        let excuse = self.excuse(&subject, &paths).map(reference);
        settle(excuse, &mut finding.state, &mut finding.exemption)
    }

    /// The same for a flaw on `resource`, an image or node name.
    pub(crate) fn apply_vulnerability(&self, resource: &str, finding: &mut VulnFinding) -> bool {
        if !matches!(finding.state, State::Unhealthy | State::Exempt) {
            return false;
        }
        let subject = Subject {
            rule: &finding.id,
            aliases: &finding.aliases,
            namespace: None,
            resource,
            package: Some((&finding.package.name, &finding.package.purl)),
        };
        let excuse = self.excuse(&subject, &[]).map(reference);
        settle(excuse, &mut finding.state, &mut finding.exemption)
    }

    /// The same for a stored finding, whose own columns follow its detail.
    pub(crate) fn apply(&self, finding: &mut Finding) -> bool {
        let resource = finding.resource.clone();
        let (changed, state) = match &mut finding.detail {
            Detail::Control(control) => (self.apply_control(control), control.state),
            Detail::Vulnerability(flaw) => (self.apply_vulnerability(&resource, flaw), flaw.state),
        };
        finding.state = state;
        changed
    }

    /// The exemption that covers all of it. Several may cover one element each: `risk_accepted` among them is what
    /// the whole counts as, since it promises less.
    fn excuse(&self, subject: &Subject<'_>, paths: &[&str]) -> Option<&Exemption> {
        let fitting = || self.0.iter().filter(|exemption| fits(exemption, subject));
        if let Some(whole) = fitting().find(|exemption| exemption.target.path.is_none()) {
            return Some(whole);
        }
        if paths.is_empty() {
            return None;
        }
        let mut chosen: Option<&Exemption> = None;
        for path in paths {
            let covering = fitting().find(|exemption| {
                exemption.target.path.as_deref().is_some_and(|element| is_within(path, element))
            })?;
            let weaker = covering.category == Category::RiskAccepted;
            if chosen.is_none() || weaker {
                chosen = Some(covering);
            }
        }
        chosen
    }
}

fn fits(exemption: &Exemption, subject: &Subject<'_>) -> bool {
    let target = &exemption.target;
    let rule = matches(&target.rule, subject.rule)
        || subject.aliases.iter().any(|alias| matches(&target.rule, alias));
    let namespace = target.namespace.as_deref().is_none_or(|pattern| {
        subject.namespace.is_some_and(|namespace| matches(pattern, namespace))
    });
    let resource =
        target.resource.as_deref().is_none_or(|pattern| matches(pattern, subject.resource));
    let package = target.package.as_deref().is_none_or(|pattern| {
        subject.package.is_some_and(|(name, purl)| matches(pattern, name) || matches(pattern, purl))
    });
    // A path names an element of an object; a flaw has none, so such an exemption is not for it.
    let path = target.path.is_none() || subject.package.is_none();
    rule && namespace && resource && package && path
}

/// Equal, or equal up to a `*` at the pattern's end.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    }
}

/// Whether a JSON Pointer is `element` or lies below it.
fn is_within(path: &str, element: &str) -> bool {
    path.strip_prefix(element.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn settle(
    excuse: Option<ExemptionRef>,
    state: &mut State,
    exemption: &mut Option<ExemptionRef>,
) -> bool {
    let next = if excuse.is_some() { State::Exempt } else { State::Unhealthy };
    let changed = *state != next || *exemption != excuse;
    (*state, *exemption) = (next, excuse);
    changed
}

fn reference(exemption: &Exemption) -> ExemptionRef {
    let category = match exemption.category {
        Category::Mitigated => "mitigated",
        Category::RiskAccepted => "risk_accepted",
    };
    ExemptionRef {
        id: exemption.id.to_string(),
        category: category.to_owned(),
        reason: exemption.reason.clone(),
        by: Some(exemption.owner.clone()),
        expires: Some(exemption.expires),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn exemption(target: serde_json::Value, category: &str) -> Exemption {
        let mut whole = json!({"rule": "SW-C-0017", "namespace": null, "resource": null, "package": null, "path": null});
        for (key, value) in target.as_object().unwrap() {
            whole[key] = value.clone();
        }
        serde_json::from_value(json!({
            "id": "0192d3a0-7c2e-7c4b-9d3e-1f2a3b4c5d6e", "scope": "/org/", "target": whole, "category": category,
            "reason": "r", "owner": "o", "state": "granted", "expires": 9, "source": "ui", "matches": 0,
            "last_match": null, "created": 1, "revision": 1
        }))
        .unwrap()
    }

    fn control(paths: &[&str]) -> ControlFinding {
        let evidence: Vec<_> =
            paths.iter().map(|path| json!({"path": path, "value": true})).collect();
        serde_json::from_value(json!({
            "control": "SW-C-0017", "title": "t", "severity": "medium", "state": "unhealthy", "reason": null,
            "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": "u"},
            "source": null, "message": "m", "frameworks": [], "evidence": evidence, "fix": [], "exemption": null,
            "engine": "cel"
        }))
        .unwrap()
    }

    #[track_caller]
    fn check(exemptions: &[Exemption], paths: &[&str], expected: Option<&str>) {
        let mut finding = control(paths);
        Excuses(exemptions).apply_control(&mut finding);
        assert_eq!(finding.exemption.map(|exemption| exemption.category).as_deref(), expected);
        let state = if expected.is_some() { State::Exempt } else { State::Unhealthy };
        assert_eq!(finding.state, state);
    }

    #[test]
    fn every_given_part_has_to_fit() {
        let c0 = "/spec/containers/0/securityContext";
        check(&[], &[c0], None);
        check(&[exemption(json!({}), "mitigated")], &[c0], Some("mitigated"));
        check(&[exemption(json!({"rule": "SW-C-0018"}), "mitigated")], &[c0], None);
        check(&[exemption(json!({"namespace": "shop"}), "mitigated")], &[c0], Some("mitigated"));
        check(&[exemption(json!({"namespace": "bank"}), "mitigated")], &[c0], None);
        check(
            &[exemption(json!({"resource": "Deployment/w*"}), "mitigated")],
            &[c0],
            Some("mitigated"),
        );
        check(&[exemption(json!({"resource": "Pod/web"}), "mitigated")], &[c0], None);
        check(&[exemption(json!({"package": "openssl"}), "mitigated")], &[c0], None);
    }

    #[test]
    fn another_failing_element_keeps_the_resource_unhealthy() {
        let (first, second) = ("/spec/containers/0", "/spec/containers/1");
        let of = |path: &str, category| exemption(json!({"path": path}), category);
        let one = of(first, "mitigated");
        check(
            std::slice::from_ref(&one),
            &["/spec/containers/0/securityContext"],
            Some("mitigated"),
        );
        check(std::slice::from_ref(&one), &[first, second], None);
        check(std::slice::from_ref(&one), &["/spec/containers/01"], None);
        check(&[one, of(second, "risk_accepted")], &[first, second], Some("risk_accepted"));
    }

    #[test]
    fn an_excuse_that_is_gone_leaves_the_finding_unhealthy() {
        let mut finding = control(&["/spec"]);
        let granted = [exemption(json!({}), "mitigated")];
        assert!(Excuses(&granted).apply_control(&mut finding));
        assert!(!Excuses(&granted).apply_control(&mut finding), "nothing new");
        assert!(Excuses(&[]).apply_control(&mut finding));
        assert_eq!((finding.state, &finding.exemption), (State::Unhealthy, &None));
        finding.state = State::Unknown;
        assert!(!Excuses(&granted).apply_control(&mut finding), "unknown is not excused");
    }
}
