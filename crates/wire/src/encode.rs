//! `model` → protobuf. Never fails: every value of `model` has a form on the wire.
use crate::v1;
use seawall_model::admission::{DecidedControl, Decision, Gap};
use seawall_model::alert::{self, Firing};
use seawall_model::asset::{AgentRole, Capability, Cluster, Dropped, RunningContainer};
use seawall_model::finding::{ControlFinding, ObjectAssessment, Resource};
use seawall_model::image::{ImageRef, Layer};
use seawall_model::package::{Inventory, Package, Target};
use seawall_model::record::Record;
use seawall_model::{Problem, package};
use serde::Serialize;

/// The JSON word of a unit variant, without its quotes.
fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => unreachable!("only unit variants travel as words: {other:?}"),
    }
}

fn words<T: Serialize>(values: Vec<T>) -> Vec<String> {
    values.into_iter().map(word).collect()
}

fn json(value: &serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn all<A, B: From<A>>(values: Vec<A>) -> Vec<B> {
    values.into_iter().map(B::from).collect()
}

impl From<Record> for v1::Record {
    fn from(record: Record) -> Self {
        use v1::record::Body;
        let body = match record {
            Record::Firing(firing) => Body::Firing((*firing).into()),
            Record::Inventory(inventory) => Body::Inventory((*inventory).into()),
            Record::Assessment(assessment) => Body::Assessment((*assessment).into()),
            Record::Running { containers, observed } => {
                Body::Running(v1::Running { containers: all(containers), observed })
            }
            Record::Capabilities(capabilities) => {
                Body::Capabilities(v1::Capabilities { capabilities: all(capabilities) })
            }
            Record::Sync { since } => Body::Sync(v1::Sync { since }),
            Record::Decision(decision) => Body::Decision((*decision).into()),
            Record::Gap(gap) => Body::Gap(gap.into()),
            Record::Trial(trial) => Body::Trial(v1::Trial {
                trial_json: serde_json::to_vec(&trial).expect("trials are texts and numbers"),
            }),
            Record::Node { facts, assessment: _ } => Body::NodeFacts(v1::NodeFacts {
                facts_json: serde_json::to_vec(&*facts).expect("facts are maps, lists and texts"),
                node: facts.node,
            }),
            Record::AuditSeen { last, events } => Body::AuditSeen(v1::AuditSeen { last, events }),
        };
        Self { body: Some(body) }
    }
}

impl From<Firing> for v1::Firing {
    fn from(firing: Firing) -> Self {
        Self {
            detection: firing.detection,
            title: firing.title,
            severity: word(firing.severity),
            tactics: words(firing.tactics),
            mitre: words(firing.mitre),
            parity: firing.parity,
            source: firing.source,
            time: firing.time,
            location: Some(firing.location.into()),
            process: all(firing.process),
            actor: firing.actor.map(Into::into),
            object: firing.object.map(Into::into),
            why: all(firing.why),
            output: firing.output,
            remediation: firing.remediation,
            action_mode: word(firing.action.mode),
            action_result: word(firing.action.result),
            lost_nearby: firing.lost_nearby,
        }
    }
}

impl From<alert::Location> for v1::Location {
    fn from(location: alert::Location) -> Self {
        Self {
            cluster: location.cluster,
            node: location.node,
            namespace: location.namespace,
            workload: location.workload,
            pod: location.pod,
            pod_uid: location.pod_uid,
            container: location.container,
            container_id: location.container_id,
            image: location.image.map(Into::into),
            identity: word(location.identity),
        }
    }
}

impl From<ImageRef> for v1::ImageRef {
    fn from(image: ImageRef) -> Self {
        let ImageRef { name, digest, index_digest, config_digest } = image;
        Self { name, digest, index_digest, config_digest }
    }
}

impl From<alert::ProcessEvidence> for v1::ProcessEvidence {
    fn from(process: alert::ProcessEvidence) -> Self {
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

impl From<alert::Actor> for v1::Actor {
    fn from(actor: alert::Actor) -> Self {
        let alert::Actor { user, groups, address, user_agent } = actor;
        Self { user, groups, address, user_agent }
    }
}

impl From<alert::Object> for v1::Object {
    fn from(object: alert::Object) -> Self {
        use alert::Object as Is;
        use v1::object::Object;
        let object = match object {
            Is::File { path } => Object::File(v1::FileObject { path }),
            Is::Socket { remote, port, protocol } => {
                Object::Socket(v1::SocketObject { remote, port: port.into(), protocol })
            }
            Is::Executable { path, drifted } => {
                Object::Executable(v1::ExecutableObject { path, drifted })
            }
            Is::Api { resource, namespace, name, verb } => {
                Object::Api(v1::ApiObject { resource, namespace, name, verb })
            }
        };
        Self { object: Some(object) }
    }
}

impl From<alert::Why> for v1::Why {
    fn from(why: alert::Why) -> Self {
        Self { expression: why.expression, value: why.value }
    }
}

impl From<Inventory> for v1::Inventory {
    /// A directory has no wire form of its own: only images and nodes are sent, so its path stands as a node name.
    fn from(inventory: Inventory) -> Self {
        use v1::inventory::Target as Wire;
        let target = match inventory.target {
            Target::Image { image } => Wire::Image(image.into()),
            Target::Node { name } | Target::Directory { path: name } => Wire::Node(name),
        };
        Self {
            target: Some(target),
            distro: inventory.distro.map(Into::into),
            platform: inventory.platform,
            layers: all(inventory.layers),
            packages: all(inventory.packages),
            problems: all(inventory.problems),
            extractor_version: inventory.extractor_version,
            repositories: inventory.repositories,
        }
    }
}

impl From<package::Distro> for v1::Distro {
    fn from(distro: package::Distro) -> Self {
        let package::Distro { id, version, name } = distro;
        Self { id, version, name }
    }
}

impl From<Layer> for v1::Layer {
    fn from(layer: Layer) -> Self {
        let Layer { diff_id, created_by, size, base } = layer;
        Self { diff_id, created_by, size, base }
    }
}

impl From<Package> for v1::Package {
    fn from(package: Package) -> Self {
        let (source_name, source_version) =
            package.source.map(|source| (source.name, source.version)).unzip();
        Self {
            ecosystem: word(package.ecosystem),
            name: package.name,
            version: package.version,
            purl: package.purl,
            arch: package.arch,
            source_name,
            source_version,
            locations: package.locations,
            owner: package.owner,
            layer: package.layer,
            third_party: package.third_party,
            module: package.module,
        }
    }
}

impl From<Problem> for v1::Problem {
    fn from(problem: Problem) -> Self {
        let kind = word(problem.kind);
        let Problem { code, message, help, file, line, column, item, .. } = problem;
        Self { kind, code, message, help, file, line, column, item }
    }
}

impl From<ObjectAssessment> for v1::ObjectAssessment {
    fn from(assessment: ObjectAssessment) -> Self {
        let label = |(key, value)| v1::Label { key, value };
        let not_applicable = |(reason, controls)| v1::NotApplicable { reason, controls };
        Self {
            resource: Some(assessment.resource.into()),
            owner: assessment.owner,
            labels: assessment.labels.into_iter().map(label).collect(),
            images: assessment.images,
            deleted: assessment.deleted,
            findings: all(assessment.findings),
            problems: all(assessment.problems),
            observed: assessment.observed,
            weight_tenths: Some(assessment.weight_tenths),
            healthy: assessment.healthy,
            not_applicable: assessment.not_applicable.into_iter().map(not_applicable).collect(),
        }
    }
}

impl From<Resource> for v1::Resource {
    fn from(resource: Resource) -> Self {
        let Resource { api_version, kind, namespace, name, uid } = resource;
        Self { api_version, kind, namespace, name, uid }
    }
}

impl From<ControlFinding> for v1::ControlFinding {
    /// The resource stands once in the assessment; source lines and exemptions do not come from clusters.
    fn from(finding: ControlFinding) -> Self {
        let evidence = |evidence: seawall_model::finding::Evidence| v1::Evidence {
            value_json: json(&evidence.value),
            path: evidence.path,
        };
        Self {
            control: finding.control,
            title: finding.title,
            severity: word(finding.severity),
            state: word(finding.state),
            reason: finding.reason,
            message: finding.message,
            frameworks: finding.frameworks,
            evidence: finding.evidence.into_iter().map(evidence).collect(),
            fix_json: json(&serde_json::Value::Array(finding.fix)),
            engine: finding.engine,
        }
    }
}

impl From<Decision> for v1::Decision {
    fn from(decision: Decision) -> Self {
        Self {
            time: decision.time,
            verdict: word(decision.verdict),
            operation: decision.operation,
            resource: Some(decision.resource.into()),
            owner: decision.owner,
            user: decision.user,
            groups: decision.groups,
            controls: all(decision.controls),
            agent: decision.agent,
        }
    }
}

impl From<DecidedControl> for v1::DecidedControl {
    fn from(decided: DecidedControl) -> Self {
        Self {
            control: decided.control,
            title: decided.title,
            severity: word(decided.severity),
            action: word(decided.action),
            assignment: decided.assignment.to_string(),
            message: decided.message,
            paths: decided.paths,
            fix_json: json(&serde_json::Value::Array(decided.fix)),
            already_failing: decided.already_failing,
        }
    }
}

impl From<Gap> for v1::Gap {
    fn from(gap: Gap) -> Self {
        let Gap { from, to, requests, reason } = gap;
        Self { from, to, requests, reason }
    }
}

impl From<RunningContainer> for v1::RunningContainer {
    fn from(container: RunningContainer) -> Self {
        Self {
            id: container.id,
            name: container.name,
            image: Some(container.image.into()),
            namespace: container.namespace,
            pod: container.pod,
            pod_uid: container.pod_uid,
            workload: container.workload,
        }
    }
}

impl From<Capability> for v1::Capability {
    fn from(capability: Capability) -> Self {
        Self {
            name: capability.name,
            state: word(capability.state),
            tier: capability.tier.unwrap_or_default(),
            reason: capability.reason.unwrap_or_default(),
        }
    }
}

impl From<Dropped> for v1::Dropped {
    fn from(dropped: Dropped) -> Self {
        Self { class: dropped.class, count: dropped.count }
    }
}

impl From<&Cluster> for v1::Cluster {
    fn from(cluster: &Cluster) -> Self {
        Self {
            uid: cluster.uid.clone(),
            name: cluster.name.clone(),
            kind: word(cluster.kind),
            version: cluster.version.clone().unwrap_or_default(),
        }
    }
}

impl From<AgentRole> for v1::Role {
    fn from(role: AgentRole) -> Self {
        match role {
            AgentRole::ClusterAgent => Self::ClusterAgent,
            AgentRole::Sensor => Self::Sensor,
        }
    }
}
