//! Protobuf → `model`. What cannot be read names the field, so that one record is counted and the rest lives.
use crate::v1;
use seawall_model::Problem;
use seawall_model::admission::{DecidedControl, Decision, Gap};
use seawall_model::alert::{self, Firing};
use seawall_model::asset::{AgentRole, Capability, ClusterKind, Dropped, RunningContainer};
use seawall_model::facts::{MAX_FACTS_BYTES, NodeFacts};
use seawall_model::finding::{ControlFinding, Evidence, ObjectAssessment, Resource};
use seawall_model::image::{ImageRef, Layer};
use seawall_model::package::{Distro, Inventory, Package, SourcePackage, Target};
use seawall_model::policy_set::{MAX_SAMPLES, Trial};
use seawall_model::record::Record;
use serde::de::DeserializeOwned;

/// A field is missing or holds a word this version does not know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{field}: {reason}")]
pub struct Unreadable {
    pub field: &'static str,
    pub reason: String,
}

fn missing(field: &'static str) -> Unreadable {
    Unreadable { field, reason: "is missing".to_owned() }
}

/// The unit variant with this JSON word.
fn word<T: DeserializeOwned>(field: &'static str, word: String) -> Result<T, Unreadable> {
    let reason = format!("unknown word `{word}`");
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|_| Unreadable { field, reason })
}

fn words<T: DeserializeOwned>(
    field: &'static str,
    list: Vec<String>,
) -> Result<Vec<T>, Unreadable> {
    list.into_iter().map(|text| word(field, text)).collect()
}

fn json(field: &'static str, bytes: &[u8]) -> Result<serde_json::Value, Unreadable> {
    serde_json::from_slice(bytes).map_err(|error| Unreadable { field, reason: error.to_string() })
}

/// The operations of a JSON Patch.
fn patch(field: &'static str, bytes: &[u8]) -> Result<Vec<serde_json::Value>, Unreadable> {
    match json(field, bytes)? {
        serde_json::Value::Array(operations) => Ok(operations),
        _ => Err(Unreadable { field, reason: "is no JSON Patch".to_owned() }),
    }
}

fn all<A, B: TryFrom<A, Error = Unreadable>>(list: Vec<A>) -> Result<Vec<B>, Unreadable> {
    list.into_iter().map(B::try_from).collect()
}

fn some<A, B: TryFrom<A, Error = Unreadable>>(value: Option<A>) -> Result<Option<B>, Unreadable> {
    value.map(B::try_from).transpose()
}

fn some_text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl TryFrom<v1::Record> for Record {
    type Error = Unreadable;

    fn try_from(record: v1::Record) -> Result<Self, Unreadable> {
        use v1::record::Body;
        Ok(match record.body.ok_or(missing("record.body"))? {
            Body::Firing(firing) => Self::Firing(Box::new(firing.try_into()?)),
            Body::Inventory(inventory) => Self::Inventory(Box::new(inventory.try_into()?)),
            Body::Assessment(assessment) => Self::Assessment(Box::new(assessment.try_into()?)),
            Body::Running(running) => {
                Self::Running { containers: all(running.containers)?, observed: running.observed }
            }
            Body::Capabilities(list) => Self::Capabilities(all(list.capabilities)?),
            Body::Sync(sync) => Self::Sync { since: sync.since },
            Body::Decision(decision) => Self::Decision(Box::new(decision.try_into()?)),
            Body::Gap(gap) => Self::Gap(gap.into()),
            Body::Trial(trial) => Self::Trial(Box::new(read_trial(&trial.trial_json)?)),
            Body::NodeFacts(facts) => {
                Self::Node { facts: Box::new(node_facts(facts)?), assessment: None }
            }
            Body::AuditSeen(seen) => Self::AuditSeen { last: seen.last, events: seen.events },
        })
    }
}

