//! What is installed on this node and in the images its runtimes hold: read by `scan`, sent when it changed.
mod gaps;

pub use gaps::images;

use crate::config::Config;
use gaps::Held;
use seawall_model::asset::Capability;
use seawall_model::record::Record;
use seawall_scan::{
    Containerd, FactsCache, ImageOptions, Listed, OpenOptions, RootfsOptions, ScanError,
    list_containerd_images, scan_image, scan_rootfs,
};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// Between two looks for new images.
const IMAGES_EVERY: Duration = Duration::from_secs(30);
/// Between two scans of the node's own packages.
const NODE_EVERY: Duration = Duration::from_secs(6 * 3600);
/// Below everything that answers a user.
const NICE: i32 = 10;

/// A running inventory. It ends after the scan under way when this is dropped.
pub struct InventoryTask {
    stop: Option<Sender<()>>,
    walk: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl InventoryTask {
    /// Scans each image once per digest and the node, in a thread of low priority. Needs no kernel events and hence
    /// no root beyond what reading the files takes. `cache` keeps what layers contain across starts. `capabilities`
    /// are those already known: they are told again with `images`, for a list replaces the one before.
    pub fn start(
        config: Config,
        cache: Option<&Path>,
        capabilities: Vec<Capability>,
        sink: Arc<dyn Fn(Record) + Send + Sync>,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let facts = cache.map(FactsCache::new);
        let walk = Arc::new(AtomicBool::new(false));
        let stop_walk = walk.clone();
        let thread =
            std::thread::Builder::new().name("sensor-inventory".to_owned()).spawn(move || {
                // Without the right to, scans merely compete with the rest.
                let _nice = rustix::process::setpriority_process(None, NICE);
                Scans {
                    config,
                    facts,
                    stop_walk,
                    sink,
                    capabilities,
                    told: None,
                    images: HashSet::new(),
                    refused: HashMap::new(),
                }
                .run(&stopped);
            })?;
        Ok(Self { stop: Some(stop), walk, thread: Some(thread) })
    }
}

impl Drop for InventoryTask {
    fn drop(&mut self) {
        self.stop = None;
        self.walk.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("inventory thread panicked");
        }
    }
}

struct Scans {
    config: Config,
    facts: Option<FactsCache>,
    /// Ends a walk of the node's file system.
    stop_walk: Arc<AtomicBool>,
    sink: Arc<dyn Fn(Record) + Send + Sync>,
    capabilities: Vec<Capability>,
    /// `images` as it was told last.
    told: Option<Capability>,
    /// Digests scanned.
    images: HashSet<String>,
    /// Digests that could not be opened, with how often: content may still be arriving.
    refused: HashMap<String, u32>,
}

/// Attempts at an image that cannot be opened.
const MAX_ATTEMPTS: u32 = 3;

