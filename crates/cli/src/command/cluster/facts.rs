//! Documents beside a cluster's objects: what its cloud and its nodes' sensors say.
use crate::exit::Failure;
use anyhow::{Context, anyhow};
use seawall_model::facts::NodeFacts;
use seawall_posture::cloud::{self, Description};
use seawall_posture::report::{Cluster, Unseen};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes of one document; descriptions of clusters with hundreds of node pools stay under 2 MiB.
const MAX_FILE: u64 = 16 << 20;

/// What the named files hold.
#[derive(Debug, Default)]
pub(super) struct Read {
    nodes: Vec<NodeFacts>,
    cloud: Option<Description>,
}

pub(super) fn read(cloud: Option<&Path>, nodes: &[PathBuf]) -> Result<Read, Failure> {
    let mut read = Read::default();
    if let Some(file) = cloud {
        let description = cloud::read(&text(file)?)
            .map_err(|error| Failure::usage(anyhow!("{}: {error}", file.display())))?;
        read.cloud = Some(description);
    }
    for file in nodes {
        let facts: NodeFacts = serde_json::from_str(&text(file)?).map_err(|error| {
            Failure::usage(anyhow!("{} holds no facts of a node: {error}", file.display()))
                .with_help("save what `seawall sensor --print-node-facts` prints on a node")
        })?;
        read.nodes.push(facts);
    }
    Ok(read)
}

impl Read {
    /// The cluster that these facts are of.
    pub(super) fn cluster(&self, unseen: Vec<Unseen>, whole: bool) -> Cluster {
        Cluster { unseen, nodes: self.nodes.clone(), cloud: self.cloud.clone(), whole }
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    let unreadable = || format!("cannot read {}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(unreadable)?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).with_context(unreadable)?;
    if text.len() as u64 > MAX_FILE {
        let message = format!("{} is over {} MiB", path.display(), MAX_FILE >> 20);
        return Err(Failure::usage(anyhow!(message)));
    }
    Ok(text)
}
