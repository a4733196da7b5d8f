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

pub use judge::{Machines, machines, node};

use crate::yaml;
use serde_json::Value;

/// The document of a configuration file, YAML or JSON; `Err` says what is wrong, without the file's text.
pub fn read_config(text: &str) -> Result<Value, String> {
    match yaml::parse(text) {
        Ok(Some(node)) => Ok(node.to_json()),
        Ok(None) => Err("the file is empty".to_owned()),
        Err(error) => Err(format!("line {}: {}", error.line, error.code)),
    }
}
