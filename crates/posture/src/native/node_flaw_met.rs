//! A workload that uses what a flaw of its nodes' kubelets turns against them.
use super::exposed::workload;
use super::version::Version;
use super::{Input, Join, Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::exposure::{list, text};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

/// Mounts with `subPath`; its parameter `affected` holds the kubelets' versions.
pub(super) static SUB_PATH: Native = Native {
    name: "sub-path-flaw",
    subjects: Subjects::Workloads,
    inputs: &[Input { group: "", kind: "Node", join: Join::Every }],
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(workload) = workload(subject, world) else {
        return Judgement::unknown("error", "the workload has no pod template");
    };
    let affected = values(params, "affected");
    let uses = workload.containers().any(|container| {
        list(container, "/volumeMounts")
            .any(|mount| mount.get("subPath").or(mount.get("subPathExpr")).is_some())
    });
    if !uses {
        return Judgement::healthy();
    }
    let (mut evidence, mut seen) = (Vec::new(), false);
    for node in world.of_kind("", "Node") {
        seen = true;
        let path = "/status/nodeInfo/kubeletVersion";
        let version = text(node.value(), path);
        let Some(read) = Version::read(version) else {
            return Judgement::unknown("unsupported", format!("{version} is no version"));
        };
        if read.is_in(&affected) && evidence.len() < super::MAX_TOLD {
            let path = format!("Node/{}{path}", node.name());
            evidence.push(Evidence { path, value: version.into() });
        }
    }
    match (evidence.is_empty(), seen || world.is_whole()) {
        (false, _) => {
            Judgement::unhealthy("mounts with subPath on kubelets with the flaw", evidence)
        }
        (true, true) => Judgement::healthy(),
        (true, false) => Judgement::not_applicable("out-of-scope"),
    }
}
