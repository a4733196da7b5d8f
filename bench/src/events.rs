//! Events as a busy node has them: web servers, shells of health checks, package managers; few of them suspect.
use crate::dice::Dice;
use seawall_model::event::{
    Container, Event, EventKind, File, Identity, NO_SYSCALL, Pod, Process, Protocol, Socket,
};
use seawall_model::image::ImageRef;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const PROGRAMS: [(&str, &str); 8] = [
    ("nginx", "/usr/sbin/nginx"),
    ("java", "/opt/java/bin/java"),
    ("sh", "/bin/sh"),
    ("curl", "/usr/bin/curl"),
    ("postgres", "/usr/lib/postgresql/15/bin/postgres"),
    ("cat", "/bin/cat"),
    ("python3", "/usr/bin/python3.11"),
    ("kubelet", "/usr/bin/kubelet"),
];
const FILES: [&str; 8] = [
    "/etc/ld.so.cache",
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/proc/self/stat",
    "/usr/share/nginx/html/index.html",
    "/var/lib/postgresql/15/main/base/1/1259",
    "/tmp/hsperfdata_app/1",
    "/etc/shadow",
    "/run/secrets/kubernetes.io/serviceaccount/token",
];
/// Ancestors of a process in a container: shim, init, entry point, worker.
const DEPTH: usize = 4;

/// The catalogue of detections as it ships.
pub fn catalogue() -> seawall_rules::RuleSet {
    let entries = seawall_content::detections();
    let files: Vec<_> = entries.iter().map(|entry| (entry.path, entry.text)).collect();
    seawall_rules::RuleSet::load(&files).0
}

/// `count` events of one kind.
pub fn events(kind: EventKind, count: usize) -> Vec<Event> {
    let mut dice = Dice::new();
    let container = Arc::new(container());
    (0..count as u64).map(|sequence| event(kind, sequence, &container, &mut dice)).collect()
}

fn event(kind: EventKind, sequence: u64, container: &Arc<Container>, dice: &mut Dice) -> Event {
    let (file, socket) = (file(dice), socket(dice));
    Event {
        time_ns: Some(1_795_473_451_540_000_000 + sequence * 1_000_000),
        sequence,
        kind,
        syscall: match kind {
            EventKind::Exec => "execve",
            EventKind::Open => "openat",
            EventKind::Connect => "connect",
            EventKind::Fork => "clone",
            EventKind::Exit => "procexit",
            EventKind::Audit => NO_SYSCALL,
        },
        result: 0,
        process: Arc::new(process(dice, DEPTH)),
        file: (kind == EventKind::Open).then_some(file),
        socket: (kind == EventKind::Connect).then_some(socket),
        container: Some(container.clone()),
        identity: Identity::Complete,
        cpu: 0,
        audit: None,
    }
}

fn process(dice: &mut Dice, depth: usize) -> Process {
    let (name, exe_path) = PROGRAMS[dice.roll(PROGRAMS.len())];
    let pid = 1_000 + dice.roll(30_000) as u32;
    Process {
        exec_id: u64::from(pid),
        pid,
        vpid: pid,
        tid: pid,
        session: pid,
        name: name.to_owned(),
        exe_path: exe_path.to_owned(),
        args: [name, "--config", "/etc/app/config.yaml", "-v"].map(str::to_owned).to_vec(),
        cwd: Some("/".to_owned()),
        user: Some("app".to_owned()),
        uid: 1_000,
        start: 1_795_473_000_000,
        ancestors: (0..depth).map(|_| Arc::new(process(dice, 0))).collect(),
        ..Process::default()
    }
}

fn file(dice: &mut Dice) -> File {
    let path = dice.pick(&FILES).to_owned();
    File { path, verified: true, flags: 0, mode: 0, inode: Some(5), fd: Some(3) }
}

fn socket(dice: &mut Dice) -> Socket {
    let remote = IpAddr::V4(Ipv4Addr::new(10, 0, dice.roll(4) as u8, dice.roll(250) as u8));
    let (local, local_port) = (None, None);
    Socket { protocol: Protocol::Tcp, local, local_port, remote, remote_port: 443, fd: Some(3) }
}

fn container() -> Container {
    Container {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        name: Some("app".to_owned()),
        image: Some(ImageRef {
            name: "registry.example/shop/web:1".to_owned(),
            ..ImageRef::default()
        }),
        privileged: Some(false),
        runtime: Some("containerd".to_owned()),
        start: Some(1_795_400_000_000),
        pod: Some(Pod {
            name: "web-1".to_owned(),
            namespace: "shop".to_owned(),
            uid: "u".to_owned(),
            labels: vec![("app".to_owned(), "web".to_owned())],
            workload: Some("Deployment/web".to_owned()),
        }),
        init_pid: Some(900),
    }
}

#[test]
fn some_events_fire_and_most_do_not() {
    let set = catalogue();
    let mut state = set.state();
    let events = events(EventKind::Open, 1_000);
    let fired = events.iter().filter(|event| !set.evaluate(*event, &mut state).is_empty()).count();
    assert!((1..300).contains(&fired), "{fired}");
}
