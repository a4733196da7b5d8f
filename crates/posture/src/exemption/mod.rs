//! Excuses for findings, down to one container: what is excused is shown as exempt, never hidden.
//!
//! Invariant: an excuse takes failing elements away; what it does not name keeps the resource unhealthy. One that has
//! expired or excuses nothing is told, not applied in silence.
mod file;

pub use file::{Entry, Excuse, MAX_FILE, Read, end, load, read};

use crate::glob;
use seawall_model::exemption::Category;
use seawall_model::finding::{ControlFinding, Evidence, ExemptionRef, State};
use seawall_model::{Millis, Problem, exemption};
use serde_json::Value;

/// One excuse. Every given part has to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// Where it stands, `FILE:LINE`, or its id in the hub.
    pub id: String,
    /// Globs.
    pub control: String,
    pub namespace: Option<String>,
    /// `web`, `Deployment/web` or `shop/Deployment/web`.
    pub resource: Option<String>,
    pub element: Option<Element>,
    pub category: Category,
    pub reason: String,
    pub owner: Option<String>,
    /// The first moment it no longer holds.
    pub expires: Option<Millis>,
    /// File and 1-based line, where it has them.
    pub place: Option<(String, u32)>,
}

/// A part of a resource; globs but for the pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// A JSON Pointer: the value there and all below it.
    Path(String),
    /// A container by its name.
    Container(String),
    /// Every container of that image.
    Image(String),
}

/// Exemptions in the order given; the first that fits a whole resource, or an element, excuses it.
#[derive(Clone, Debug, Default)]
pub struct Exemptions {
    entries: Vec<Exemption>,
    /// Against which expiry is held.
    now: Millis,
}

/// Findings, or elements of them, that each exemption excused.
#[derive(Clone, Debug)]
pub struct Matches(Vec<u64>);

impl Exemptions {
    /// `now`: the moment of the scan.
    pub fn new(entries: Vec<Exemption>, now: Millis) -> Self {
        Self { entries, now }
    }

    pub fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    pub fn add(&mut self, entries: Vec<Exemption>) {
        self.entries.extend(entries);
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Counters, all zero.
    pub fn matches(&self) -> Matches {
        Matches(vec![0; self.entries.len()])
    }

    /// Takes what is excused out of an unhealthy finding of `object`: all of it makes the finding exempt; part of it
    /// leaves the rest, without evidence and fix of what is excused. Null stands for what is no object.
    pub fn excuse(&self, object: &Value, finding: &mut ControlFinding, matches: &mut Matches) {
        if finding.state != State::Unhealthy {
            return;
        }
        let fitting = || {
            self.entries.iter().enumerate().filter(|(_, entry)| {
                entry.expires.is_none_or(|expires| self.now < expires) && entry.fits(finding)
            })
        };
        if let Some((index, whole)) = fitting().find(|(_, entry)| entry.element.is_none()) {
            matches.0[index] += 1;
            settle(finding, whole.reference());
            return;
        }
        let mut chosen: Option<&Exemption> = None;
        let mut open: Vec<Evidence> = Vec::new();
        let mut excused = Vec::new();
        for evidence in &finding.evidence {
            let covering = fitting()
                .find_map(|(index, entry)| Some((index, entry, entry.covers(object, evidence)?)));
            match covering {
                Some((index, entry, base)) => {
                    matches.0[index] += 1;
                    excused.push(base);
                    // Of several the one that promises less is what the whole counts as.
                    if chosen.is_none() || entry.category == Category::RiskAccepted {
                        chosen = Some(entry);
                    }
                }
                None => open.push(evidence.clone()),
            }
        }
        match chosen {
            Some(entry) if open.is_empty() => settle(finding, entry.reference()),
            Some(_) => {
                finding.evidence = open;
                finding.fix.retain(|operation| {
                    let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
                    !excused.iter().any(|base| is_within(path, base))
                });
            }
            None => {}
        }
    }

    /// Exemptions that expired, and those that excused nothing. `judged`: whether a control was run at all; where it
    /// was not, nothing could match. Those of the hub hold for much else, and the hub counts their matches itself.
    pub fn problems(&self, matches: &Matches, judged: impl Fn(&str) -> bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (entry, count) in self.entries.iter().zip(&matches.0) {
            let problem = if entry.expires.is_some_and(|expires| self.now >= expires) {
                let owner = entry.owner.as_ref().map(|owner| format!(", ask {owner}"));
                let message = format!("the exemption of {} has expired", entry.control);
                Problem::warning("exemption-expired", message + &owner.unwrap_or_default())
                    .help("heal the finding, or renew the exemption with a new date")
            } else if *count == 0 && entry.place.is_some() && judged(&entry.control) {
                let message = format!("the exemption of {} excuses nothing", entry.control);
                Problem::warning("exemption-unused", message).help("remove it")
            } else {
                continue;
            };
            problems.push(entry.placed(problem));
        }
        problems
    }
}

impl Exemption {
    /// One that the hub holds; `None` for one of a package, which excuses no object.
    pub fn from_hub(stored: &exemption::Exemption) -> Option<Self> {
        let target = &stored.target;
        if target.package.is_some() {
            return None;
        }
        Some(Self {
            id: stored.id.to_string(),
            control: target.rule.clone(),
            namespace: target.namespace.clone(),
            resource: target.resource.clone(),
            element: target.path.clone().map(Element::Path),
            category: stored.category,
            reason: stored.reason.clone(),
            owner: Some(stored.owner.clone()),
            expires: Some(stored.expires),
            place: None,
        })
    }

