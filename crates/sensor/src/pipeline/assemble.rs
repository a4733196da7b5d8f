//! One decoded record to what it changes and to the event that rules see.
use super::{MAX_RELAYS, Pipeline, RELAY_NS, Relay, place};
use crate::identity::Question;
use crate::identity::Resolved;
use crate::kernel::decode::{self, Body, Connect, End, Header, Image, Inet, Open, Record};
use crate::processes;
use seawall_model::event::{Event, EventKind, File, Identity, Process, Protocol, Socket};
use std::collections::HashMap;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

const TCP: u8 = 6;
const UDP: u8 = 17;
/// Name look-ups connect a socket to every resolver.
const DNS_PORT: u16 = 53;
/// `-EINPROGRESS`: a connect that did not block.
const IN_PROGRESS: i32 = -115;

impl Pipeline {
    pub(super) fn handle(&mut self, record: Record) {
        let Record { header, body } = record;
        match body {
            Body::Exec(image) => self.exec(&header, &image),
            Body::State(image) => self.found_running(&header, *image),
            Body::Fork => {
                if !self.processes.contains(header.parent_exec_id) {
                    self.adopt_parent(&header);
                }
                let start = self.millis(header.time);
                self.processes.fork(&header, start);
                self.report(&header, EventKind::Fork, "clone", |_| {});
            }
            Body::Exit => {
                self.report(&header, EventKind::Exit, "procexit", |_| {});
                self.processes.exit(&header);
                self.streams.exit(header.exec_id);
            }
            Body::Open(open) => self.open(&header, open),
            Body::Connect(connect) => self.connect(&header, &connect),
            Body::Channel { end, flags } => {
                let name = self.name_of(header.exec_id);
                self.streams.opened(header.exec_id, &name, &end, flags);
                self.reconsider();
            }
            Body::Cgroup { path } => {
                self.groups.made(header.cgroup, path.clone());
                self.prefetch(header.cgroup, path);
            }
            Body::CgroupGone => self.groups.removed(header.cgroup, header.time),
        }
    }

    /// Asks for a container before its first event.
    fn prefetch(&mut self, cgroup: u64, path: String) {
        let is_container = matches!(self.groups.by_path(cgroup, false), Resolved::Container(..));
        if is_container && self.worker.ask(Question { cgroup, path, nested: true }) {
            self.groups.set(cgroup, Resolved::Waiting);
        }
    }

    fn exec(&mut self, header: &Header, image: &Image) {
        let mut process = processes::process(header, image, self.millis(header.time));
        self.complete(&mut process, header);
        process.exe.drifted = self.drift.judge(header, image);
        let name = process.name.clone();
        let previous = self.processes.exec(header, process);
        self.follow_streams(header.exec_id, previous, &name, image);
        let stdio = self.streams.decide(header.exec_id, &image.streams);
        let looped = stdio.loops;
        self.processes.update(header.exec_id, |process| process.stdio = stdio);
        let fired = self.report(header, EventKind::Exec, "execve", |_| {});
        if looped && !fired.is_empty() {
            // This process already told of the loop; its relay need not.
            self.relays.retain(|relay| relay.header.cgroup != header.cgroup);
        }
        self.reconsider();
    }

    fn follow_streams(&mut self, exec_id: u64, previous: Option<u64>, name: &str, image: &Image) {
        self.streams.exec(exec_id, previous, name, image.streams, &image.lineage);
        for (ancestor, _) in &image.lineage {
            let name = self.name_of(*ancestor);
            self.streams.name(*ancestor, &name);
        }
    }

    fn found_running(&mut self, header: &Header, mut image: Image) {
        if self.processes.contains(header.exec_id) {
            return;
        }
        image.args = arguments_of(header.tgid);
        let mut process = processes::process(header, &image, self.millis(image.start));
        self.complete(&mut process, header);
        let name = process.name.clone();
        self.processes.exec(header, process);
        self.follow_streams(header.exec_id, None, &name, &image);
        let stdio = self.streams.decide(header.exec_id, &image.streams);
        self.processes.update(header.exec_id, |process| process.stdio = stdio);
    }

