//! Facts about nodes, control planes and managed clusters: texts that others read, reduced to documents, and the
//! findings that controls make of them.
//!
//! ```text
//! command line ─flags─► Flags ─┐
//! kubelet.yaml, *.conf ────────┴─kubelet─► effective config ─┐
//! EncryptionConfiguration, audit Policy, … ─api_server─► shapes ┼─► NodeFacts, ControlPlaneFacts ─judge─► findings
//! mirror pods ─mirror─► Flags ─────────────────────────────────┘
//! ```
//!
//! The sensor reads the files; a scan of a cluster has only mirror pods. Secrets are left behind here: flags keep
//! values by [`flags::known_harmless`] alone, files are reduced to shapes.
pub mod api_server;
pub mod etcd;
pub mod flags;
mod judge;
pub mod kube_proxy;
pub mod kubelet;
pub mod mirror;
pub mod provider;

pub use judge::{Machines, machines, node, unread_node};

use crate::yaml;
use seawall_model::facts::{MAX_FACTS_BYTES, NodeFacts};
use serde_json::Value;

/// A document that `seawall sensor --print-node-facts` printed; `Err` says what is wrong with it.
pub fn read_node_facts(text: &str) -> Result<NodeFacts, String> {
    if text.len() > MAX_FACTS_BYTES {
        return Err(format!("has more than {MAX_FACTS_BYTES} bytes"));
    }
    let facts: NodeFacts = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match facts.node.is_empty() {
        true => Err("names no node".to_owned()),
        false => Ok(facts),
    }
}

/// The document of a configuration file, YAML or JSON; `Err` says what is wrong, without the file's text.
pub fn read_config(text: &str) -> Result<Value, String> {
    match yaml::parse(text) {
        Ok(Some(node)) => Ok(node.to_json()),
        Ok(None) => Err("the file is empty".to_owned()),
        Err(error) => Err(format!("line {}: {}", error.line, error.code)),
    }
}