    fn fits(&self, finding: &ControlFinding) -> bool {
        let resource = &finding.resource;
        let namespace = resource.namespace.as_deref().unwrap_or_default();
        let of_kind = format!("{}/{}", resource.kind, resource.name);
        let names = [resource.name.clone(), format!("{namespace}/{of_kind}"), of_kind];
        let named = |pattern: &str| names.iter().any(|name| glob::fits(pattern, name));
        glob::fits(&self.control, &finding.control)
            && self.namespace.as_deref().is_none_or(|pattern| glob::fits(pattern, namespace))
            && self.resource.as_deref().is_none_or(named)
    }

    /// The pointer of the excused element that the evidence is of or in.
    fn covers(&self, object: &Value, evidence: &Evidence) -> Option<String> {
        let (key, pattern) = match self.element.as_ref()? {
            Element::Path(base) => return is_within(&evidence.path, base).then(|| base.clone()),
            Element::Container(pattern) => ("name", pattern),
            Element::Image(pattern) => ("image", pattern),
        };
        let base = container(&evidence.path)?;
        let text = object.pointer(base)?.get(key)?.as_str()?;
        glob::fits(pattern, text).then(|| base.to_owned())
    }

    fn reference(&self) -> ExemptionRef {
        ExemptionRef {
            id: self.id.clone(),
            category: word(self.category).to_owned(),
            reason: self.reason.clone(),
            by: self.owner.clone(),
            expires: self.expires,
        }
    }

