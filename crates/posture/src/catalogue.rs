//! All controls and frameworks, a selection of them, and the findings a selection makes of an object.
use crate::assigned::{Assigned, Bound, Place, Reassigned, Replaced, choose, differ, same};
use crate::control::{self, Control, Facts, Lifecycle, Matches, Membership};
use crate::framework::{self, Framework};
use crate::rbac::{FOLDER, Library};
use crate::workload::{self, View};
use crate::world::{Object, Subject, World};
use crate::{fix, patch};
use seawall_model::Problem;
use seawall_model::finding::{ControlFinding, Resource, Source, State};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Controls by id and frameworks by name.
#[derive(Debug, Default)]
pub struct Catalogue {
    pub controls: Vec<Arc<Control>>,
    pub frameworks: Vec<Framework>,
}

/// Which controls, bound to what.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `NAME` or `NAME@VERSION`; none and no controls: every stable control.
    pub frameworks: Vec<String>,
    /// Control ids.
    pub controls: Vec<String>,
    /// `1.N`: the version taken of every framework that goes by Kubernetes versions, unless one is named.
    pub kubernetes: Option<String>,
    /// Assigned parameters by control id; they win over the framework's.
    pub params: BTreeMap<String, Map<String, Value>>,
}

/// Selected controls with their bound parameters and the frameworks they answer for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    chosen: Vec<Chosen>,
    /// `NAME@VERSION`, as asked for.
    pub frameworks: Vec<String>,
    whole: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) control: Arc<Control>,
    params: Map<String, Value>,
    labels: Vec<String>,
    /// What is assigned of it; where some of it fits, its parameters count instead.
    assigned: Arc<[Bound]>,
}

impl Catalogue {
    /// Reads (path, text) pairs. A file with a problem is left out, the rest is loaded. Controls' paths that begin
    /// with `_rbac/` are what controls on permissions speak of.
    pub fn load<'a>(
        controls: impl IntoIterator<Item = (&'a str, &'a str)>,
        frameworks: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> (Self, Vec<Problem>) {
        let (mut catalogue, mut problems) = (Self::default(), Vec::new());
        for (file, text) in frameworks {
            match framework::load(file, text) {
                Ok(framework) => catalogue.frameworks.push(framework),
                Err(problem) => problems.push(*problem),
            }
        }
        let (shared, controls): (Vec<_>, Vec<_>) =
            controls.into_iter().partition(|(file, _)| file.starts_with(FOLDER));
        let (library, unread) = Library::load(shared);
        problems.extend(unread);
        let library = Arc::new(library);
        for (file, text) in controls {
            match control::load(file, text, &library) {
                Ok(control) => match catalogue.controls.iter().find(|other| other.id == control.id)
                {
                    Some(other) => {
                        let message = format!("{} stands in {} already", control.id, other.file);
                        problems.push(
                            Problem::error("duplicate-id", message).file(file).item(control.id),
                        );
                    }
                    None => {
                        problems.extend(catalogue.unknown_frameworks(&control));
                        catalogue.controls.push(Arc::new(control));
                    }
                },
                Err(found) => problems.extend(found),
            }
        }
        catalogue.controls.sort_by(|a, b| a.id.cmp(&b.id));
        catalogue.frameworks.sort_by(|a, b| a.name.cmp(&b.name));
        (catalogue, problems)
    }

    fn unknown_frameworks(&self, control: &Control) -> Vec<Problem> {
        let unknown = control.frameworks.iter().filter_map(|membership| {
            let framework = self.framework(&membership.framework);
            let message = match (&membership.version, framework) {
                (_, None) => format!("unknown framework `{}`", membership.framework),
                (Some(version), Some(framework)) if !framework.has_version(version) => {
                    format!("`{}` has no version {version}", membership.framework)
                }
                _ => return None,
            };
            Some(Problem::error("framework", message).file(&control.file).item(&control.id))
        });
        unknown.collect()
    }

    pub fn control(&self, id: &str) -> Option<&Arc<Control>> {
        self.controls.iter().find(|control| control.id == id)
    }

