//! What is known of the cluster and what has been said of it; turns changes into records.
use seawall_model::finding::{ControlFinding, ObjectAssessment, Resource};
use seawall_model::record::Record;
use seawall_model::time::Millis;
use seawall_model::{Problem, problem::ProblemKind};
use seawall_posture::live::Live;
use seawall_posture::objects::{Columns, Objects};
use seawall_posture::owners::{Role, mark_injected, role};
use seawall_posture::score::Weight;
use seawall_posture::{Assigned, Reassigned, Selection, workload};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How long a pod waits for its controller to be seen before it answers for itself.
const WAIT_FOR_CONTROLLER: Millis = 5_000;
/// Refused objects kept to show; all are counted.
const MAX_PROBLEMS: usize = 20;
/// Namespaces whose objects are judged together between two looks at the channel: each takes some milliseconds.
const NAMESPACES: usize = 20;
/// Objects that a change of assignments is compared for between two looks at the channel: each takes some microseconds.
const COMPARED: usize = 1_000;
/// Kinds that are never watched although controls look at them: Secrets, what may hold secrets, and what changes with
/// every heartbeat and says nothing that its origin does not.
const UNWATCHED: [(&str, &str); 6] = [
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
    ("v1", "Endpoints"),
    ("v1", "Event"),
    ("coordination.k8s.io/v1", "Lease"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
];

/// Owns the object store; the agent's loop feeds it and sends what it returns.
pub(crate) struct Assessor {
    selection: Selection,
    objects: Objects,
    /// What controls that need several objects say.
    live: Live,
    /// Kinds whose objects have never all come.
    unlisted: HashSet<(String, String)>,
    /// What no object stands for and has been spoken of.
    objectless: HashMap<String, Resource>,
    /// Objects to look at again, with the time of the change.
    dirty: BTreeMap<String, Millis>,
    /// Objects whose controller is not here, with the time they are judged anyway.
    waiting: HashMap<String, Millis>,
    /// Objects that the last change of assignments may concern, and what it changed.
    reassigned: (Reassigned, Vec<String>),
    /// Hash of what was last said of an object.
    said: HashMap<String, u64>,
    /// Kinds that could not be read for too long, and why: the reason of their findings.
    stale: HashMap<(String, String), &'static str>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) refused: u64,
}

/// What there is, for status pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) objects: usize,
    pub(crate) bytes: usize,
    pub(crate) assessed: usize,
}

impl Assessor {
    /// `kubernetes` is the `1.N` of the cluster.
    pub(crate) fn new(selection: Selection, kubernetes: Option<String>) -> Self {
        let mut live = Live::new(&selection, kubernetes);
        for (api_version, kind) in UNWATCHED {
            live.set_unseen(api_version, kind, Some("not-collected"));
        }
        Self {
            selection,
            objects: Objects::default(),
            live,
            unlisted: HashSet::new(),
            objectless: HashMap::new(),
            dirty: BTreeMap::new(),
            waiting: HashMap::new(),
            reassigned: Default::default(),
            said: HashMap::new(),
            stale: HashMap::new(),
            problems: Vec::new(),
            refused: 0,
        }
    }

    /// A kind is watched: until all of its objects have come, nothing is said as if there were none.
    pub(crate) fn expect(&mut self, api_version: &str, kind: &str) {
        self.unlisted.insert((api_version.to_owned(), kind.to_owned()));
        self.live.set_unseen(api_version, kind, Some("not-collected"));
    }

    /// A kind is watched that had no objects until now: while they come, the others are told of as before.
    pub(crate) fn expect_more(&mut self, api_version: &str, kind: &str) {
        self.unlisted.insert((api_version.to_owned(), kind.to_owned()));
    }