/// Samples beyond the bound are an agent's defect, not a reason to lose its counts.
fn read_trial(bytes: &[u8]) -> Result<Trial, Unreadable> {
    let unreadable = |error: serde_json::Error| Unreadable {
        field: "trial.trial_json",
        reason: error.to_string(),
    };
    let mut trial: Trial = serde_json::from_slice(bytes).map_err(unreadable)?;
    trial.samples.truncate(MAX_SAMPLES);
    Ok(trial)
}

fn node_facts(facts: v1::NodeFacts) -> Result<NodeFacts, Unreadable> {
    let field = "node_facts.facts_json";
    if facts.facts_json.len() > MAX_FACTS_BYTES {
        return Err(Unreadable { field, reason: format!("is over {MAX_FACTS_BYTES} bytes") });
    }
    let unreadable = |error: serde_json::Error| Unreadable { field, reason: error.to_string() };
    let document = serde_json::from_slice(&facts.facts_json).map_err(unreadable)?;
    Ok(NodeFacts { node: facts.node, ..document })
}

impl TryFrom<v1::Firing> for Firing {
    type Error = Unreadable;

    fn try_from(firing: v1::Firing) -> Result<Self, Unreadable> {
        Ok(Self {
            detection: firing.detection,
            title: firing.title,
            severity: word("firing.severity", firing.severity)?,
            tactics: words("firing.tactics", firing.tactics)?,
            mitre: words("firing.mitre", firing.mitre)?,
            parity: firing.parity,
            source: firing.source,
            time: firing.time,
            location: firing.location.ok_or(missing("firing.location"))?.try_into()?,
            process: firing.process.into_iter().map(Into::into).collect(),
            actor: firing.actor.map(Into::into),
            object: some(firing.object)?,
            why: firing.why.into_iter().map(Into::into).collect(),
            output: firing.output,
            remediation: firing.remediation,
            action: alert::Action {
                mode: word("firing.action_mode", firing.action_mode)?,
                result: word("firing.action_result", firing.action_result)?,
            },
            lost_nearby: firing.lost_nearby,
        })
    }
}

impl TryFrom<v1::Location> for alert::Location {
    type Error = Unreadable;

    fn try_from(location: v1::Location) -> Result<Self, Unreadable> {
        Ok(Self {
            cluster: location.cluster,
            node: location.node,
            namespace: location.namespace,
            workload: location.workload,
            pod: location.pod,
            pod_uid: location.pod_uid,
            container: location.container,
            container_id: location.container_id,
            image: location.image.map(Into::into),
            identity: word("location.identity", location.identity)?,
        })
    }
}

impl From<v1::ImageRef> for ImageRef {
    fn from(image: v1::ImageRef) -> Self {
        let v1::ImageRef { name, digest, index_digest, config_digest } = image;
        Self { name, digest, index_digest, config_digest }
    }
}

impl From<v1::ProcessEvidence> for alert::ProcessEvidence {
    fn from(process: v1::ProcessEvidence) -> Self {
        Self {
            exec_id: process.exec_id,
            pid: process.pid,
            name: process.name,
            exe: process.exe,
            args: process.args,
            cwd: process.cwd,
            user: process.user,
            uid: process.uid,
            start: process.start,
        }
    }
}

impl From<v1::Actor> for alert::Actor {
    fn from(actor: v1::Actor) -> Self {
        let v1::Actor { user, groups, address, user_agent } = actor;
        Self { user, groups, address, user_agent }
    }
}

impl TryFrom<v1::Object> for alert::Object {
    type Error = Unreadable;

    fn try_from(object: v1::Object) -> Result<Self, Unreadable> {
        use v1::object::Object;
        Ok(match object.object.ok_or(missing("firing.object"))? {
            Object::File(file) => Self::File { path: file.path },
            Object::Socket(socket) => Self::Socket {
                remote: socket.remote,
                port: u16::try_from(socket.port).map_err(|_| Unreadable {
                    field: "socket.port",
                    reason: "is over 65535".to_owned(),
                })?,
                protocol: socket.protocol,
            },
            Object::Executable(exe) => Self::Executable { path: exe.path, drifted: exe.drifted },
            Object::Api(api) => Self::Api {
                resource: api.resource,
                namespace: api.namespace,
                name: api.name,
                verb: api.verb,
            },
        })
    }
}