impl Scans {
    fn run(mut self, stopped: &Receiver<()>) {
        let mut node_due = Instant::now();
        loop {
            let mut held = gaps::ask(&self.config.runtimes);
            // Before the scans, which take minutes, and after them.
            self.tell(&held);
            for (socket, held) in &mut held {
                if !matches!(held, Held::Read { .. }) {
                    continue;
                }
                let containerd = Containerd { address: socket.clone(), namespace: None };
                match self.images(&containerd, stopped) {
                    Some(found) => *held = found,
                    None => return,
                }
            }
            self.tell(&held);
            // After the images: a large file system takes minutes, known layers none.
            if Instant::now() >= node_due {
                node_due = Instant::now() + NODE_EVERY;
                self.node();
            }
            match stopped.recv_timeout(IMAGES_EVERY) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn node(&self) {
        let options = RootfsOptions {
            node: Some(self.config.node.clone()),
            stop: Some(self.stop_walk.clone()),
        };
        match scan_rootfs(&self.config.root, &options) {
            Ok(inventory) => (self.sink)(Record::Inventory(Box::new(inventory))),
            Err(ScanError::Stopped { .. }) => {}
            Err(error) => {
                tracing::warn!(error = %crate::probe::chain(&error), "node could not be scanned")
            }
        }
    }

    /// Sends what is known of images, where it changed.
    fn tell(&mut self, held: &[(PathBuf, Held)]) {
        let images = gaps::capability(held);
        if self.told.as_ref() == Some(&images) {
            return;
        }
        if let Some(reason) = &images.reason {
            tracing::warn!(reason, "images are left out");
        }
        self.told = Some(images.clone());
        let known = self.capabilities.iter().cloned();
        (self.sink)(Record::Capabilities(known.chain([images]).collect()));
    }

    /// `None` where the task should end.
    fn images(&mut self, containerd: &Containerd, stopped: &Receiver<()>) -> Option<Held> {
        let listed = match list_containerd_images(containerd) {
            Ok(listed) => listed,
            Err(error) => return Some(Held::Failed(crate::probe::chain(&error))),
        };
        let images = one_per_digest(listed);
        for image in &images {
            if matches!(stopped.try_recv(), Ok(()) | Err(mpsc::TryRecvError::Disconnected)) {
                return None;
            }
            self.image(containerd, image);
        }
        let refused =
            |image: &&Listed| digest(image).is_none_or(|digest| !self.images.contains(digest));
        Some(Held::Read { unread: images.iter().filter(refused).count() })
    }

    fn image(&mut self, containerd: &Containerd, listed: &Listed) {
        let Some(digest) = digest(listed).map(str::to_owned) else { return };
        let attempts = self.refused.get(&digest).copied().unwrap_or_default();
        if self.images.contains(&digest) || attempts >= MAX_ATTEMPTS {
            return;
        }
        let address = containerd.address.clone();
        let containerd = Containerd { address, namespace: Some(listed.namespace.clone()) };
        let open = OpenOptions { containerd, ..OpenOptions::default() };
        let options = ImageOptions { open, facts: self.facts.clone() };
        match scan_image(&format!("containerd:{}", listed.image.name), &options) {
            Ok(inventory) => {
                self.images.insert(digest);
                (self.sink)(Record::Inventory(Box::new(inventory)));
            }
            Err(error) => {
                let (image, error) = (&listed.image.name, crate::probe::chain(&error));
                tracing::warn!(%image, %error, "image could not be scanned");
                self.refused.insert(digest, attempts + 1);
            }
        }
    }
}

fn digest(listed: &Listed) -> Option<&str> {
    listed.image.index_digest.as_deref().or(listed.image.digest.as_deref())
}

/// CRI stores each image under its tag, its digest and its configuration's digest; the tag names it best.
fn one_per_digest(listed: Vec<Listed>) -> Vec<Listed> {
    let mut best: Vec<Listed> = Vec::new();
    let rank = |listed: &Listed| {
        let name = &listed.image.name;
        (name.starts_with("sha256:"), name.contains('@'))
    };
    for image in listed {
        match best.iter_mut().find(|known| digest(known) == digest(&image)) {
            Some(known) if rank(&image) < rank(known) => *known = image,
            Some(_) => {}
            None => best.push(image),
        }
    }
    best
}

#[test]
fn tag_names_an_image_best() {
    let listed = |name: &str, digest: &str| Listed {
        namespace: "k8s.io".to_owned(),
        image: seawall_model::image::ImageRef {
            name: name.to_owned(),
            digest: Some(digest.to_owned()),
            ..Default::default()
        },
    };
    let images = vec![
        listed("docker.io/a@sha256:1", "sha256:1"),
        listed("docker.io/a:1", "sha256:1"),
        listed("sha256:9", "sha256:1"),
        listed("sha256:8", "sha256:2"),
    ];
    let names: Vec<String> =
        one_per_digest(images).into_iter().map(|listed| listed.image.name).collect();
    assert_eq!(names, ["docker.io/a:1", "sha256:8"]);
}
