//! What a CRI runtime knows of a container, and what it runs.
use super::{ContainerRecord, Cri, Sandbox, describe};
use crate::identity::worker::Found;
use crate::identity::{ImageCache, cgroup, describe as shared};
use seawall_model::asset::RunningContainer;
use seawall_model::image::ImageRef;
use std::collections::HashMap;

#[derive(Clone)]
pub(crate) struct Lookup {
    client: Cri,
    /// By the image's reference and the name that was asked for.
    images: ImageCache<(String, String)>,
}

impl Lookup {
    pub(crate) fn new(client: Cri) -> Self {
        Self { client, images: ImageCache::default() }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.client.is_lost()
    }

    /// Only by an id that the path holds: CRI takes any other word for the beginning of one.
    pub(crate) async fn find(&self, identified: Option<&cgroup::PathIdentity>) -> Option<Found> {
        let id = &identified?.container;
        let runtime = &self.client.version.runtime_name;
        let Some(record) = self.client.container(id).await.ok()? else {
            let sandbox = self.client.sandbox(id).await.ok()??;
            return Some(shared::found(describe::sandbox(&sandbox, runtime)));
        };
        let labels = match record.sandbox.is_empty() {
            true => None,
            false => self.client.sandbox(&record.sandbox).await.ok().flatten(),
        };
        let labels = labels.map(|sandbox| sandbox.labels).unwrap_or_default();
        let info = self.client.info(id).await.ok().flatten();
        let info = describe::Info::parse(info.as_deref());
        let image = self.image(&record).await;
        let container = describe::container(&record, &info, image, &labels, runtime);
        Some(shared::found(container))
    }

    /// `None` where it does not answer.
    pub(crate) async fn running(&self) -> Option<Vec<RunningContainer>> {
        let records = self.client.running().await.ok()?;
        let sandboxes = self.client.sandboxes().await.ok()?;
        let labels: HashMap<&str, &Sandbox> =
            sandboxes.iter().map(|sandbox| (sandbox.id.as_str(), sandbox)).collect();
        let (runtime, none) = (&self.client.version.runtime_name, HashMap::new());
        let info = describe::Info::default();
        let mut running = Vec::new();
        for record in records {
            let labels = labels.get(record.sandbox.as_str()).map(|sandbox| &sandbox.labels);
            let image = self.image(&record).await;
            let container =
                describe::container(&record, &info, image, labels.unwrap_or(&none), runtime);
            running.extend(shared::running(container));
        }
        Some(running)
    }

    async fn image(&self, record: &ContainerRecord) -> Option<ImageRef> {
        let reference = describe::reference(record)?;
        let wanted = describe::wanted(record);
        let key = (reference.to_owned(), wanted.clone());
        if let Some(known) = self.images.get(&key) {
            return Some(known);
        }
        let Ok(Some(found)) = self.client.image(reference).await else {
            return Some(ImageRef { name: wanted, ..ImageRef::default() });
        };
        let image = describe::image(&found, &wanted, &self.client.version.runtime_name);
        self.images.set(key, image.clone());
        Some(image)
    }
}