impl From<v1::Why> for alert::Why {
    fn from(why: v1::Why) -> Self {
        Self { expression: why.expression, value: why.value }
    }
}

impl TryFrom<v1::Inventory> for Inventory {
    type Error = Unreadable;

    fn try_from(inventory: v1::Inventory) -> Result<Self, Unreadable> {
        use v1::inventory::Target as Wire;
        let target = match inventory.target.ok_or(missing("inventory.target"))? {
            Wire::Image(image) => Target::Image { image: image.into() },
            Wire::Node(name) => Target::Node { name },
        };
        Ok(Self {
            target,
            distro: inventory.distro.map(Into::into),
            platform: inventory.platform,
            layers: inventory.layers.into_iter().map(Into::into).collect(),
            packages: all(inventory.packages)?,
            problems: all(inventory.problems)?,
            extractor_version: inventory.extractor_version,
            repositories: inventory.repositories,
        })
    }
}

impl From<v1::Distro> for Distro {
    fn from(distro: v1::Distro) -> Self {
        let v1::Distro { id, version, name } = distro;
        Self { id, version, name }
    }
}

impl From<v1::Layer> for Layer {
    fn from(layer: v1::Layer) -> Self {
        let v1::Layer { diff_id, created_by, size, base } = layer;
        Self { diff_id, created_by, size, base }
    }
}

impl TryFrom<v1::Package> for Package {
    type Error = Unreadable;

    fn try_from(package: v1::Package) -> Result<Self, Unreadable> {
        let source = package.source_name.zip(package.source_version);
        Ok(Self {
            ecosystem: word("package.ecosystem", package.ecosystem)?,
            name: package.name,
            version: package.version,
            purl: package.purl,
            arch: package.arch,
            source: source.map(|(name, version)| SourcePackage { name, version }),
            locations: package.locations,
            owner: package.owner,
            layer: package.layer,
            third_party: package.third_party,
            module: package.module,
        })
    }
}

impl TryFrom<v1::Problem> for Problem {
    type Error = Unreadable;

    fn try_from(problem: v1::Problem) -> Result<Self, Unreadable> {
        let kind = word("problem.kind", problem.kind)?;
        let v1::Problem { code, message, help, file, line, column, item, .. } = problem;
        Ok(Self { kind, code, message, help, file, line, column, item })
    }
}

impl TryFrom<v1::ObjectAssessment> for ObjectAssessment {
    type Error = Unreadable;

    fn try_from(assessment: v1::ObjectAssessment) -> Result<Self, Unreadable> {
        let resource: Resource = assessment.resource.ok_or(missing("assessment.resource"))?.into();
        let findings =
            assessment.findings.into_iter().map(|finding| control_finding(finding, &resource));
        Ok(Self {
            findings: findings.collect::<Result<_, _>>()?,
            owner: assessment.owner,
            labels: assessment.labels.into_iter().map(|label| (label.key, label.value)).collect(),
            images: assessment.images,
            deleted: assessment.deleted,
            problems: all(assessment.problems)?,
            observed: assessment.observed,
            weight_tenths: assessment.weight_tenths.unwrap_or(10),
            healthy: assessment.healthy,
            not_applicable: assessment
                .not_applicable
                .into_iter()
                .map(|told| (told.reason, told.controls))
                .collect(),
            resource,
        })
    }
}

impl From<v1::Resource> for Resource {
    fn from(resource: v1::Resource) -> Self {
        let v1::Resource { api_version, kind, namespace, name, uid } = resource;
        Self { api_version, kind, namespace, name, uid }
    }
}