    fn placed(&self, problem: Problem) -> Problem {
        match &self.place {
            Some((file, line)) => problem.file(file).at(*line, 1),
            None => problem.item(&self.id),
        }
    }
}

/// Lists of containers in a pod spec.
const CONTAINERS: [&str; 3] = ["/containers/", "/initContainers/", "/ephemeralContainers/"];

/// The pointer of the container into which `path` leads.
fn container(path: &str) -> Option<&str> {
    CONTAINERS.iter().find_map(|list| {
        let index = path.find(list)? + list.len();
        let digits = path[index..].bytes().take_while(u8::is_ascii_digit).count();
        let end = index + digits;
        (digits > 0 && matches!(path.as_bytes().get(end), None | Some(b'/'))).then(|| &path[..end])
    })
}

/// Whether a JSON Pointer is `base` or lies below it.
fn is_within(path: &str, base: &str) -> bool {
    path.strip_prefix(base.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn settle(finding: &mut ControlFinding, exemption: ExemptionRef) {
    finding.state = State::Exempt;
    finding.exemption = Some(exemption);
    finding.fix.clear();
}

/// How reports write a category.
pub fn word(category: Category) -> &'static str {
    match category {
        Category::Mitigated => "mitigated",
        Category::RiskAccepted => "risk_accepted",
    }
}

/// The category that an exempt finding was excused as.
pub fn category(finding: &ControlFinding) -> Option<Category> {
    match finding.exemption.as_ref()?.category.as_str() {
        "mitigated" => Some(Category::Mitigated),
        _ => Some(Category::RiskAccepted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIRST: &str = "/spec/template/spec/containers/0/securityContext/privileged";
    const SECOND: &str = "/spec/template/spec/containers/1/securityContext/privileged";

    fn object() -> Value {
        json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": [
            {"name": "web", "image": "registry.test/web:1"}, {"name": "proxy", "image": "registry.test/mesh/proxy:2"}]}}}})
    }

    fn finding() -> ControlFinding {
        let part = |path: &str| json!({"path": path, "value": true});
        let replace = |path: &str| json!({"op": "replace", "path": path, "value": false});
        serde_json::from_value(json!({
            "control": "SW-C-0001", "title": "t", "severity": "high", "state": "unhealthy", "reason": null,
            "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": null},
            "source": null, "message": "m", "frameworks": [], "evidence": [part(FIRST), part(SECOND)],
            "fix": [replace(FIRST), replace(SECOND)], "exemption": null, "engine": "cel"
        }))
        .unwrap()
    }

    /// `text` are the keys of one entry; what is left of evidence and fix, or the category of a finding wholly excused.
    #[track_caller]
    fn check(entries: &[&str], expected: &str) {
        let entries: String =
            entries.iter().map(|entry| format!("- {{{entry}, reason: r}}\n")).collect();
        let exemptions = load("ignore.yaml", &format!("ignore:\n{entries}"), 0).unwrap().0;
        let (mut finding, mut matches) = (finding(), exemptions.matches());
        exemptions.excuse(&object(), &mut finding, &mut matches);
        let left = match &finding.exemption {
            Some(exemption) => exemption.category.clone(),
            None => {
                assert_eq!(finding.evidence.len(), finding.fix.len());
                let paths: Vec<_> = finding
                    .evidence
                    .iter()
                    .map(|e| if e.path == FIRST { "1" } else { "2" })
                    .collect();
                paths.join(" ")
            }
        };
        assert_eq!(left, expected, "{entries}");
        assert_eq!(finding.state == State::Exempt, finding.exemption.is_some());
    }

    #[test]
    fn every_given_part_has_to_fit() {
        check(&["control: SW-C-0001"], "risk_accepted");
        check(&["control: SW-C-0002"], "1 2");
        check(&["control: SW-C-0001, category: mitigated"], "mitigated");
        check(&["control: SW-C-*, namespace: sh*"], "risk_accepted");
        check(&["control: SW-C-0001, namespace: bank"], "1 2");
        for resource in ["web", "Deployment/web", "shop/Deployment/web", "*/web", "Deployment/*"] {
            check(&[&format!("control: SW-C-0001, resource: \"{resource}\"")], "risk_accepted");
        }
        for resource in ["we", "Pod/web", "bank/Deployment/web"] {
            check(&[&format!("control: SW-C-0001, resource: {resource}")], "1 2");
        }
    }

    #[test]
    fn elements_are_taken_away_one_by_one() {
        check(&["control: SW-C-0001, container: web"], "2");
        check(&["control: SW-C-0001, image: \"*/mesh/*\""], "1");
        check(&["control: SW-C-0001, container: other"], "1 2");
        check(&["control: SW-C-0001, path: /spec/template/spec/containers/0"], "2");
        check(&["control: SW-C-0001, path: /spec/template/spec/containers"], "risk_accepted");
        check(
            &[
                "control: SW-C-0001, container: web, category: mitigated",
                "control: SW-C-0001, container: proxy",
            ],
            "risk_accepted",
        );
        check(&["control: SW-C-0001, container: \"*\", category: mitigated"], "mitigated");
    }

    #[test]
    fn containers_are_found_in_paths() {
        for (path, expected) in [
            ("/spec/containers/0", Some("/spec/containers/0")),
            ("/spec/initContainers/12/image", Some("/spec/initContainers/12")),
            ("/spec/containers/0x/image", None),
            ("/spec/containers/", None),
            ("/spec/volumes/0", None),
        ] {
            assert_eq!(container(path), expected, "{path}");
        }
    }

    /// Expiry is the first moment after the day; codes of what is told.
    #[track_caller]
    fn check_told(entry: &str, now: Millis, expected: &[&str]) {
        let text = format!("ignore:\n- {{{entry}, reason: r, owner: o}}\n");
        let exemptions = load("ignore.yaml", &text, now).unwrap().0;
        let mut matches = exemptions.matches();
        exemptions.excuse(&object(), &mut finding(), &mut matches);
        let told = exemptions.problems(&matches, |control| control != "SW-C-0003");
        let codes: Vec<&str> = told.iter().map(|problem| problem.code.as_str()).collect();
        assert_eq!(codes, expected, "{entry} at {now}");
    }

    #[test]
    fn what_expired_or_excuses_nothing_is_told() {
        const DAY: Millis = 86_400_000;
        let until = "control: SW-C-0001, until: 1970-01-02";
        check_told(until, 0, &[]);
        check_told(until, 2 * DAY - 1, &[]);
        check_told(until, 2 * DAY, &["exemption-expired"]);
        check_told("control: SW-C-0002, until: 1970-01-02", 0, &["exemption-unused"]);
        check_told("control: SW-C-0001, container: x, until: 1970-01-02", 0, &["exemption-unused"]);
        check_told("control: SW-C-0003, until: 1970-01-02", 0, &[]);
    }
}