    pub fn framework(&self, name: &str) -> Option<&Framework> {
        self.frameworks.iter().find(|framework| framework.name == name)
    }

    /// Picks controls. Errors: an unknown control, framework, version or parameter, each with what there is.
    pub fn select(&self, request: &Request) -> Result<Selection, Box<Problem>> {
        let mut versions: BTreeMap<&str, &str> = BTreeMap::new();
        let kubernetes = request.kubernetes.as_deref();
        for asked in &request.frameworks {
            let (name, version) = asked
                .split_once('@')
                .map_or((asked.as_str(), None), |(name, version)| (name, Some(version)));
            let Some(framework) = self.framework(name) else {
                let known: Vec<_> =
                    self.frameworks.iter().map(|framework| framework.name.as_str()).collect();
                let help = format!("known are {}", known.join(", "));
                return Err(Box::new(
                    Problem::error("unknown-framework", format!("there is no framework `{name}`"))
                        .help(help),
                ));
            };
            let default =
                || framework.for_kubernetes(kubernetes).unwrap_or_else(|| framework.newest());
            let version = version
                .map_or_else(default, |version| version.strip_prefix('v').unwrap_or(version));
            if !framework.has_version(version) {
                let help = format!("the newest is {name}@{}", framework.newest());
                return Err(Box::new(
                    Problem::error(
                        "unknown-framework",
                        format!("`{name}` has no version {version}"),
                    )
                    .help(help),
                ));
            }
            versions.insert(&framework.name, version);
            for included in &framework.includes {
                versions.entry(included).or_insert(version);
            }
        }
        for id in request.controls.iter().chain(request.params.keys()) {
            if self.control(id).is_none() {
                let known: Vec<_> =
                    self.controls.iter().map(|control| control.id.as_str()).collect();
                let help = format!("known are {}", known.join(", "));
                return Err(Box::new(
                    Problem::error("unknown-control", format!("there is no control `{id}`"))
                        .help(help),
                ));
            }
        }
        let mut chosen = Vec::new();
        for control in &self.controls {
            let named = request.controls.contains(&control.id);
            let member = control.frameworks.iter().any(|membership| {
                versions.get(membership.framework.as_str()).is_some_and(|version| {
                    membership.version.as_deref().is_none_or(|own| own == *version)
                })
            });
            let all = request.controls.is_empty()
                && request.frameworks.is_empty()
                && control.lifecycle == Lifecycle::Stable;
            if named || member || all {
                chosen.push(self.choose(control, &versions, request)?);
            }
        }
        let frameworks = request.frameworks.iter().filter_map(|asked| {
            let name = asked.split('@').next()?;
            Some(format!("{name}@{}", versions.get(name)?))
        });
        let whole = request.controls.is_empty() && request.frameworks.is_empty();
        Ok(Selection { chosen, frameworks: frameworks.collect(), whole })
    }

