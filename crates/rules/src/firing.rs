//! A rule that fired on a kernel event, as the alert that leaves the node.
use crate::attack::Attack;
use crate::rule_set::Fired;
use seawall_model::alert::{
    Action, ActionMode, ActionResult, Firing, Location, Object, ProcessEvidence,
};
use seawall_model::event::{Event, EventKind, Process, Protocol};

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

impl Fired<'_> {
    /// The alert's firing with its evidence. A rule without id is named by its title.
    pub fn firing(&self, event: &Event, node: Node<'_>, attack: &Attack) -> Firing {
        let rule = self.rule;
        let time = event.time_ns.map_or(node.now, |time| (time / 1_000_000) as i64);
        let line = std::iter::once(&event.process).chain(&event.process.ancestors);
        Firing {
            detection: rule.id.clone().unwrap_or_else(|| rule.name.clone()),
            title: rule.name.clone(),
            severity: rule.priority.severity(),
            tactics: attack.tactics_of(&rule.mitre),
            mitre: rule.mitre.clone(),
            parity: rule.parity.clone(),
            source: rule.source.clone(),
            time,
            location: location(event, node),
            process: line.map(|process| evidence(process)).collect(),
            actor: None,
            object: Some(object(event)),
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

fn location(event: &Event, node: Node<'_>) -> Location {
    let container = event.container.as_deref();
    let pod = container.and_then(|container| container.pod.as_ref());
    Location {
        cluster: node.cluster.to_owned(),
        node: node.node.map(str::to_owned),
        namespace: pod.map(|pod| pod.namespace.clone()),
        workload: pod.and_then(|pod| pod.workload.clone()),
        pod: pod.map(|pod| pod.name.clone()),
        pod_uid: pod.map(|pod| pod.uid.clone()),
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
