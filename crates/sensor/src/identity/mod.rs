//! Which container a control group is: the path at once, the rest from the runtime while its events wait.
//!
//! ```text
//! pipeline ─Question─► worker ─gRPC─► containerd, or any runtime by CRI
//!          ◄──Answer──
//! ```
mod cgroup;
mod connection;
mod containerd;
mod cri;
mod describe;
#[cfg(test)]
mod fake;
mod images;
mod sockets;
mod worker;

pub(crate) use cgroup::{Hierarchy, hierarchy, pod_of_path};
pub(crate) use sockets::{Behind, behind};
pub(crate) use worker::{Answer, Question, Worker};

use images::ImageCache;
use seawall_model::event::{Container, Identity};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

/// How long the memory of a dead container lasts, boot-time nanoseconds: 5 minutes.
const REMEMBER_NS: u64 = 300_000_000_000;

/// What the pipeline knows of control groups. Owned and changed by it alone.
pub(crate) struct Groups {
    paths: HashMap<u64, String>,
    resolved: HashMap<u64, Resolved>,
    /// `(boot-time ns, control group)` in order of removal.
    gone: VecDeque<(u64, u64)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Resolved {
    Host,
    /// Asked, not answered.
    Waiting,
    Container(Arc<Container>, Identity),
}

impl Groups {
    /// Begins with the groups that exist below `root`, the host's root file system.
    pub(crate) fn existing(root: &Path) -> Self {
        Self { paths: cgroup::existing(root), resolved: HashMap::new(), gone: VecDeque::new() }
    }

    /// Paths that look like containers, to be asked for before they do anything.
    pub(crate) fn containers(&self) -> Vec<Question> {
        let looks = |(id, path): (&u64, &String)| {
            cgroup::identify(path).map(|_| Question {
                cgroup: *id,
                path: path.clone(),
                nested: true,
            })
        };
        self.paths.iter().filter_map(looks).collect()
    }

    pub(crate) fn made(&mut self, id: u64, path: String) {
        self.resolved.remove(&id);
        self.paths.insert(id, path);
    }

    /// The group was removed; records of its last processes may still come.
    pub(crate) fn removed(&mut self, id: u64, time: u64) {
        self.gone.push_back((time, id));
        while let Some((removed, id)) = self.gone.front().copied()
            && removed + REMEMBER_NS < time
        {
            self.gone.pop_front();
            self.paths.remove(&id);
            self.resolved.remove(&id);
        }
    }

    pub(crate) fn path(&self, id: u64) -> Option<&str> {
        self.paths.get(&id).map(String::as_str)
    }

    /// Rereads the hierarchy: a group was made before the sensor or its record was lost.
    pub(crate) fn refresh(&mut self, root: &Path) {
        for (id, path) in cgroup::existing(root) {
            self.paths.entry(id).or_insert(path);
        }
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Resolved> {
        self.resolved.get(&id)
    }

    pub(crate) fn set(&mut self, id: u64, resolved: Resolved) {
        self.resolved.insert(id, resolved);
    }

    /// A container as the path alone tells it; `nested` says that the process lives in a PID namespace of its own,
    /// so that an unknown path is some container too.
    pub(crate) fn by_path(&self, id: u64, nested: bool) -> Resolved {
        let path = self.path(id).unwrap_or_default();
        match by_path(path, nested) {
            Some(container) => Resolved::Container(Arc::new(container), Identity::Partial),
            None => Resolved::Host,
        }
    }
}

fn by_path(path: &str, nested: bool) -> Option<Container> {
    if let Some(found) = cgroup::identify(path) {
        return Some(describe::from_path(found));
    }
    let id = cgroup::candidates(path).next().filter(|_| nested)?;
    Some(Container { id: id.to_owned(), ..Container::default() })
}