    fn choose(
        &self,
        control: &Arc<Control>,
        versions: &BTreeMap<&str, &str>,
        request: &Request,
    ) -> Result<Chosen, Box<Problem>> {
        let mut params = control.params.clone();
        let mut labels = Vec::new();
        let member = |framework: &Framework, membership: &Membership| {
            framework.name == membership.framework
                || framework.includes.contains(&membership.framework)
        };
        // One asked for speaks alone: restricted must not bind its stricter parameters where baseline was asked.
        let bound = self.frameworks.iter().any(|framework| {
            framework.kubernetes
                && versions.contains_key(framework.name.as_str())
                && control.frameworks.iter().any(|membership| member(framework, membership))
        });
        for membership in &control.frameworks {
            let includes = |framework: &&Framework| member(framework, membership);
            for framework in self.frameworks.iter().filter(includes) {
                let kubernetes = request.kubernetes.as_deref().filter(|_| !bound);
                let asked = versions
                    .get(framework.name.as_str())
                    .copied()
                    .or_else(|| framework.for_kubernetes(kubernetes));
                let version = membership.version.as_deref().or(asked).unwrap_or(framework.newest());
                let label = format!("{}@{version}", framework.name);
                if !labels.contains(&label) {
                    labels.push(label);
                }
                let bound = asked.and_then(|version| framework.params(version, &control.id));
                params.extend(
                    bound.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())),
                );
            }
        }
        for (name, value) in request.params.get(&control.id).into_iter().flatten() {
            match params.get_mut(name) {
                Some(param) if kind(param) == kind(value) => *param = value.clone(),
                Some(param) => {
                    let message =
                        format!("{} takes {} as `{name}`, not {value}", control.id, kind(param));
                    let help = format!("its default is `{name}: {}`", control.params[name]);
                    return Err(Box::new(Problem::error("parameter-type", message).help(help)));
                }
                None => {
                    let message = format!("{} has no parameter `{name}`", control.id);
                    let known: Vec<&str> = control.params.keys().map(String::as_str).collect();
                    let help = format!("known are {}", known.join(", "));
                    return Err(Box::new(Problem::error("unknown-parameter", message).help(help)));
                }
            }
        }
        Ok(Chosen { control: control.clone(), params, labels, assigned: Arc::default() })
    }
}

/// The word for a parameter's type.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_i64() => "an integer",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
        Value::Null => "null",
    }
}

impl Selection {
    /// The selected controls, by id.
    pub fn controls(&self) -> impl Iterator<Item = &Control> {
        self.chosen.iter().map(|chosen| chosen.control.as_ref())
    }

    /// The selected controls that need several objects.
    pub(crate) fn across(&self) -> Vec<Chosen> {
        let across = self.chosen.iter().filter(|chosen| chosen.control.rules().is_none());
        across.cloned().collect()
    }

    /// Judges by what is assigned from now on, instead of what was before.
    pub fn assign(&mut self, assigned: &Assigned) -> Reassigned {
        let alone = |chosen: &Chosen| chosen.control.rules().is_some();
        let replaced = |chosen: &mut Chosen| {
            let before = chosen.assign(assigned)?;
            Some(Replaced {
                control: chosen.control.clone(),
                default: chosen.params.clone(),
                before,
                after: chosen.assigned.clone(),
            })
        };
        let own = self.chosen.iter_mut().filter(|chosen| alone(chosen));
        Reassigned { controls: own.filter_map(replaced).collect() }
    }

    /// The selected controls with their parameters, by id.
    pub(crate) fn bound(&self) -> impl Iterator<Item = (&Control, &Map<String, Value>)> {
        self.chosen.iter().map(|chosen| (chosen.control.as_ref(), &chosen.params))
    }

    /// Whether it holds every stable control, and so every framework as a whole.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The selected controls, by id, with the frameworks they answer for as `NAME@VERSION`.
    pub fn labelled(&self) -> impl Iterator<Item = (&Control, &[String])> {
        self.chosen.iter().map(|chosen| (chosen.control.as_ref(), chosen.labels.as_slice()))
    }

    /// Whether a selected control judges such an object alone.
    pub fn concerns(&self, object: &Value) -> bool {
        let view = View::new(object);
        self.chosen.iter().any(|chosen| chosen.control.concerns(&view))
    }

    /// Whether a selected control looks at objects of that kind at all.
    pub fn looks_at(&self, api_version: &str, kind: &str) -> bool {
        let any = serde_json::json!({"apiVersion": api_version, "kind": kind});
        let group = control::group_version(api_version).0;
        self.concerns(&any) || self.chosen.iter().any(|chosen| chosen.control.looks_at(group, kind))
    }

    /// Whether a selected control reads facts of that sort.
    pub fn reads(&self, facts: Facts) -> bool {
        self.chosen.iter().any(|chosen| chosen.control.matches == Matches::Facts(facts))
    }

    /// Whether [`Self::evaluate`] has an answer, were it an empty one.
    pub(crate) fn knows(&self, object: &Value) -> bool {
        View::new(object).kind().is_some() || self.concerns(object)
    }