    /// A process that no listing named begins another: some machines hide their first one.
    fn adopt_parent(&mut self, child: &Header) {
        let exec_id = child.parent_exec_id;
        let Some((tgid, uid)) = parent_of(child.tgid, exec_id) else { return };
        let own =
            Header { exec_id, parent_exec_id: 0, tgid, tid: tgid, vtgid: tgid, uid, ..*child };
        self.adopt(&own);
    }

    /// A process whose exec record never came: what `/proc` still says.
    pub(super) fn adopt(&mut self, header: &Header) {
        let folder = format!("/proc/{}", header.tgid);
        let read = |name: &str| std::fs::read(format!("{folder}/{name}")).unwrap_or_default();
        let exe = std::fs::read_link(format!("{folder}/exe")).unwrap_or_default();
        let mut process = Process {
            exec_id: header.exec_id,
            pid: header.tgid,
            vpid: header.vtgid,
            tid: header.tid,
            name: String::from_utf8_lossy(&read("comm")).trim_end().to_owned(),
            exe_path: exe.to_string_lossy().into_owned(),
            args: arguments_of(header.tgid),
            uid: header.uid,
            start: self.millis(header.time),
            ..Process::default()
        };
        self.complete(&mut process, header);
        self.processes.exec(header, process);
    }

    /// Masks secrets, and names the user where the host's names hold.
    fn complete(&self, process: &mut Process, header: &Header) {
        seawall_rules::mask::mask_arguments(&mut process.args);
        process.user = self.user(header);
    }

    fn user(&self, header: &Header) -> Option<String> {
        let of_host = header.vtgid == header.tgid;
        match header.uid {
            0 => Some("root".to_owned()),
            uid => self.users.get(&uid).filter(|_| of_host).cloned(),
        }
    }

    fn open(&mut self, header: &Header, open: Open) {
        let Open { inode, flags, mode, fd, syscall, path } = open;
        // What is left of a path that was too deep must not look like one that begins at the root.
        let path = if header.truncated { format!("…{path}") } else { path };
        let verified = !header.truncated;
        let file = File { path, verified, flags, mode, inode: Some(inode), fd: Some(fd) };
        self.report(header, EventKind::Open, syscall, |event| event.file = Some(file));
    }

    fn connect(&mut self, header: &Header, connect: &Connect) {
        let End::Inet(inet) = connect.socket else { return };
        let inet = Inet { outbound: Some(true), ..inet };
        let under_way = header.result == 0 || header.result == IN_PROGRESS;
        let name = self.name_of(header.exec_id);
        if under_way && inet.remote_port != DNS_PORT {
            self.streams.connected(header.exec_id, &name, inet, &connect.streams);
        }
        let Some(event) = self.connect_event(header, &inet, connect) else { return };
        let between_pipes =
            connect.streams[..2].iter().all(|end| matches!(end, End::Pipe(_) | End::Fifo(_)));
        let waits = under_way && between_pipes && !event.process.stdio.loops;
        let kept = waits.then(|| event.clone());
        let fired = self.deliver(event, header.cgroup, header.vtgid != header.tgid);
        if let Some(event) = kept {
            if self.relays.len() >= MAX_RELAYS {
                self.relays.pop_front();
            }
            let until = header.time + RELAY_NS;
            self.relays.push_back(Relay {
                until,
                header: *header,
                ends: connect.streams,
                event,
                fired,
            });
        }
    }

    fn connect_event(&mut self, header: &Header, inet: &Inet, connect: &Connect) -> Option<Event> {
        let process = self.processes.get(header.exec_id)?;
        let mut process = Process::clone(&self.as_now(process, header));
        process.stdio = self.streams.decide(header.exec_id, &connect.streams);
        let mut event = self.event(header, EventKind::Connect, "connect", Arc::new(process));
        let protocol = match inet.protocol {
            TCP => Protocol::Tcp,
            UDP => Protocol::Udp,
            _ => Protocol::Other,
        };
        event.socket = Some(Socket {
            protocol,
            local: (!inet.local.is_unspecified()).then_some(inet.local),
            local_port: (inet.local_port != 0).then_some(inet.local_port),
            remote: inet.remote,
            remote_port: inet.remote_port,
            fd: Some(connect.fd),
        });
        Some(event)
    }

