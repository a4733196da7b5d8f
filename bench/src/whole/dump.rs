//! A cluster as `kubectl get … -o json` writes it.
use anyhow::Context;
use seawall_bench::cluster::{Shape, objects};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Deployments
    #[arg(long, default_value_t = 10_000)]
    workloads: usize,
    /// Pods of each
    #[arg(long, default_value_t = 0)]
    pods: usize,
    /// Folder, made where it is not there
    dir: PathBuf,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.dir)?;
        let mut count = 0;
        let mut objects = objects(Shape { workloads: self.workloads, pods: self.pods }).peekable();
        while let Some(first) = objects.next() {
            // What belongs together comes together.
            let place =
                |object: &Value| object["metadata"]["namespace"].as_str().map(str::to_owned);
            let namespace = place(&first);
            let mut items = vec![first];
            items.extend(std::iter::from_fn(|| objects.next_if(|next| place(next) == namespace)));
            count += items.len();
            let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
            let path = self.dir.join(format!("{count:07}.json"));
            std::fs::write(&path, serde_json::to_vec_pretty(&list)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        super::row("objects", &count.to_string())
    }
}