    /// One finding, in any state, per control that judges such an object alone; `None` where none does and the
    /// object is no workload.
    pub fn evaluate(&self, object: &Value, source: Option<&Source>) -> Option<Vec<ControlFinding>> {
        let view = View::new(object);
        let concerned = self.chosen.iter().filter(|chosen| chosen.control.concerns(&view));
        let findings: Vec<_> = concerned.map(|chosen| chosen.finding(&view, source)).collect();
        (!findings.is_empty() || view.kind().is_some()).then_some(findings)
    }

    /// One finding per control on facts of that sort. `resource` is what the document is about, such as a node, and
    /// `labels` are those of its object.
    pub fn evaluate_facts(
        &self,
        facts: Facts,
        document: &Value,
        resource: &Resource,
        labels: &[(String, String)],
    ) -> Vec<ControlFinding> {
        let view = View::new(document);
        let place = || Place::of_resource(resource, labels);
        let concerned =
            self.chosen.iter().filter(|chosen| chosen.control.matches == Matches::Facts(facts));
        let findings = concerned.map(|chosen| ControlFinding {
            resource: resource.clone(),
            ..chosen.worst(place, |params| chosen.judged(&view, params, None))
        });
        findings.collect()
    }

    /// One finding per control on facts of that sort, saying why there are none: `not-collected` is unknown,
    /// `provider-managed` is not applicable.
    pub fn without_facts(
        &self,
        facts: Facts,
        resource: &Resource,
        state: State,
        reason: &str,
        message: &str,
    ) -> Vec<ControlFinding> {
        let concerned =
            self.chosen.iter().filter(|chosen| chosen.control.matches == Matches::Facts(facts));
        let finding = |chosen: &Chosen| ControlFinding {
            state,
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            ..chosen.empty(resource.clone())
        };
        concerned.map(finding).collect()
    }

    /// One finding per control that needs several objects and each of its subjects, by control. `source` tells where
    /// an object stands.
    pub fn evaluate_world<'w>(
        &self,
        world: &World<'w>,
        source: &dyn Fn(&Object<'w>) -> Option<Source>,
    ) -> Vec<ControlFinding> {
        let among = |chosen: &Chosen| -> Vec<ControlFinding> {
            let subjects = chosen.control.subjects(world);
            let finding = |subject: &Subject<'w>| ControlFinding {
                source: subject.object.as_ref().and_then(source),
                ..chosen.among(subject, world)
            };
            subjects.iter().map(finding).collect()
        };
        self.chosen.iter().flat_map(among).collect()
    }

    /// Findings that say only that there is no answer, and why: `stale`, `forbidden`.
    pub fn undecided(&self, object: &Value, reason: &str, message: &str) -> Vec<ControlFinding> {
        let view = View::new(object);
        let finding = |chosen: &Chosen| ControlFinding {
            state: State::Unknown,
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            ..chosen.empty(workload::resource(object))
        };
        let concerned = self.chosen.iter().filter(|chosen| chosen.control.concerns(&view));
        concerned.map(finding).collect()
    }

    /// Applies every fix, again and again, as one may open the way for another: a container has to stop being
    /// privileged before escalation can be forbidden. Returns the healed object and the operations in order.
    pub fn heal(&self, object: &Value) -> (Value, Vec<Value>) {
        self.heal_unless(object, &|_, _| {})
    }

    /// The same, but of each finding only what `excuse` leaves of it.
    pub fn heal_unless(
        &self,
        object: &Value,
        excuse: &dyn Fn(&Value, &mut ControlFinding),
    ) -> (Value, Vec<Value>) {
        let (mut healed, mut operations) = (object.clone(), Vec::new());
        let mut open: Vec<&Chosen> = self.chosen.iter().collect();
        loop {
            let before = open.len();
            open.retain(|chosen| {
                let view = View::new(&healed);
                let fix = match chosen.control.concerns(&view) {
                    true => {
                        let mut finding = chosen.finding(&view, None);
                        excuse(&healed, &mut finding);
                        finding.fix
                    }
                    false => Vec::new(),
                };
                let applies = !fix.is_empty() && patch::apply(&mut healed, &fix).is_ok();
                if applies {
                    operations.extend(fix);
                }
                !applies
            });
            if open.len() == before {
                return (healed, operations);
            }
        }
    }
}

