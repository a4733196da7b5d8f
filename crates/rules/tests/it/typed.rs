//! What fields give of a sensor's event, where Falco's meaning is not that of the record.
use super::rule_set;
use seawall_model::event::{Event, EventKind, Identity, Process, Stdio, Stream};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

fn event(kind: EventKind, syscall: &'static str, result: i64, process: Process) -> Event {
    Event {
        time_ns: None,
        sequence: 1,
        kind,
        syscall,
        result,
        process: Arc::new(process),
        file: None,
        socket: None,
        container: None,
        identity: Identity::Complete,
        cpu: 0,
        audit: None,
    }
}

fn exec(process: Process) -> Event {
    event(EventKind::Exec, "execve", 0, process)
}

#[track_caller]
fn check(event: &Event, rows: &[(&str, bool)]) {
    for (condition, expected) in rows {
        let set = rule_set(condition);
        let fired = set.evaluate(event, &mut set.state());
        assert_eq!(!fired.is_empty(), *expected, "{condition}");
    }
}

#[test]
fn an_exit_is_a_status_and_no_call() {
    let exit = |status| event(EventKind::Exit, "procexit", status, Process::default());
    check(
        &exit(256),
        &[
            ("evt.type = procexit and evt.arg.ret = 1", true),
            ("evt.type = procexit and evt.rawarg.ret > 0", true),
            ("evt.type = procexit and evt.arg.status = 256", true),
            ("evt.type = procexit and evt.arg.sig = 0", true),
            ("evt.type = procexit and evt.arg.core = 0", true),
            ("evt.type = procexit and evt.failed = true", false),
            ("evt.type = procexit and evt.failed = false", true),
            ("evt.type = procexit and evt.res exists", false),
            ("evt.type = procexit and evt.rawres >= 0", false),
            ("evt.type = procexit and evt.arg.res exists", false),
        ],
    );
    check(
        &exit(139),
        &[
            ("evt.type = procexit and evt.arg.sig = SIGSEGV", true),
            ("evt.type = procexit and evt.arg.core = 1", true),
            ("evt.type = procexit and evt.arg.ret = 0", true),
        ],
    );
    check(&exit(34), &[("evt.type = procexit and evt.arg.sig = 34", true)]);
}

#[test]
fn streams_have_falcos_types_and_our_ends() {
    let socket = |remote: Option<IpAddr>, outbound| Stream::Socket {
        outbound,
        remote,
        remote_port: None,
        inode: 1,
    };
    for (stream, falcos, ours) in [
        (socket(Some(Ipv4Addr::LOCALHOST.into()), Some(true)), Some("ipv4"), Some("socket")),
        (socket(Some(Ipv6Addr::LOCALHOST.into()), None), Some("ipv6"), Some("socket")),
        (socket(None, None), Some("unix"), Some("socket")),
        (socket(None, Some(true)), None, Some("socket")),
        (Stream::Pipe { inode: 1 }, Some("pipe"), Some("pipe")),
        (Stream::Fifo { inode: 1 }, Some("pipe"), Some("fifo")),
        (Stream::Terminal, Some("file"), Some("tty")),
        (Stream::Null, Some("file"), Some("null")),
        (Stream::File, Some("file"), Some("file")),
        (Stream::Closed, None, Some("closed")),
        (Stream::Unknown, None, None),
    ] {
        let streams = [stream.clone(), stream.clone(), stream];
        let event =
            exec(Process { stdio: Stdio { streams, ..Stdio::default() }, ..Process::default() });
        for name in ["stdin", "stdout", "stderr"] {
            for (field, value) in [("type", falcos), ("end", ours)] {
                let condition = match value {
                    Some(value) => format!("proc.{name}.{field} = {value}"),
                    None => format!("not proc.{name}.{field} exists"),
                };
                check(&event, &[(&condition, true)]);
            }
        }
    }
}

#[test]
fn a_process_is_told_as_falco_tells_it() {
    let args = ["sh", "-c", "id"].map(str::to_owned).to_vec();
    let parent = Process { args: vec!["run".to_owned(), "all".to_owned()], ..Process::default() };
    let process = Process {
        args,
        cwd: Some("/tmp".to_owned()),
        ancestors: vec![Arc::new(parent)],
        ..Process::default()
    };
    check(
        &exec(process),
        &[
            ("proc.cwd = /tmp/", true),
            ("proc.cwd = /tmp", false),
            ("evt.type = execve and evt.arg.cwd = /tmp/", true),
            ("proc.args = \"-c id\"", true),
            ("proc.args[0] = -c", true),
            ("proc.args[1] = id", true),
            ("proc.args[2] exists", false),
            ("proc.aargs[1] = all", true),
            ("proc.aargs contains al", true),
            ("user.loginuid = -1", true),
        ],
    );
    let root = Process { cwd: Some("/".to_owned()), login_uid: Some(1000), ..Process::default() };
    check(&exec(root), &[("proc.cwd = /", true), ("user.loginuid = 1000", true)]);
}
