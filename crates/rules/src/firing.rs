//! A rule that fired on an event, as the alert that leaves the node or the cluster.
use crate::attack::Attack;
use crate::audit::workload;
use crate::rule_set::{Fired, RuleSet, State};
use seawall_model::alert::{
    Action, ActionMode, ActionResult, Actor, Firing, Location, Object, ProcessEvidence,
};
use seawall_model::audit::AuditEvent;
use seawall_model::event::{Event, EventKind, Identity, Process, Protocol};
use std::sync::Arc;

/// What an application judges events by.
#[derive(Clone)]
pub struct Detections {
    pub rules: Arc<RuleSet>,
    /// Names the tactics of the rules' techniques.
    pub attack: Arc<Attack>,
}

/// What the event does not know of its place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Node<'n> {
    /// Display name or UID of the cluster or machine.
    pub cluster: &'n str,
    pub node: Option<&'n str>,
    /// Records lost within 60 s.
    pub lost_nearby: u64,
    /// Epoch milliseconds, for an event without time.
    pub now: i64,
}

impl RuleSet {
    /// Evaluates every rule on one event and makes a firing of each that holds.
    pub fn firings(
        &self,
        event: &Event,
        state: &mut State,
        node: Node<'_>,
        attack: &Attack,
    ) -> Vec<Firing> {
        let fired = self.evaluate(event, state);
        fired.iter().map(|fired| fired.firing(event, node, attack)).collect()
    }
}

impl Fired<'_> {
    /// The alert's firing with its evidence. A rule without id is named by its title.
    pub fn firing(&self, event: &Event, node: Node<'_>, attack: &Attack) -> Firing {
        let rule = self.rule;
        let time = event.time_ns.map_or(node.now, |time| (time / 1_000_000) as i64);
        let of = match event.audit.as_deref() {
            Some(audit) => of_request(audit, node),
            None => of_process(event, node),
        };
        Firing {
            detection: rule.id.clone().unwrap_or_else(|| rule.name.clone()),
            title: rule.name.clone(),
            severity: rule.priority.severity(),
            tactics: attack.tactics_of(&rule.mitre),
            mitre: rule.mitre.clone(),
            parity: rule.parity.clone(),
            source: rule.source.clone(),
            time,
            location: of.location,
            process: of.process,
            actor: of.actor,
            object: Some(of.object),
            why: self.why.clone(),
            output: self.output.clone(),
            remediation: rule.remediation.clone(),
            action: Action {
                mode: if rule.audit { ActionMode::Audit } else { ActionMode::Alert },
                result: ActionResult::None,
            },
            lost_nearby: node.lost_nearby,
        }
    }
}

/// Where, who and what.
struct Evidence {
    location: Location,
    process: Vec<ProcessEvidence>,
    actor: Option<Actor>,
    object: Object,
}

fn of_process(event: &Event, node: Node<'_>) -> Evidence {
    let line = std::iter::once(&event.process).chain(&event.process.ancestors);
    Evidence {
        location: location(event, node),
        process: line.map(|process| evidence(process)).collect(),
        actor: None,
        object: object(event),
    }
}

/// A request has no process; its actor may be anywhere, its object is in the cluster.
fn of_request(audit: &AuditEvent, node: Node<'_>) -> Evidence {
    let target = audit.object.clone().unwrap_or_default();
    let resource = target.resource.clone().unwrap_or_default();
    let is_pod = resource == "pods";
    let uid = target.uid.as_deref().or_else(|| audit.metadata("uid"));
    let container = audit.query.iter().find(|(name, _)| is_pod && name == "container");
    let cluster = Some(node.cluster).filter(|name| !name.is_empty());
    Evidence {
        location: Location {
            cluster: cluster.or(audit.cluster.as_deref()).unwrap_or_default().to_owned(),
            node: None,
            namespace: target.namespace.clone(),
            workload: workload::name(audit),
            pod: audit.name().filter(|_| is_pod).map(str::to_owned),
            pod_uid: uid.filter(|_| is_pod).map(str::to_owned),
            container: container.map(|(_, name)| name.clone()),
            container_id: None,
            image: None,
            identity: Identity::Complete,
        },
        process: Vec::new(),
        actor: audit.user.as_ref().map(|user| Actor {
            user: user.clone(),
            groups: audit.groups.clone(),
            address: audit.addresses.first().cloned(),
            user_agent: audit.user_agent.clone(),
        }),
        object: Object::Api {
            resource: match &target.subresource {
                Some(subresource) => format!("{resource}/{subresource}"),
                None => resource,
            },
            namespace: target.namespace,
            name: audit.name().map(str::to_owned),
            verb: audit.verb.clone().unwrap_or_default(),
        },
    }
}

fn location(event: &Event, node: Node<'_>) -> Location {
    let container = event.container.as_deref();
    let pod = container.and_then(|container| container.pod.as_ref());
    // A pod known by its UID alone has no name, which is not an empty one.
    let known = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Location {
        cluster: node.cluster.to_owned(),
        node: node.node.map(str::to_owned),
        namespace: pod.and_then(|pod| known(&pod.namespace)),
        workload: pod.and_then(|pod| pod.workload.clone()),
        pod: pod.and_then(|pod| known(&pod.name)),
        pod_uid: pod.and_then(|pod| known(&pod.uid)),
        container: container.and_then(|container| container.name.clone()),
        container_id: container.map(|container| container.id.clone()),
        image: container.and_then(|container| container.image.clone()),
        identity: event.identity,
    }
}

fn evidence(process: &Process) -> ProcessEvidence {
    ProcessEvidence {
        exec_id: process.exec_id.to_string(),
        pid: process.pid,
        name: process.name.clone(),
        exe: process.exe_path.clone(),
        args: process.args.clone(),
        cwd: process.cwd.clone(),
        user: process.user.clone(),
        uid: process.uid,
        start: process.start,
    }
}

fn object(event: &Event) -> Object {
    match (&event.file, &event.socket) {
        (Some(file), _) if event.kind == EventKind::Open => {
            Object::File { path: file.path.clone() }
        }
        (_, Some(socket)) => Object::Socket {
            remote: socket.remote.to_string(),
            port: socket.remote_port,
            protocol: match socket.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
                Protocol::Other => "other",
            }
            .to_owned(),
        },
        _ => Object::Executable {
            path: event.process.exe_path.clone(),
            drifted: event.process.exe.drifted,
        },
    }
}
