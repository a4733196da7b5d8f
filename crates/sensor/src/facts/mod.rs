//! What benchmarks ask of a node: modes and owners of fixed files, arguments and settings of Kubernetes' programs.
//!
//! ```text
//! /proc ─programs─► command lines ─┐
//! host ─view─► files, bounded ─────┴─components, files─► NodeFacts ─task─► sink
//! ```
//!
//! Everything is read from the host's files and `/proc`; no program is run, no port asked, and nothing but modes,
//! harmless flags and shapes of configuration leaves this module (see `seawall_posture::facts`).
mod components;
mod files;
mod programs;
mod task;
mod versions;
mod view;

pub use task::FactsTask;
pub use versions::Versions;

use crate::config::Config;
use crate::identity::{Behind, behind};
use components::Components;
use programs::Programs;
use seawall_model::Problem;
use seawall_model::facts::{NodeFacts, OsFacts, RuntimeFacts};
use view::View;

/// Where the kernel shows processes; in a pod with the node's PID namespace these are the node's.
const PROC: &str = "/proc";

/// Reads the facts of this node, once. `versions` spares what was searched before.
pub fn node_facts(config: &Config, versions: &mut Versions) -> NodeFacts {
    let mut facts = NodeFacts { node: config.node.clone(), ..NodeFacts::default() };
    let host = match View::of_directory(&config.root) {
        Ok(host) => host,
        Err(error) => {
            let message = format!("the host's files cannot be read: {error}");
            facts.problems.push(Problem::gap("host-not-read", message));
            return facts;
        }
    };
    let programs = Programs::running(PROC.as_ref());
    facts.kernel = host.read("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned());
    facts.os = os(&host);
    facts.runtime = runtime(config);
    facts.auditd = Some(programs.auditd);
    let mut components = Components::new(&host, &programs, versions);
    facts.kubelet = components.kubelet();
    facts.kube_proxy = components.kube_proxy();
    facts.control_plane = components.control_plane(&config.node);
    facts.provider = components.provider(facts.kubelet.as_ref());
    facts.files = files::groups(&host, &mut components, &facts);
    facts.problems = components.problems;
    facts
}

fn os(host: &View) -> Option<OsFacts> {
    let text = host.read("/etc/os-release").or_else(|_| host.read("/usr/lib/os-release")).ok()?;
    let mut os = OsFacts::default();
    for (key, value) in text.lines().filter_map(|line| line.trim().split_once('=')) {
        let value = value.trim_matches(['"', '\'']).to_owned();
        match key {
            "ID" => os.id = value,
            "VERSION_ID" => os.version = Some(value),
            "PRETTY_NAME" => os.name = Some(value),
            "VARIANT_ID" => os.variant = Some(value),
            _ => {}
        }
    }
    Some(os).filter(|os| !os.id.is_empty())
}

fn runtime(config: &Config) -> Option<RuntimeFacts> {
    let sockets = config.runtimes.iter().filter(|socket| socket.exists());
    sockets.into_iter().find_map(|socket| match behind(socket).ok()? {
        Behind::Containerd => Some(RuntimeFacts { name: "containerd".to_owned(), version: None }),
        Behind::Cri { runtime, .. } => {
            let (name, version) = runtime.split_once(' ').unwrap_or((&runtime, ""));
            let version = Some(version.to_owned()).filter(|version| !version.is_empty());
            Some(RuntimeFacts { name: name.to_owned(), version })
        }
    })
}
