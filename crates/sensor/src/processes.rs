//! Processes by exec id with their ancestors: what makes every event self-contained.
use crate::kernel::decode::{Header, Image};
use seawall_model::event::{Executable, MAX_ANCESTORS, Process, Stdio};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Live and recent processes kept; a fork bomb evicts the oldest, counted.
const MAX_PROCESSES: usize = 32_768;
/// A dead process may still own records on their way through the rings.
const KEEP_DEAD_NS: u64 = 30_000_000_000;

/// Owned and changed by the pipeline alone.
#[derive(Default)]
pub(crate) struct Processes {
    known: HashMap<u64, Known>,
    /// The program a thread group runs now.
    current: HashMap<u32, u64>,
    order: VecDeque<u64>,
    /// `(boot-time ns, exec id)` in order of death.
    dead: VecDeque<(u64, u64)>,
    pub(crate) evicted: u64,
}

/// One program image. `bare` has no ancestors of its own, so that chains of processes do not keep each other alive.
struct Known {
    bare: Arc<Process>,
    lineage: Vec<Arc<Process>>,
    full: Option<Arc<Process>>,
}

impl Processes {
    /// A program began (or was found running): replaces what the thread group ran before, whose exec id is returned.
    pub(crate) fn exec(&mut self, header: &Header, process: Process) -> Option<u64> {
        let lineage = self.lineage(header.parent_exec_id, process.parent_pid);
        let previous = self.current.insert(header.tgid, header.exec_id);
        self.insert(header.exec_id, Arc::new(process), lineage);
        let previous = previous.filter(|previous| *previous != header.exec_id)?;
        self.dead.push_back((header.time, previous));
        Some(previous)
    }

    /// A child has its parent's program until it executes its own.
    pub(crate) fn fork(&mut self, header: &Header, start: i64) {
        let Some(parent) = self.known.get(&header.parent_exec_id) else { return };
        let mut child = Process::clone(&parent.bare);
        child.exec_id = header.exec_id;
        child.parent_pid = child.pid;
        child.pid = header.tgid;
        child.tid = header.tid;
        child.vpid = header.vtgid;
        child.uid = header.uid;
        child.start = start;
        let lineage = self.lineage(header.parent_exec_id, 0);
        self.current.insert(header.tgid, header.exec_id);
        self.insert(header.exec_id, Arc::new(child), lineage);
    }

    pub(crate) fn exit(&mut self, header: &Header) {
        self.dead.push_back((header.time, header.exec_id));
        if self.current.get(&header.tgid) == Some(&header.exec_id) {
            self.current.remove(&header.tgid);
        }
        while let Some((died, exec_id)) = self.dead.front().copied()
            && died + KEEP_DEAD_NS < header.time
        {
            self.dead.pop_front();
            self.known.remove(&exec_id);
        }
    }

    pub(crate) fn contains(&self, exec_id: u64) -> bool {
        self.known.contains_key(&exec_id)
    }

    /// The process with its ancestors.
    pub(crate) fn get(&mut self, exec_id: u64) -> Option<Arc<Process>> {
        let known = self.known.get_mut(&exec_id)?;
        let full = known.full.get_or_insert_with(|| {
            let mut full = Process::clone(&known.bare);
            full.ancestors.clone_from(&known.lineage);
            Arc::new(full)
        });
        Some(Arc::clone(full))
    }

    /// Corrects what is decided after the exec: drift, streams.
    pub(crate) fn update(&mut self, exec_id: u64, change: impl FnOnce(&mut Process)) {
        if let Some(known) = self.known.get_mut(&exec_id) {
            change(Arc::make_mut(&mut known.bare));
            known.full = None;
        }
    }

    /// By exec id, else by the PID of a parent found running in a listing that had not reached it yet.
    fn lineage(&self, parent_exec_id: u64, parent_pid: u32) -> Vec<Arc<Process>> {
        let id = match parent_exec_id {
            0 => self.current.get(&parent_pid).copied().unwrap_or_default(),
            id => id,
        };
        let Some(parent) = self.known.get(&id) else { return Vec::new() };
        let above = parent.lineage.iter().take(MAX_ANCESTORS - 1).cloned();
        std::iter::once(Arc::clone(&parent.bare)).chain(above).collect()
    }

