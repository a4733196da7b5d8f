//! The cluster's network plugin enforces no network policy.
use super::{Input, Join, Native, Subjects, cluster};
use crate::evaluate::Judgement;
use crate::exposure::Cni;
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "network-plugin",
    subjects: Subjects::Listed(cluster),
    inputs: &[Input { group: "apps", kind: "DaemonSet", join: Join::Every }],
    judge,
};

fn judge(_subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    match &world.network().cni {
        Cni::Enforcing(_) => Judgement::healthy(),
        Cni::Open(plugin) => {
            let evidence = Evidence { path: "network plugin".to_owned(), value: (*plugin).into() };
            Judgement::unhealthy(format!("{plugin} enforces no network policy"), vec![evidence])
        }
        Cni::Unrecognised => {
            Judgement::unknown("unsupported", "no DaemonSet of a known network plugin is there")
        }
    }
}
