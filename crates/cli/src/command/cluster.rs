//! `seawall scan cluster`: controls on the objects of a cluster, or of a dump of one, and on facts beside them.
mod facts;

use crate::command::objects::files::{self, Input};
use crate::command::objects::{Options, Prepared, Target};
use crate::exit::{Failure, Outcome};
use anyhow::anyhow;
use seawall_cluster::{Kind, Listing, Reached};
use seawall_model::Problem;
use seawall_posture::manifests::{self, Manifests};
use seawall_posture::report::Unseen;
use serde_json::Value;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The kubeconfig's context [default: its current one, else the pod's service account]
    #[arg(long, value_name = "C", conflicts_with = "from")]
    context: Option<String>,
    /// Dumps instead of a cluster: files of `kubectl get … -o json` or YAML, a directory of them, or - for stdin
    #[arg(long, value_name = "FILE|DIR")]
    from: Option<PathBuf>,
    /// Show only findings in namespaces that fit, such as shop-* (repeatable); objects of all are looked at
    #[arg(long, value_name = "GLOB")]
    namespace: Vec<String>,
    /// What the cloud says of the cluster: JSON of `az aks show`, `aws eks describe-cluster` or `gcloud container
    /// clusters describe`
    #[arg(long, value_name = "FILE")]
    cloud: Option<PathBuf>,
    /// What sensors say of nodes: JSON of `seawall sensor --print-node-facts` (repeatable)
    #[arg(long, value_name = "FILE")]
    node_facts: Vec<PathBuf>,
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        match self.from.clone() {
            Some(from) => self.dump(from),
            None => self.live(),
        }
    }

    fn dump(self, from: PathBuf) -> Outcome {
        let stdin = from.as_os_str() == "-";
        let paths = [from];
        let prepared = self.options.prepare(&paths, stdin)?;
        let facts = facts::read(self.cloud.as_deref(), &self.node_facts)?;
        let (inputs, unreadable) = files::inputs(&paths)?;
        let mut read = manifests::read(inputs.iter().map(Input::file));
        read.problems.extend(unreadable);
        let whole = read.objects.iter().any(|object| is_system_namespace(&object.value));
        if !whole {
            let message = "the dump has no Namespace kube-system: it is taken for a part of a cluster, in which the absence of an object proves nothing";
            read.problems.push(Problem::note("partial-dump", message));
        }
        let target = Target {
            name: paths[0].display().to_string(),
            namespaces: &self.namespace,
            cluster: Some(facts.cluster(Vec::new(), whole)),
            ..Target::default()
        };
        self.options.run(&prepared, target, inputs, &read)
    }

    fn live(self) -> Outcome {
        if self.options.fix {
            return Err(Failure::usage(anyhow!("nothing is written into a cluster")).with_help(
                "`--diff` shows the fixes, `--format json` holds them as JSON Patches",
            ));
        }
        let prepared = self.options.prepare(&["-".into()], false)?;
        let facts = facts::read(self.cloud.as_deref(), &self.node_facts)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (reached, listing) = runtime.block_on(self.list(&prepared))?;
        let name = self.context.clone().or(reached.name.clone()).unwrap_or(reached.url.clone());
        self.judge(&prepared, &facts, &reached.version, name, listing)
    }

    /// Only kinds that a control looks at, and those that say what else to make of them.
    async fn list(&self, prepared: &Prepared) -> Result<(Reached, Listing), Failure> {
        let target = seawall_cluster::Target { kubeconfig: None, context: self.context.clone() };
        let reached = seawall_cluster::reach(&target).await.map_err(Failure::could_not_run)?;
        let mut kinds = seawall_cluster::kinds(&reached).await.map_err(Failure::could_not_run)?;
        kinds.retain(|kind| is_wanted(kind, prepared));
        let listing = seawall_cluster::list(&reached, &kinds).await;
        Ok((reached, listing))
    }

    fn judge(
        &self,
        prepared: &Prepared,
        facts: &facts::Read,
        version: &str,
        name: String,
        listing: Listing,
    ) -> Outcome {
        let unseen: Vec<Unseen> = listing
            .refused
            .into_iter()
            .map(|refused| Unseen {
                api_version: refused.kind.api_version,
                kind: refused.kind.kind,
                reason: refused.reason.to_owned(),
                message: refused.message,
            })
            .collect();
        let mut objects: Vec<Value> = Vec::with_capacity(listing.objects.len());
        for bytes in &listing.objects {
            objects.push(serde_json::from_slice(bytes).map_err(Failure::could_not_run)?);
        }
        let (inputs, mut read) = match self.options.diff {
            true => written(&objects),
            false => (Vec::new(), Manifests::default()),
        };
        if inputs.is_empty() {
            read.add_live(objects);
        }
        for unseen in &unseen {
            let message =
                format!("objects of kind {} cannot be read: {}", unseen.kind, unseen.message);
            read.problems.push(Problem::gap(&unseen.reason, message).item(&unseen.kind));
        }
        let target = Target {
            name,
            kubernetes: seawall_posture::minor(version),
            namespaces: &self.namespace,
            cluster: Some(facts.cluster(unseen, true)),
        };
        self.options.run(prepared, target, inputs, &read)
    }
}

/// Objects as files, since a diff is of files.
fn written(objects: &[Value]) -> (Vec<Input>, Manifests) {
    let text = |object: &Value, pointer: &str| {
        object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let inputs: Vec<Input> = objects
        .iter()
        .map(|object| {
            let parts = ["/metadata/namespace", "/kind", "/metadata/name"];
            let parts: Vec<String> = parts.iter().map(|part| text(object, part)).collect();
            let named: Vec<&str> =
                parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            let (name, bytes) = (named.join("/") + ".yaml", manifests::live::write(object));
            Input { name, bytes: bytes.into_bytes(), found: false }
        })
        .collect();
    let read = manifests::read(inputs.iter().map(Input::file));
    (inputs, read)
}

fn is_wanted(kind: &Kind, prepared: &Prepared) -> bool {
    let group = kind.api_version.split_once('/').map_or("", |(group, _)| group);
    let says_more = group.is_empty() && matches!(kind.kind.as_str(), "Namespace" | "Node");
    // A user's policy may be for any kind; these change all the time, and nobody holds policies against them.
    let passes = matches!(group, "coordination.k8s.io" | "events.k8s.io" | "metrics.k8s.io")
        || matches!(
            kind.kind.as_str(),
            "Event" | "ComponentStatus" | "EndpointSlice" | "Endpoints"
        );
    says_more
        || prepared.selection.looks_at(&kind.api_version, &kind.kind)
        || (!prepared.policies.is_empty() && !passes)
}

/// A dump that has it is one of a whole cluster, no selection of objects.
fn is_system_namespace(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("Namespace")
        && object.pointer("/metadata/name").and_then(Value::as_str) == Some("kube-system")
}