impl Chosen {
    /// A finding without an answer.
    pub(crate) fn empty(&self, resource: Resource) -> ControlFinding {
        let control = &self.control;
        ControlFinding {
            control: control.id.clone(),
            title: control.title.clone(),
            severity: control.severity,
            state: State::Unknown,
            reason: None,
            resource,
            source: None,
            message: None,
            frameworks: self.labels.clone(),
            evidence: Vec::new(),
            fix: Vec::new(),
            exemption: None,
            engine: control.engine().to_owned(),
        }
    }

    /// Takes what is assigned of it from now on; what was before, where parameters may differ by it.
    pub(crate) fn assign(&mut self, assigned: &Assigned) -> Option<Arc<[Bound]>> {
        let after = assigned.of(&self.control.id);
        let before = std::mem::replace(&mut self.assigned, after);
        let same = self.control.params.is_empty() || same(&before, &self.assigned);
        (!same).then_some(before)
    }

    /// Whether it judges by other parameters there than when `before` was assigned.
    pub(crate) fn differs_from(&self, before: &[Bound], place: &Place<'_>) -> bool {
        differ(&self.params, before, &self.assigned, place)
    }

    /// Asks under every set of parameters that counts there; the worst answer is told, of several the first.
    fn worst<'v, 'p>(
        &'v self,
        place: impl FnOnce() -> Place<'p>,
        judge: impl Fn(&'v Map<String, Value>) -> ControlFinding,
    ) -> ControlFinding {
        if self.assigned.is_empty() {
            return judge(&self.params);
        }
        let chosen = choose(&self.assigned, &place());
        let told = chosen.into_iter().map(|bound| judge(&bound.params));
        let worse = |a: ControlFinding, b: ControlFinding| {
            if badness(b.state) > badness(a.state) { b } else { a }
        };
        told.reduce(worse).unwrap_or_else(|| judge(&self.params))
    }

    /// What it says of one of its subjects.
    pub(crate) fn among(&self, subject: &Subject<'_>, world: &World<'_>) -> ControlFinding {
        let judge = |params| {
            let judged = self.control.judge_among(subject, world, params);
            ControlFinding {
                state: judged.state,
                reason: judged.reason,
                message: judged.message,
                evidence: judged.evidence,
                fix: judged.fix,
                ..self.empty(subject.resource.clone())
            }
        };
        self.worst(|| Place::of_subject(subject), judge)
    }

    fn finding<'v>(&'v self, view: &View<'v>, source: Option<&Source>) -> ControlFinding {
        let place = || Place::of_object(view.resource(), view.object());
        self.worst(place, |params| self.judged(view, params, source))
    }

    fn judged<'v>(
        &self,
        view: &View<'v>,
        params: &'v Map<String, Value>,
        source: Option<&Source>,
    ) -> ControlFinding {
        let judged = self.control.judge(view, params);
        let mut message = judged.message;
        let fix = match judged.state {
            State::Unhealthy => fix::build(&self.control, view, params, &judged.failures)
                .unwrap_or_else(|reason| {
                    message = message.take().map(|told| format!("{told} (no patch: {reason})"));
                    Vec::new()
                }),
            _ => Vec::new(),
        };
        ControlFinding {
            state: judged.state,
            reason: judged.reason,
            message,
            evidence: judged.evidence,
            fix,
            source: source.cloned(),
            ..self.empty(view.resource().clone())
        }
    }
}

/// Of several answers to one question the highest is told.
fn badness(state: State) -> u8 {
    match state {
        State::Unhealthy => 3,
        State::Unknown => 2,
        State::Healthy | State::Exempt => 1,
        State::NotApplicable => 0,
    }
}