    fn insert(&mut self, exec_id: u64, bare: Arc<Process>, lineage: Vec<Arc<Process>>) {
        while self.known.len() >= MAX_PROCESSES {
            let oldest = match self.dead.pop_front() {
                Some((_, dead)) => Some(dead),
                None => self.order.pop_front(),
            };
            let Some(oldest) = oldest else { break };
            if self.known.remove(&oldest).is_some() {
                self.evicted += 1;
            }
        }
        if self.order.len() > 2 * MAX_PROCESSES {
            let known = &self.known;
            self.order.retain(|id| known.contains_key(id));
        }
        self.order.push_back(exec_id);
        self.known.insert(exec_id, Known { bare, lineage, full: None });
    }
}

/// The noun of an exec record. `start` is epoch milliseconds; arguments are masked by the caller.
pub(crate) fn process(header: &Header, image: &Image, start: i64) -> Process {
    let name = match image.comm.is_empty() {
        true => image.path.rsplit('/').next().unwrap_or_default().to_owned(),
        false => image.comm.clone(),
    };
    Process {
        exec_id: header.exec_id,
        pid: header.tgid,
        vpid: header.vtgid,
        tid: header.tid,
        parent_pid: image.parent_tgid,
        session: image.session,
        name,
        exe_path: image.path.clone(),
        args: image.args.clone(),
        cwd: Some(image.cwd.clone()),
        uid: header.uid,
        gid: image.gid,
        user: None,
        login_uid: (image.login_uid != u32::MAX).then_some(image.login_uid),
        tty: image.terminal,
        start,
        exe: Executable {
            inode: image.inode,
            upper_layer: image.exe.overlay().then_some(image.exe.upper()),
            drifted: None,
            memory_only: Some(image.exe.memfd()),
            changed_ns: (image.changed != 0).then_some(image.changed),
        },
        stdio: Stdio::default(),
        capabilities: image.capabilities,
        ancestors: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(exec_id: u64, parent: u64, pid: u32, time: u64) -> Header {
        Header {
            truncated: false,
            cpu: 0,
            time,
            exec_id,
            parent_exec_id: parent,
            cgroup: 1,
            tgid: pid,
            tid: pid,
            uid: 0,
            vtgid: pid,
            result: 0,
            sequence: 0,
        }
    }

    fn named(name: &str) -> Process {
        Process { name: name.to_owned(), ..Process::default() }
    }

    #[track_caller]
    fn check(processes: &mut Processes, exec_id: u64, expected: &[&str]) {
        let process = processes.get(exec_id).expect("known");
        let names: Vec<&str> =
            std::iter::once(&process).chain(&process.ancestors).map(|p| p.name.as_str()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn ancestors_survive_exec_and_death() {
        let mut processes = Processes::default();
        processes.exec(&header(1, 0, 10, 0), named("init"));
        processes.fork(&header(2, 1, 11, 1), 0);
        check(&mut processes, 2, &["init", "init"]);
        assert_eq!(processes.exec(&header(3, 1, 11, 2), named("bash")), Some(2));
        processes.fork(&header(4, 3, 12, 3), 0);
        processes.exec(&header(5, 3, 12, 4), named("id"));
        processes.exit(&header(3, 1, 11, 5));
        check(&mut processes, 5, &["id", "bash", "init"]);
        processes.exit(&header(5, 3, 12, 6));
        check(&mut processes, 5, &["id", "bash", "init"]);
        processes.exit(&header(1, 0, 10, 7 + KEEP_DEAD_NS));
        assert!(!processes.contains(5) && processes.contains(1));
    }

    #[test]
    fn a_fork_bomb_is_bounded() {
        let mut processes = Processes::default();
        processes.exec(&header(1, 0, 1, 0), named("bomb"));
        for id in 2..MAX_PROCESSES as u64 + 100 {
            processes.fork(&header(id, id - 1, id as u32, id), 0);
        }
        assert!(processes.known.len() <= MAX_PROCESSES && processes.evicted > 0);
        let last = processes.get(MAX_PROCESSES as u64 + 99).expect("the newest is kept");
        assert_eq!(last.ancestors.len(), MAX_ANCESTORS);
    }
}
