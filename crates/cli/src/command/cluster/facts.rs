//! Documents beside a cluster's objects: what its cloud and its nodes' sensors say.
use crate::exit::Failure;
use anyhow::{Context, anyhow};
use seawall_posture::report::{Cluster, FactsDocument, Unseen};
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes of one document; descriptions of clusters with hundreds of node pools stay under 2 MiB.
const MAX_FILE: u64 = 16 << 20;

/// What the named files hold.
#[derive(Debug, Default)]
pub(super) struct Read {
    facts: Vec<FactsDocument>,
}

pub(super) fn read(cloud: Option<&Path>, nodes: &[PathBuf]) -> Result<Read, Failure> {
    let mut facts = Vec::new();
    if let Some(file) = cloud {
        let document = FactsDocument::of_cloud(json(file)?).map_err(|message| {
            Failure::usage(anyhow!("{}: {message}", file.display())).with_help(
                "save the JSON of `az aks show`, `aws eks describe-cluster` or `gcloud container clusters describe`",
            )
        })?;
        facts.push(document);
    }
    for file in nodes {
        let documents = FactsDocument::of_node(json(file)?).map_err(|message| {
            Failure::usage(anyhow!("{}: {message}", file.display()))
                .with_help("save what `seawall sensor --print-node-facts` prints on a node")
        })?;
        facts.extend(documents);
    }
    Ok(Read { facts })
}

impl Read {
    /// The cluster that these facts and objects are of.
    pub(super) fn cluster(&self, unseen: Vec<Unseen>, whole: bool) -> Cluster {
        Cluster::new(self.facts.clone(), unseen, whole)
    }
}

fn json(path: &Path) -> Result<Value, Failure> {
    let unreadable = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(unreadable)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).with_context(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        let message = format!("{} is over {} MiB", path.display(), MAX_FILE >> 20);
        return Err(Failure::usage(anyhow!(message)));
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::usage(anyhow!("{} is no JSON: {error}", path.display())))
}
