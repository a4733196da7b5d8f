//! What this kernel lets the sensor see: found by loading, attaching and provoking an event, never by version.
use crate::config::Watch;
use crate::identity::{Hierarchy, hierarchy};
use crate::kernel::decode::{self, Body, Record};
use crate::kernel::load::{LISTING, Programs, Settings};
use seawall_model::asset::{Capability, CapabilityState};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// Why the sensor cannot run here, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum CannotRun {
    #[error(
        "the sensor needs root: run it as root, or as a pod with CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN and CAP_SYS_PTRACE"
    )]
    NotRoot,
    #[error(
        "kernel {0} carries no type information (/sys/kernel/btf/vmlinux): use a kernel of 5.8 or later built with CONFIG_DEBUG_INFO_BTF"
    )]
    NoBtf(String),
    #[error("the kernel refused the sensor's programs: {0}")]
    Refused(String),
    #[error("the sensor's thread could not start")]
    Thread(#[source] std::io::Error),
}

/// How long provoked events may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Loads everything, provokes one event of each kind, unloads. Takes about half a second.
pub fn probe() -> Result<Vec<Capability>, CannotRun> {
    require()?;
    let settings =
        Settings { own_tgid: 0, wanted: u32::MAX, budget: u32::MAX, watch: &Watch::default() };
    let mut programs =
        Programs::load(&settings).map_err(|error| CannotRun::Refused(chain(&error)))?;
    let provoked = Provoked::all();
    let seen = listen(&mut programs, &provoked);
    Ok(capabilities(&programs, &provoked, &seen))
}

pub(crate) fn require() -> Result<(), CannotRun> {
    if !rustix::process::geteuid().is_root() {
        return Err(CannotRun::NotRoot);
    }
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        return Err(CannotRun::NoBtf(release));
    }
    Ok(())
}

/// What was provoked on purpose; `None` where that was not possible.
struct Provoked {
    child: Option<u32>,
    opened: bool,
    port: Option<u16>,
}

impl Provoked {
    fn all() -> Self {
        let child = run_nothing().ok();
        // A write that changes nothing: the name of this thread stays what it is.
        let opened = std::fs::OpenOptions::new().write(true).open("/proc/self/comm").is_ok();
        // Connecting a datagram socket sends no packet.
        let port = UdpSocket::bind("127.0.0.1:0").ok().and_then(|server| {
            let address = server.local_addr().ok()?;
            UdpSocket::bind("127.0.0.1:0").ok()?.connect(address).ok()?;
            Some(address.port())
        });
        Self { child, opened, port }
    }
}

/// Runs a program and returns its PID.
fn run_nothing() -> std::io::Result<u32> {
    let mut child = std::process::Command::new("/proc/self/exe")
        .arg("--version")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()?;
    let pid = child.id();
    // Whether it knows the option does not matter: it was executed.
    child.kill()?;
    child.wait()?;
    Ok(pid)
}

#[derive(Default)]
struct Seen {
    fork: bool,
    exec: bool,
    exit: bool,
    open: bool,
    connect: bool,
}

fn listen(programs: &mut Programs, provoked: &Provoked) -> Seen {
    let mut seen = Seen::default();
    let begin = Instant::now();
    let own = std::process::id();
    while begin.elapsed() < PATIENCE {
        let mut note = |record: Record| {
            let tgid = record.header.tgid;
            let child = Some(tgid) == provoked.child;
            match record.body {
                Body::Fork => seen.fork |= child,
                Body::Exec(_) => seen.exec |= child,
                Body::Exit => seen.exit |= child,
                Body::Open(open) => seen.open |= tgid == own && open.path.ends_with("/comm"),
                Body::Connect(connect) => {
                    let to = match connect.socket {
                        decode::End::Inet(inet) => Some(inet.remote_port),
                        _ => None,
                    };
                    seen.connect |= tgid == own && to == provoked.port;
                }
                _ => {}
            }
        };
        while let Some(item) = programs.priority.next() {
            decode::record(&item).into_iter().for_each(&mut note);
        }
        while let Some(item) = programs.data.next() {
            decode::record(&item).into_iter().for_each(&mut note);
        }
        let all = seen.fork && seen.exec && seen.exit && seen.open && seen.connect;
        if all {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    seen
}

fn capabilities(programs: &Programs, provoked: &Provoked, seen: &Seen) -> Vec<Capability> {
    let refused = |name: &str| programs.refused.get(name).cloned();
    let child = provoked.child.is_some();
    let judged =
        |name: &str, program: &str, provoked: bool, seen: bool, lacking: Option<String>| {
            let (state, reason) = match (refused(program), provoked, seen) {
                (Some(reason), ..) => (CapabilityState::Absent, Some(reason)),
                (None, true, false) => {
                    (CapabilityState::Absent, Some("a provoked event did not arrive".to_owned()))
                }
                (None, false, _) => (
                    CapabilityState::Partial,
                    Some("attached; no event could be provoked".to_owned()),
                ),
                (None, true, true) if lacking.is_some() => (CapabilityState::Partial, lacking),
                (None, true, true) => (CapabilityState::Full, None),
            };
            let tier = (state != CapabilityState::Absent).then(|| "B".to_owned());
            Capability { name: name.to_owned(), state, tier, reason }
        };
    let directions =
        refused("on_tcp_state").map(|reason| format!("which side connected is unknown: {reason}"));
    let groups = ["on_cgroup_made", "on_cgroup_gone"].iter().find_map(|name| refused(name));
    let listing = refused(LISTING).or_else(foreign_pids);
    vec![
        judged("exec", "on_exec", child, seen.exec, None),
        judged("fork", "on_fork", child, seen.fork, None),
        judged("exit", "on_exit", child, seen.exit, None),
        judged("open", "on_syscall", provoked.opened, seen.open, None),
        judged("connect", "on_syscall", provoked.port.is_some(), seen.connect, directions),
        judged("existing_processes", LISTING, true, true, listing),
        containers(judged("containers", "on_cgroup_made", true, true, groups)),
        blind(
            "io_uring",
            "opens and connects that io_uring makes, and files opened by handle, are not seen",
        ),
        blind("sendto", "data sent to an address without connect is not seen"),
    ]
}

/// On version 1 alone the kernel tells no group that the sensor could see.
fn containers(judged: Capability) -> Capability {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    match hierarchy(&mounts) {
        Hierarchy::Legacy => blind(
            &judged.name,
            "no unified control group hierarchy is mounted: containers are taken for the host",
        ),
        Hierarchy::Unified(_) | Hierarchy::Hybrid(_) => judged,
    }
}

/// What no kernel lets this version see.
fn blind(name: &str, reason: &str) -> Capability {
    let (name, reason) = (name.to_owned(), Some(reason.to_owned()));
    Capability { name, state: CapabilityState::Absent, tier: None, reason }
}

/// Records carry PIDs of the machine; a sensor in a PID namespace of its own cannot look those up.
fn foreign_pids() -> Option<String> {
    /// `PROC_PID_INIT_INO` of `include/linux/proc_ns.h`.
    const INITIAL: &str = "pid:[4026531836]";
    let own = std::fs::read_link("/proc/self/ns/pid").ok()?;
    (own.as_os_str() != INITIAL).then(|| {
        "runs in a PID namespace of its own: set hostPID for arguments of running processes"
            .to_owned()
    })
}

/// The error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