fn control_finding(
    finding: v1::ControlFinding,
    resource: &Resource,
) -> Result<ControlFinding, Unreadable> {
    let evidence = |evidence: v1::Evidence| {
        Ok(Evidence {
            value: json("evidence.value_json", &evidence.value_json)?,
            path: evidence.path,
        })
    };
    Ok(ControlFinding {
        control: finding.control,
        title: finding.title,
        severity: word("finding.severity", finding.severity)?,
        state: word("finding.state", finding.state)?,
        reason: finding.reason,
        resource: resource.clone(),
        source: None,
        message: finding.message,
        frameworks: finding.frameworks,
        evidence: finding.evidence.into_iter().map(evidence).collect::<Result<_, _>>()?,
        fix: patch("finding.fix_json", &finding.fix_json)?,
        exemption: None,
        engine: finding.engine,
    })
}

impl TryFrom<v1::Decision> for Decision {
    type Error = Unreadable;

    fn try_from(decision: v1::Decision) -> Result<Self, Unreadable> {
        Ok(Self {
            time: decision.time,
            verdict: word("decision.verdict", decision.verdict)?,
            operation: decision.operation,
            resource: decision.resource.ok_or(missing("decision.resource"))?.into(),
            owner: decision.owner,
            user: decision.user,
            groups: decision.groups,
            controls: all(decision.controls)?,
            agent: decision.agent,
        })
    }
}

impl TryFrom<v1::DecidedControl> for DecidedControl {
    type Error = Unreadable;

    fn try_from(decided: v1::DecidedControl) -> Result<Self, Unreadable> {
        Ok(Self {
            control: decided.control,
            title: decided.title,
            severity: word("decision.severity", decided.severity)?,
            action: word("decision.action", decided.action)?,
            assignment: word("decision.assignment", decided.assignment)?,
            message: decided.message,
            paths: decided.paths,
            fix: patch("decision.fix_json", &decided.fix_json)?,
            already_failing: decided.already_failing,
        })
    }
}

impl From<v1::Gap> for Gap {
    fn from(gap: v1::Gap) -> Self {
        let v1::Gap { from, to, requests, reason } = gap;
        Self { from, to, requests, reason }
    }
}

impl TryFrom<v1::RunningContainer> for RunningContainer {
    type Error = Unreadable;

    fn try_from(container: v1::RunningContainer) -> Result<Self, Unreadable> {
        Ok(Self {
            id: container.id,
            name: container.name,
            image: container.image.ok_or(missing("running.image"))?.into(),
            namespace: container.namespace,
            pod: container.pod,
            pod_uid: container.pod_uid,
            workload: container.workload,
        })
    }
}

impl TryFrom<v1::Capability> for Capability {
    type Error = Unreadable;

    fn try_from(capability: v1::Capability) -> Result<Self, Unreadable> {
        Ok(Self {
            name: capability.name,
            state: word("capability.state", capability.state)?,
            tier: some_text(capability.tier),
            reason: some_text(capability.reason),
        })
    }
}

impl From<v1::Dropped> for Dropped {
    fn from(dropped: v1::Dropped) -> Self {
        Self { class: dropped.class, count: dropped.count }
    }
}

/// The kind of cluster that a `Hello` names.
impl TryFrom<&v1::Cluster> for ClusterKind {
    type Error = Unreadable;

    fn try_from(cluster: &v1::Cluster) -> Result<Self, Unreadable> {
        word("cluster.kind", cluster.kind.clone())
    }
}

impl TryFrom<v1::Role> for AgentRole {
    type Error = Unreadable;

    fn try_from(role: v1::Role) -> Result<Self, Unreadable> {
        match role {
            v1::Role::ClusterAgent => Ok(Self::ClusterAgent),
            v1::Role::Sensor => Ok(Self::Sensor),
            v1::Role::Unspecified => Err(missing("hello.role")),
        }
    }
}