    /// A kind is served no more, or has been read in another version: what is left of it is gone.
    pub(crate) fn end(&mut self, api_version: &str, kind: &str, now: Millis) -> Vec<Record> {
        let key = (api_version.to_owned(), kind.to_owned());
        self.unlisted.remove(&key);
        self.stale.remove(&key);
        let left = self.objects.iter().filter(|(_, columns)| {
            columns.api_version.as_ref() == api_version && columns.kind.as_ref() == kind
        });
        let mut left: Vec<String> = left.map(|(uid, _)| uid.to_owned()).collect();
        left.sort();
        self.live.set_unseen(api_version, kind, None);
        left.iter().filter_map(|uid| self.remove(uid, now)).collect()
    }

    /// Whether objects of that kind are watched beside workloads.
    pub(crate) fn looks_at(&self, api_version: &str, kind: &str) -> bool {
        !UNWATCHED.contains(&(api_version, kind)) && self.selection.looks_at(api_version, kind)
    }

    /// All objects of a kind have come.
    pub(crate) fn listed(&mut self, api_version: &str, kind: &str) {
        let key = (api_version.to_owned(), kind.to_owned());
        if self.unlisted.remove(&key) && !self.stale.contains_key(&key) {
            self.live.set_unseen(api_version, kind, None);
        }
    }

    /// A kind may not be read; what came before is good for a while.
    pub(crate) fn forbidden(&mut self, api_version: &str, kind: &str) {
        if self.unlisted.contains(&(api_version.to_owned(), kind.to_owned())) {
            self.live.set_unseen(api_version, kind, Some("forbidden"));
        }
    }

    /// Takes an object; returned as it is now, unless it was refused.
    pub(crate) fn apply(&mut self, bytes: &[u8], now: Millis) -> Option<Value> {
        match self.objects.apply(bytes) {
            Ok(applied) if applied.changed => {
                let before = applied.before.as_deref();
                let before = before.and_then(|bytes| serde_json::from_slice(bytes).ok());
                self.live.changed(&self.objects, before.as_ref(), Some(&applied.object));
                self.touch(&applied.uid, now);
                Some(applied.object)
            }
            Ok(applied) => Some(applied.object),
            Err(problem) => {
                self.refused += 1;
                tracing::warn!(code = problem.code, message = problem.message, "object refused");
                if self.problems.len() < MAX_PROBLEMS {
                    self.problems.push(*problem);
                }
                None
            }
        }
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    pub(crate) fn object(&self, uid: &str) -> Option<Value> {
        self.objects.parse(uid)
    }

    /// Forgets an object; a record if it had been spoken of.
    pub(crate) fn remove(&mut self, uid: &str, now: Millis) -> Option<Record> {
        let resource = self.objects.columns_of(uid).map(|columns| resource(columns, uid))?;
        let children: Vec<String> = self.objects.children(uid).map(str::to_owned).collect();
        let before = self.objects.parse(uid);
        self.objects.remove(uid);
        self.live.changed(&self.objects, before.as_ref(), None);
        self.dirty.remove(uid);
        self.waiting.remove(uid);
        for child in children {
            self.touch(&child, now);
        }
        self.said.remove(uid)?;
        let gone = ObjectAssessment { deleted: true, ..ObjectAssessment::of(resource, now) };
        Some(Record::Assessment(Box::new(gone)))
    }

    /// Marks an object, and those whose owner it may be, to be looked at again.
    fn touch(&mut self, uid: &str, now: Millis) {
        let mut open = vec![uid.to_owned()];
        while let Some(uid) = open.pop() {
            if self.dirty.get(&uid) != Some(&now) || self.waiting.contains_key(&uid) {
                self.waiting.remove(&uid);
                open.extend(self.objects.children(&uid).map(str::to_owned));
                self.dirty.insert(uid, now);
            }
        }
    }

    /// A kind could not be read for too long, or is read again.
    pub(crate) fn set_stale(
        &mut self,
        api_version: &str,
        kind: &str,
        reason: Option<&'static str>,
        now: Millis,
    ) {
        let key = (api_version.to_owned(), kind.to_owned());
        let before = match reason {
            Some(reason) => self.stale.insert(key, reason),
            None => self.stale.remove(&key),
        };
        if before != reason {
            self.live.set_unseen(api_version, kind, reason);
            let concerned = self.objects.iter().filter(|(_, columns)| {
                columns.api_version.as_ref() == api_version && columns.kind.as_ref() == kind
            });
            let uids: Vec<String> = concerned.map(|(uid, _)| uid.to_owned()).collect();
            self.dirty.extend(uids.into_iter().map(|uid| (uid, now)));
        }
    }

    /// Judges by what is assigned from now on; what has other parameters by that is looked at again.
    pub(crate) fn assign(&mut self, assigned: &Assigned, now: Millis) {
        self.live.assign(&self.objects, assigned);
        let changed = self.selection.assign(assigned);
        if changed.is_empty() {
            return;
        }
        let uids = self.objects.iter().map(|(uid, _)| uid.to_owned()).collect();
        let (_, left) = std::mem::replace(&mut self.reassigned, (changed, uids));
        // Nobody knows any more what these were judged by.
        self.dirty.extend(left.into_iter().map(|uid| (uid, now)));
    }

    /// Looks again at those of up to [`COMPARED`] objects whose parameters are others now.
    fn compare(&mut self, now: Millis) {
        let (changed, left) = &mut self.reassigned;
        for uid in left.split_off(left.len().saturating_sub(COMPARED)) {
            let columns = self.objects.columns_of(&uid);
            if columns.is_some_and(|columns| changed.concerns(columns)) {
                self.dirty.entry(uid).or_insert(now);
            }
        }
        if left.is_empty() {
            self.reassigned = Default::default();
        }
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.dirty.is_empty() || self.live.has_work() || !self.reassigned.1.is_empty()
    }

    /// When the next waiting object is due.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.waiting.values().min().copied()
    }

