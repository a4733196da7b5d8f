//! What containerd knows of a control group, and what it runs.
use super::{ContainerRecord, Containerd, RUNNING};
use crate::identity::describe::{self, Manifest, Spec};
use crate::identity::worker::{Found, Question};
use crate::identity::{ImageCache, cgroup};
use seawall_model::asset::RunningContainer;
use seawall_model::event::Container;
use seawall_model::image::ImageRef;
use std::collections::HashSet;

/// Path components tried as container ids.
const MAX_CANDIDATES: usize = 4;

#[derive(Clone)]
pub(crate) struct Lookup {
    client: Containerd,
    /// By namespace and image name as the container record has it.
    images: ImageCache<(String, String)>,
}

impl Lookup {
    pub(crate) fn new(client: Containerd) -> Self {
        Self { client, images: ImageCache::default() }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.client.is_lost()
    }

    pub(crate) async fn find(
        &self,
        question: &Question,
        identified: Option<&cgroup::PathIdentity>,
    ) -> Option<Found> {
        let ids: Vec<&str> = match identified {
            Some(found) => vec![found.container.as_str()],
            None => cgroup::candidates(&question.path).take(MAX_CANDIDATES).collect(),
        };
        for namespace in self.client.namespaces().await.ok()? {
            for id in &ids {
                let Ok(Some(record)) = self.client.container(&namespace, id).await else {
                    continue;
                };
                let spec = Spec::parse(&record);
                if identified.is_none() && !spec.owns(&question.path) {
                    continue;
                }
                let container = self.describe(&namespace, &record, &spec).await;
                return Some(describe::found(container));
            }
        }
        None
    }

    /// `None` where it does not answer.
    pub(crate) async fn running(&self) -> Option<Vec<RunningContainer>> {
        let mut running = Vec::new();
        for namespace in self.client.namespaces().await.ok()? {
            let tasks = self.client.tasks(&namespace).await.ok()?;
            let live: HashSet<String> = tasks
                .into_iter()
                .filter(|task| task.status == RUNNING)
                .map(|task| task.id)
                .collect();
            for record in self.client.containers(&namespace, Vec::new()).await.ok()? {
                if !live.contains(&record.id) || describe::is_sandbox(&record) {
                    continue;
                }
                let spec = Spec::parse(&record);
                let container = self.describe(&namespace, &record, &spec).await;
                running.extend(describe::running(container));
            }
        }
        Some(running)
    }

    async fn describe(&self, namespace: &str, record: &ContainerRecord, spec: &Spec) -> Container {
        let image = match record.image.is_empty() {
            true => None,
            false => Some(self.image(namespace, record, spec).await),
        };
        let sandbox = match spec.sandbox() {
            Some(sandbox) if sandbox != record.id => self
                .client
                .container(namespace, sandbox)
                .await
                .ok()
                .flatten()
                .map(|sandbox| sandbox.labels),
            _ => None,
        };
        describe::container(record, spec, image, sandbox.as_ref().unwrap_or(&record.labels))
    }

    async fn image(&self, namespace: &str, record: &ContainerRecord, spec: &Spec) -> ImageRef {
        let key = (namespace.to_owned(), record.image.clone());
        if let Some(known) = self.images.get(&key) {
            return known;
        }
        let fallback = spec.image_name().unwrap_or(&record.image).to_owned();
        let target = match self.client.image(namespace, &record.image).await {
            Ok(Some(image)) => image.target.map(|target| target.digest),
            _ => None,
        };
        // CRI may name the image by digest only; another entry with the same target has the tag.
        let Some(target) = target else {
            return ImageRef { name: fallback, ..ImageRef::default() };
        };
        let name = match describe::is_tagged(&record.image) {
            true => record.image.clone(),
            false => self.tagged(namespace, &target).await.unwrap_or(fallback),
        };
        let image = self.digests(namespace, name, target).await;
        self.images.set(key, image.clone());
        image
    }

    async fn tagged(&self, namespace: &str, digest: &str) -> Option<String> {
        let filter = format!("target.digest=={digest}");
        let images = self.client.images(namespace, vec![filter]).await.ok()?;
        images.into_iter().map(|image| image.name).find(|name| describe::is_tagged(name))
    }

    /// Follows the target to this machine's manifest and its configuration.
    async fn digests(&self, namespace: &str, name: String, target: String) -> ImageRef {
        let read = async |digest: &str| -> Option<Manifest> {
            serde_json::from_slice(&self.client.content(namespace, digest).await.ok()?).ok()
        };
        let mut image = ImageRef { name, digest: Some(target.clone()), ..ImageRef::default() };
        let Some(top) = read(&target).await else { return image };
        if top.manifests.is_empty() {
            image.config_digest = top.config.map(|config| config.digest);
            return image;
        }
        image.index_digest = Some(target);
        image.digest = top.for_machine().map(|entry| entry.digest.clone());
        if let Some(digest) = &image.digest
            && let Some(manifest) = read(digest).await
        {
            image.config_digest = manifest.config.map(|config| config.digest);
        }
        image
    }
}