    /// Streams changed: a connect between pipes may now lead back to itself.
    fn reconsider(&mut self) {
        let mut index = 0;
        while index < self.relays.len() {
            let relay = &self.relays[index];
            let stdio = self.streams.decide(relay.header.exec_id, &relay.ends);
            if !stdio.loops {
                index += 1;
                continue;
            }
            let Some(mut relay) = self.relays.remove(index) else { return };
            let mut process = Process::clone(&relay.event.process);
            process.stdio = stdio;
            relay.event.process = Arc::new(process);
            let nested = relay.header.vtgid != relay.header.tgid;
            let resolved = match self.resolve(relay.header.cgroup, nested) {
                Resolved::Waiting => self.groups.by_path(relay.header.cgroup, nested),
                resolved => resolved,
            };
            place(&mut relay.event, resolved);
            self.judge.judge(&relay.event, Some(&relay.fired));
        }
    }

    /// Makes the event, lets `fill` add its object, and delivers it.
    fn report(
        &mut self,
        header: &Header,
        kind: EventKind,
        syscall: &'static str,
        fill: impl FnOnce(&mut Event),
    ) -> Vec<String> {
        let Some(process) = self.processes.get(header.exec_id) else { return Vec::new() };
        let process = self.as_now(process, header);
        let mut event = self.event(header, kind, syscall, process);
        fill(&mut event);
        self.deliver(event, header.cgroup, header.vtgid != header.tgid)
    }

    /// The process as the record found it: its user may have changed since the exec, and a thread may act for it.
    fn as_now(&self, process: Arc<Process>, header: &Header) -> Arc<Process> {
        if (process.uid, process.tid) == (header.uid, header.tid) {
            return process;
        }
        let mut now = Process::clone(&process);
        now.tid = header.tid;
        if now.uid != header.uid {
            now.uid = header.uid;
            now.user = self.user(header);
        }
        Arc::new(now)
    }

    fn event(
        &mut self,
        header: &Header,
        kind: EventKind,
        syscall: &'static str,
        process: Arc<Process>,
    ) -> Event {
        self.sequence += 1;
        Event {
            time_ns: Some(header.time + self.offset),
            sequence: self.sequence,
            kind,
            syscall,
            result: i64::from(header.result),
            process,
            file: None,
            socket: None,
            container: None,
            identity: Identity::Pending,
            cpu: u32::from(header.cpu),
            audit: None,
        }
    }

    fn name_of(&mut self, exec_id: u64) -> String {
        self.processes.get(exec_id).map(|process| process.name.clone()).unwrap_or_default()
    }

    /// Boot-time nanoseconds to epoch milliseconds.
    fn millis(&self, boot_ns: u64) -> i64 {
        i64::try_from((boot_ns + self.offset) / 1_000_000).unwrap_or(i64::MAX)
    }
}

/// From `/proc`, as much of them as an exec record holds.
fn arguments_of(pid: u32) -> Vec<String> {
    const LONGEST: u64 = 2_048;
    let mut bytes = Vec::new();
    // A process that has ended has none.
    let _gone = std::fs::File::open(format!("/proc/{pid}/cmdline"))
        .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    decode::arguments(&bytes)
}

/// Process number and user of the parent of `child` now, if its exec id is the one made from its start time: a child
/// whose parent has ended has another by then. Source: proc_pid_stat(5), fields 4 and 22; `state_of` of `bpf/maps.h`.
fn parent_of(child: u32, exec_id: u64) -> Option<(u32, u32)> {
    const TICK_NS: u64 = 10_000_000;
    let stat = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    // The name in parentheses may hold anything; the state, field 3, follows it.
    let field = |stat: &str, number: usize| -> Option<u64> {
        stat.rsplit_once(") ")?.1.split(' ').nth(number - 3)?.parse().ok()
    };
    let parent = u32::try_from(field(&stat(child)?, 4)?).ok()?;
    let started = field(&stat(parent)?, 22)?;
    let uid = std::fs::metadata(format!("/proc/{parent}")).ok()?.uid();
    (started == exec_id / TICK_NS).then_some((parent, uid))
}

/// Accounts of the host by number.
pub(super) fn users(root: &Path) -> HashMap<u32, String> {
    let text = std::fs::read_to_string(root.join("etc/passwd")).unwrap_or_default();
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        Some((fields.nth(1)?.parse().ok()?, name.to_owned()))
    };
    text.lines().filter_map(entry).collect()
}