    /// Judges up to `limit` changed objects; the records whose content is new.
    pub(crate) fn flush(&mut self, limit: usize, now: Millis) -> Vec<Record> {
        let due: Vec<String> = self
            .waiting
            .iter()
            .filter(|(_, due)| **due <= now)
            .map(|(uid, _)| uid.clone())
            .collect();
        for uid in due {
            self.dirty.insert(uid, now);
        }
        self.compare(now);
        let mut records = Vec::new();
        for key in self.live.flush(&self.objects, NAMESPACES) {
            match self.objects.columns_of(&key) {
                Some(_) => {
                    self.dirty.entry(key).or_insert(now);
                }
                None => records.extend(self.objectless(key, now)),
            }
        }
        for _ in 0..limit {
            let Some((uid, observed)) = self.dirty.pop_first() else { break };
            records.extend(self.assess(&uid, observed, now));
        }
        records
    }

    /// What is said of something that no object stands for, such as the cluster; an object that is gone has been told.
    fn objectless(&mut self, key: String, now: Millis) -> Option<Record> {
        let assessment = match self.live.verdict(&key) {
            Some(verdict) if verdict.resource.uid.is_none() => {
                let mut assessment = ObjectAssessment::of(verdict.resource.clone(), now);
                assessment.take(verdict.findings().collect());
                self.objectless.insert(key, verdict.resource.clone());
                assessment
            }
            Some(_) => return None,
            None => {
                let resource = self.objectless.remove(&key)?;
                ObjectAssessment { deleted: true, ..ObjectAssessment::of(resource, now) }
            }
        };
        Some(Record::Assessment(Box::new(assessment)))
    }

