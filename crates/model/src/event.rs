//! What a node's kernel reported, one self-contained record with the process, its ancestors and its container; or what
//! an API server's audit log did.
//!
//! The sensor makes the former, the agent the latter; `rules` reads both by Falco's field names. An absent value is `None`: a rule that
//! compares it is false, never a guess.
use crate::audit::AuditEvent;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

/// One event. Of a request to an API server only time, kind and `audit` say anything.
#[derive(Clone, Debug)]
pub struct Event {
    /// Epoch nanoseconds, UTC.
    pub time_ns: Option<u64>,
    /// Counts the records of one sensor run; a hole is a drop.
    pub sequence: u64,
    pub kind: EventKind,
    /// The real system call, such as `execve`, `openat` or `connect`; Falco's `evt.type`. Its word for everything but
    /// system calls is [`NO_SYSCALL`].
    pub syscall: &'static str,
    /// The system call's return value: at least 0 where it succeeded, else a negative errno.
    pub result: i64,
    pub process: Arc<Process>,
    /// The file opened; on exec events the executable is in [`Process`].
    pub file: Option<File>,
    pub socket: Option<Socket>,
    /// `None` for a process of the host.
    pub container: Option<Arc<Container>>,
    pub identity: Identity,
    pub cpu: u32,
    /// On [`EventKind::Audit`] alone.
    pub audit: Option<Arc<AuditEvent>>,
}

/// Falco's `evt.type` of events that plugins bring.
pub const NO_SYSCALL: &str = "pluginevent";

/// The process of an event that no process of ours caused.
static NOBODY: LazyLock<Arc<Process>> = LazyLock::new(Arc::default);

impl Event {
    /// One record of an audit log, the `sequence`th.
    pub fn of_audit(audit: Arc<AuditEvent>, sequence: u64) -> Self {
        Self {
            time_ns: audit.time_ns,
            sequence,
            kind: EventKind::Audit,
            syscall: NO_SYSCALL,
            result: 0,
            process: NOBODY.clone(),
            file: None,
            socket: None,
            container: None,
            identity: Identity::Complete,
            cpu: 0,
            audit: Some(audit),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    Exec,
    Fork,
    Exit,
    Open,
    Connect,
    /// A request to an API server.
    Audit,
}

/// How much of "which container" is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Container (and pod, where there is one) with image, or a host process.
    Complete,
    /// The container is known, its image or pod could not be found.
    Partial,
    /// The runtime had not answered within the waiting time.
    Pending,
}

/// One program image: fork copies it, exec replaces it. Strings are lossy UTF-8 with secrets masked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Unique per boot, so that a reused PID is another process.
    pub exec_id: u64,
    pub pid: u32,
    /// The PID inside the container's own namespace.
    pub vpid: u32,
    pub tid: u32,
    pub parent_pid: u32,
    pub session: u32,
    /// The kernel's `comm`, at most 15 bytes.
    pub name: String,
    /// Resolved path of the executable; Falco's `proc.exepath`.
    pub exe_path: String,
    /// `argv`, the zeroth element included.
    pub args: Vec<String>,
    pub cwd: Option<String>,
    pub uid: u32,
    pub gid: u32,
    pub user: Option<String>,
    pub login_uid: Option<u32>,
    /// Whether it has a controlling terminal.
    pub tty: bool,
    /// Epoch milliseconds of the exec.
    pub start: i64,
    pub exe: Executable,
    pub stdio: Stdio,
    /// Effective, permitted, inheritable capability bits.
    pub capabilities: [u64; 3],
    /// Nearest ancestor first, at most [`MAX_ANCESTORS`]; those inside and outside of the container alike.
    #[serde(skip)]
    pub ancestors: Vec<Arc<Process>>,
}

/// Deep enough for `kubectl exec` → shell → script → tool chains; bounds every record.
pub const MAX_ANCESTORS: usize = 16;

/// What the kernel says about the file that was executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executable {
    pub inode: u64,
    /// The file lies in the container's writable overlay layer.
    pub upper_layer: Option<bool>,
    /// It was not in the image, or its content differs from the image's; a metadata-only copy-up is not drift.
    /// `None` where neither overlayfs nor the image's file table can decide.
    pub drifted: Option<bool>,
    /// It lives only in memory: a memfd.
    pub memory_only: Option<bool>,
    /// Its inode changed at (epoch nanoseconds); Falco's `proc.exe_ino.ctime`.
    pub changed_ns: Option<u64>,
}

/// Where the standard streams lead at the time of the event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stdio {
    /// Standard input, output, error.
    pub streams: [Stream; 3],
    /// Input comes from and output goes to an *outbound* connection, directly or over pipes, FIFOs or a terminal
    /// that a process with such streams drives. `None` where a stream could not be followed.
    pub remote: Option<bool>,
    /// Its output leads back to its own input through the pipes of other processes.
    pub loops: bool,
    /// Names of the processes at the other ends of its pipes.
    pub peers: Vec<String>,
    /// How `remote` was decided, for people: `stdin ← fifo ← nc → 203.0.113.9:4444`.
    pub route: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Stream {
    Socket {
        /// True where this side called connect, false where it accepted, `None` for a Unix socket or when unseen.
        outbound: Option<bool>,
        remote: Option<IpAddr>,
        remote_port: Option<u16>,
        inode: u64,
    },
    Pipe {
        inode: u64,
    },
    /// A named pipe.
    Fifo {
        inode: u64,
    },
    Terminal,
    File,
    Null,
    Closed,
    #[default]
    Unknown,
}

impl Stream {
    /// Lower-case word for the field `proc.stdin.end` and its siblings; `None` when unknown.
    pub fn type_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Socket { .. } => "socket",
            Self::Pipe { .. } => "pipe",
            Self::Fifo { .. } => "fifo",
            Self::Terminal => "tty",
            Self::File => "file",
            Self::Null => "null",
            Self::Closed => "closed",
            Self::Unknown => return None,
        })
    }
}

/// The object of an open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// From the kernel's file where `verified`, else the caller's argument.
    pub path: String,
    pub verified: bool,
    /// `open(2)` flags, and `mode` where the call creates.
    pub flags: u32,
    pub mode: u32,
    pub inode: Option<u64>,
    pub fd: Option<i32>,
}

/// The object of a connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    pub protocol: Protocol,
    pub local: Option<IpAddr>,
    pub local_port: Option<u16>,
    pub remote: IpAddr,
    pub remote_port: u16,
    pub fd: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
    Other,
}

/// What a cgroup resolved to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The full id; Falco's `container.id` is its first 12 characters.
    pub id: String,
    /// The name in the pod spec, or the runtime's name.
    pub name: Option<String>,
    pub image: Option<crate::image::ImageRef>,
    pub privileged: Option<bool>,
    pub runtime: Option<String>,
    pub start: Option<i64>,
    pub pod: Option<Pod>,
    /// PID of the container's first process on the host.
    pub init_pid: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub labels: Vec<(String, String)>,
    /// `Deployment/web` once the owner is known.
    pub workload: Option<String>,
}