    fn assess(&mut self, uid: &str, observed: Millis, now: Millis) -> Option<Record> {
        let (judged, owner, injected) = match role(&self.objects, uid) {
            Role::Subject { owner } => (true, owner, false),
            Role::Injected { owner } => (true, Some(owner), true),
            Role::Represented { owner, .. } => (false, Some(owner), false),
            Role::Waiting { owner } => match self.waiting.remove(uid) {
                Some(due) if due <= now => (true, Some(owner), false),
                since => {
                    self.waiting.insert(uid.to_owned(), since.unwrap_or(now + WAIT_FOR_CONTROLLER));
                    return None;
                }
            },
            Role::Other => (self.is_spoken_of(uid), None, false),
            Role::Skipped => (false, None, false),
        };
        let columns = self.objects.columns_of(uid)?;
        // Pods are told of although another object answers for them: alerts and images lead to them.
        let told = judged || columns.kind.as_ref() == "Pod" || self.said.contains_key(uid);
        if !told {
            return None;
        }
        let kind = (columns.api_version.to_string(), columns.kind.to_string());
        let (labels, images) =
            (texts(columns), columns.images.iter().map(ToString::to_string).collect());
        let resource = resource(columns, uid);
        let (findings, problems, weight) = match judged {
            true => self.judge(uid, &kind, injected),
            false => (Vec::new(), Vec::new(), Weight::ONE),
        };
        let mut assessment = ObjectAssessment {
            owner,
            labels,
            images,
            weight_tenths: weight.tenths(),
            problems,
            ..ObjectAssessment::of(resource, observed)
        };
        assessment.take(findings);
        let hash = content_hash(&assessment);
        if self.said.insert(uid.to_owned(), hash) == Some(hash) {
            return None;
        }
        Some(Record::Assessment(Box::new(assessment)))
    }

    /// Whether a control has anything to say of an object that runs no pods.
    fn is_spoken_of(&self, uid: &str) -> bool {
        self.live.verdict(uid).is_some()
            || self.objects.parse(uid).is_some_and(|object| self.selection.concerns(&object))
    }

    fn judge(
        &self,
        uid: &str,
        kind: &(String, String),
        injected: bool,
    ) -> (Vec<ControlFinding>, Vec<Problem>, Weight) {
        let Some(object) = self.objects.parse(uid) else {
            let problem =
                Problem::new(ProblemKind::Gap, "object", "the stored object cannot be read")
                    .item(uid);
            return (Vec::new(), vec![problem], Weight::ONE);
        };
        if let Some(reason) = self.stale.get(kind) {
            let message = format!("{} objects cannot be read any more", kind.1);
            let mut findings = self.selection.undecided(&object, reason, &message);
            findings.extend(self.across(uid));
            return (findings, Vec::new(), Weight::of(&object));
        }
        let mut findings = self.selection.evaluate(&object, None).unwrap_or_default();
        if injected {
            mark_injected(&mut findings);
        }
        findings.extend(self.across(uid));
        (findings, Vec::new(), Weight::of(&object))
    }

    /// What controls that need several objects say of one.
    fn across(&self, uid: &str) -> Vec<ControlFinding> {
        let verdict = self.live.verdict(uid);
        verdict.into_iter().flat_map(|verdict| verdict.findings().collect::<Vec<_>>()).collect()
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            objects: self.objects.len(),
            bytes: self.objects.bytes(),
            assessed: self.said.len(),
        }
    }
}

fn texts(columns: &Columns) -> Vec<(String, String)> {
    columns.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn resource(columns: &Columns, uid: &str) -> Resource {
    Resource {
        api_version: columns.api_version.to_string(),
        kind: columns.kind.to_string(),
        namespace: columns.namespace.as_deref().map(str::to_owned),
        name: columns.name.to_string(),
        uid: Some(uid.to_owned()),
    }
}

/// Everything but the time.
fn content_hash(assessment: &ObjectAssessment) -> u64 {
    let timeless = ObjectAssessment { observed: 0, ..assessment.clone() };
    let mut hasher = DefaultHasher::new();
    let text = serde_json::to_vec(&timeless).unwrap_or_default();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Whether an object of that kind runs pods.
pub(crate) fn is_workload(api_version: &str, kind: &str) -> bool {
    workload::kind(api_version, kind).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::finding::State;
    use serde_json::{Value, json};

    fn object(value: &Value) -> Vec<u8> {
        serde_json::to_vec(value).unwrap()
    }

    fn assessor() -> Assessor {
        of(&["SW-C-0001", "SW-C-0002", "SW-C-0003", "SW-C-0017"])
    }

    /// Of few controls, so that what is told does not change with every one that joins.
    fn of(controls: &[&str]) -> Assessor {
        let controls = controls.iter().map(ToString::to_string).collect();
        let request = seawall_posture::Request { controls, ..Default::default() };
        let selection = crate::content().unwrap().select(&request).unwrap();
        Assessor::new(selection, Some("1.36".to_owned()))
    }

    fn workload(kind: &str, uid: &str, owner: Option<(&str, &str)>, container: Value) -> Value {
        let spec = json!({"containers": [container]});
        let (version, spec) = match kind {
            "Pod" => ("v1", spec),
            _ => ("apps/v1", json!({"template": {"spec": spec}})),
        };
        let owners: Vec<Value> = owner.into_iter().map(|(kind, uid)| json!({"apiVersion": "apps/v1", "kind": kind, "name": uid, "uid": uid, "controller": true})).collect();
        json!({"apiVersion": version, "kind": kind, "metadata": {"name": uid, "namespace": "shop", "uid": uid, "ownerReferences": owners}, "spec": spec})
    }

    /// `name: unhealthy controls`, `-` for a deletion.
    fn told(records: Vec<Record>) -> Vec<String> {
        let tell = |record: Record| match record {
            Record::Assessment(assessment) if assessment.deleted => {
                format!("-{}", assessment.resource.name)
            }
            Record::Assessment(assessment) => {
                let unhealthy =
                    assessment.findings.iter().filter(|finding| finding.state == State::Unhealthy);
                let ids: Vec<_> = unhealthy
                    .map(|finding| {
                        finding.control.trim_start_matches("SW-C-").to_owned()
                            + finding.reason.as_deref().map_or("", |_| "!")
                    })
                    .collect();
                let owner = assessment.owner.map(|owner| format!("<{owner}>")).unwrap_or_default();
                format!("{}{owner}: {}", assessment.resource.name, ids.join(" "))
            }
            other => format!("{other:?}"),
        };
        let mut lines: Vec<_> = records.into_iter().map(tell).collect();
        lines.sort();
        lines
    }

    fn good() -> Value {
        json!({"name": "a", "image": "x", "securityContext": {"allowPrivilegeEscalation": false}, "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}})
    }

    #[test]
    fn a_workload_is_told_once_at_its_owner() {
        let mut assessor = assessor();
        let mut bad = good();
        bad["securityContext"] = json!({"privileged": true});
        // The pod comes first, as watches of different kinds are not ordered.
        assessor.apply(
            &object(&workload("Pod", "web-1-a", Some(("ReplicaSet", "web-1")), bad.clone())),
            1,
        );
        assert_eq!(told(assessor.flush(10, 1)), [""; 0]);
        assessor.apply(
            &object(&workload("ReplicaSet", "web-1", Some(("Deployment", "web")), bad.clone())),
            2,
        );
        assessor.apply(&object(&workload("Deployment", "web", None, bad.clone())), 2);
        assert_eq!(told(assessor.flush(10, 2)), ["web-1-a<Deployment/web>: ", "web: 0001 0017"]);
        assert_eq!(assessor.next_due(), None);

        // Nothing new, nothing said; the fix is said.
        assessor.apply(&object(&workload("Deployment", "web", None, bad)), 3);
        assert_eq!(told(assessor.flush(10, 3)), [""; 0]);
        assessor.apply(&object(&workload("Deployment", "web", None, good())), 4);
        assert_eq!(told(assessor.flush(10, 4)), ["web: "]);
        assert_eq!(told(assessor.remove("web", 5).into_iter().collect()), ["-web"]);
        assert_eq!(told(assessor.remove("web", 5).into_iter().collect()), [""; 0]);
    }

    #[test]
    fn an_injected_pod_is_told_beside_its_owner() {
        let mut assessor = assessor();
        assessor.apply(&object(&workload("ReplicaSet", "web", None, good())), 1);
        let mut pod = workload("Pod", "web-a", Some(("ReplicaSet", "web")), good());
        pod["spec"]["containers"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "proxy", "image": "mesh"}));
        assessor.apply(&object(&pod), 1);
        assert_eq!(told(assessor.flush(10, 1)), ["web-a<ReplicaSet/web>: 0003! 0017!", "web: "]);
    }

    #[test]
    fn a_pod_whose_controller_never_comes_answers_for_itself() {
        let mut assessor = assessor();
        assessor.apply(
            &object(&workload("Pod", "lone", Some(("ReplicaSet", "hidden")), good())),
            1_000,
        );
        assert_eq!(told(assessor.flush(10, 1_000)), [""; 0]);
        assert_eq!(assessor.next_due(), Some(6_000));
        assert_eq!(told(assessor.flush(10, 5_999)), [""; 0]);
        assert_eq!(told(assessor.flush(10, 6_000)), ["lone<ReplicaSet/hidden>: "]);
    }

    #[test]
    fn a_broken_watch_makes_its_kind_unknown() {
        let mut assessor = assessor();
        assessor.apply(&object(&workload("Deployment", "web", None, good())), 1);
        assessor.flush(10, 1);
        assessor.set_stale("apps/v1", "Deployment", Some("stale"), 2);
        let Some(Record::Assessment(assessment)) = assessor.flush(10, 2).pop() else {
            panic!("no record")
        };
        assert!(
            assessment.findings.iter().all(|finding| finding.state == State::Unknown
                && finding.reason.as_deref() == Some("stale"))
        );
        assessor.set_stale("apps/v1", "Deployment", Some("forbidden"), 2);
        let Some(Record::Assessment(assessment)) = assessor.flush(10, 2).pop() else {
            panic!("no record")
        };
        assert_eq!(assessment.findings[0].reason.as_deref(), Some("forbidden"));
        assessor.set_stale("apps/v1", "Deployment", None, 3);
        assert_eq!(told(assessor.flush(10, 3)), ["web: "]);
        assessor.set_stale("apps/v1", "Deployment", None, 4);
        assert!(!assessor.has_work());
    }

    #[test]
    fn what_others_mean_for_an_object_is_told_with_it() {
        // A Service that selects nothing, and the cluster without a policy engine.
        let mut assessor = of(&["SW-C-0003", "SW-C-0360", "SW-C-0409"]);
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop", "uid": "s"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
        assessor.apply(&object(&service), 1);
        let alone = told(assessor.flush(10, 1));
        assert!(alone.contains(&"web: 0360".to_owned()), "{alone:?}");
        let mut web = workload("Deployment", "d", None, good());
        web["spec"]["template"]["metadata"] = json!({"labels": {"app": "web"}});
        assessor.apply(&object(&web), 2);
        let both = told(assessor.flush(10, 2));
        assert_eq!(both, ["d: ", "web: "]);
        assert_eq!(told(assessor.remove("d", 3).into_iter().collect()), ["-d"]);
        assert_eq!(told(assessor.flush(10, 3)), ["web: 0360"]);
        assert_eq!(told(assessor.remove("s", 4).into_iter().collect()), ["-web"]);
        assert_eq!(told(assessor.flush(10, 4)), [""; 0]);
    }

    #[test]
    fn nothing_is_said_as_if_there_were_none_before_all_have_come() {
        let mut assessor = of(&["SW-C-0360"]);
        for (api_version, kind) in [("v1", "Service"), ("apps/v1", "Deployment")] {
            assessor.expect(api_version, kind);
        }
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop", "uid": "s"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
        assessor.apply(&object(&service), 1);
        let reason = |assessor: &mut Assessor| {
            let Some(Record::Assessment(assessment)) = assessor.flush(10, 1).pop() else {
                panic!("no record")
            };
            assessment.findings[0].reason.clone()
        };
        assert_eq!(reason(&mut assessor).as_deref(), Some("not-collected"));
        assessor.listed("v1", "Service");
        assessor.forbidden("apps/v1", "Deployment");
        assert_eq!(reason(&mut assessor).as_deref(), Some("forbidden"));
        assessor.listed("apps/v1", "Deployment");
        assert_eq!(told(assessor.flush(10, 2)), ["web: 0360"]);
    }

    /// `(narrowing, params)` of assignments of one control at one scope.
    fn assigned(control: &str, assignments: &[(Value, Value)]) -> Assigned {
        let policy = |(narrowing, params): &(Value, Value)| {
            let mut policy = json!({"assignment": seawall_model::Id::new(1, [0; 10]), "control": control, "depth": 1, "action": "off",
                "params": params, "namespaces": [], "excluded_namespaces": [], "labels": [], "kinds": []});
            policy.as_object_mut().unwrap().extend(narrowing.as_object().unwrap().clone());
            serde_json::from_value(policy).unwrap()
        };
        let policies: Vec<_> = assignments.iter().map(policy).collect();
        let (assigned, problems) = Assigned::compile(&policies, &crate::content().unwrap());
        assert!(problems.is_empty(), "{problems:?}");
        assigned
    }

    #[test]
    fn assigned_parameters_count_for_what_runs_and_only_what_they_change_is_told() {
        // Images whose tag moves, and a namespace without a policy.
        let mut assessor = of(&["SW-C-0003", "SW-C-0200", "SW-C-0340"]);
        let mut edge = good();
        edge["image"] = json!("web:edge");
        for (name, namespace) in [("web", "shop"), ("db", "bank")] {
            let mut object_ = workload("Deployment", name, None, edge.clone());
            object_["metadata"]["namespace"] = json!(namespace);
            assessor.apply(&object(&object_), 1);
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "uid": namespace}});
            assessor.apply(&object(&namespace), 1);
        }
        assert_eq!(told(assessor.flush(10, 1)), ["bank: 0340", "db: ", "shop: 0340", "web: "]);
        let mut check = |control: &str, assignments: &[(Value, Value)], expected: &[&str]| {
            assessor.assign(&assigned(control, assignments), 2);
            assert_eq!(told(assessor.flush(10, 2)), expected, "{assignments:?}");
            assert!(!assessor.has_work());
        };
        let moving = json!({"floating": ["edge"]});
        check("SW-C-0200", &[(json!({"namespaces": ["shop"]}), moving.clone())], &["web: 0200"]);
        check("SW-C-0200", &[(json!({}), moving.clone())], &["db: 0200"]);
        // The worst is told, whichever comes first.
        check("SW-C-0200", &[(json!({}), json!({})), (json!({}), moving)], &[]);
        let spared = json!({"excludedNamespaces": ["shop"]});
        check(
            "SW-C-0340",
            &[(json!({"kinds": ["Namespace"]}), spared)],
            &["db: ", "shop: ", "web: "],
        );
    }

    #[test]
    fn a_change_amid_a_change_forgets_nobody() {
        let mut assessor = of(&["SW-C-0200"]);
        let mut edge = good();
        edge["image"] = json!("web:edge");
        for number in 0..COMPARED + 10 {
            assessor.apply(
                &object(&workload("Deployment", &format!("d{number}"), None, edge.clone())),
                1,
            );
        }
        assert_eq!(assessor.flush(usize::MAX, 1).len(), COMPARED + 10);
        let moving = json!({"floating": ["edge"]});
        assessor.assign(&assigned("SW-C-0200", &[(json!({}), moving)]), 2);
        assert_eq!(assessor.flush(usize::MAX, 2).len(), COMPARED, "one slice");
        assessor.assign(&Assigned::default(), 3);
        let healed = assessor.flush(usize::MAX, 3).len() + assessor.flush(usize::MAX, 3).len();
        assert_eq!((healed, assessor.has_work()), (COMPARED, false));
    }

    #[test]
    fn refused_objects_are_counted() {
        let mut assessor = assessor();
        assessor.apply(b"{", 1);
        assert_eq!((assessor.refused, assessor.problems.len()), (1, 1));
    }
}
