//! `proc.*` and `thread.*`: the process that acted and its ancestors.
use super::{Argument, Field, names};
use crate::value::{Quantity, Value};
use seawall_model::event::{Event, Process, Stream};
use std::net::IpAddr;

pub(super) static FIELDS: &[Field] = &[
    Field::text(
        "proc.name",
        "The kernel's name of the process (comm, at most 15 bytes).",
        |e, _| present(&e.process.name),
    ),
    Field::text("proc.pname", "proc.name of the parent.", |e, _| present(&parent(e)?.name)),
    Field::text(
        "proc.aname",
        "proc.name of an ancestor: [1] is the parent; without index any ancestor.",
        |e, a| ancestors(e, a, |p| present(&p.name)),
    )
    .ancestor(),
    Field::text("proc.exe", "The zeroth argument, as the caller chose it.", |e, _| exe(&e.process)),
    Field::text("proc.pexe", "proc.exe of the parent.", |e, _| exe(parent(e)?)),
    Field::text("proc.aexe", "proc.exe of an ancestor.", |e, a| ancestors(e, a, exe)).ancestor(),
    Field::text("proc.exepath", "Resolved path of the executable.", |e, _| {
        present(&e.process.exe_path)
    }),
    Field::text("proc.pexepath", "proc.exepath of the parent.", |e, _| {
        present(&parent(e)?.exe_path)
    }),
    Field::text("proc.aexepath", "proc.exepath of an ancestor.", |e, a| {
        ancestors(e, a, |p| present(&p.exe_path))
    })
    .ancestor(),
    Field::text(
        "proc.args",
        "The arguments after the zeroth, joined by blanks, or one of them: [0] is the first; secrets are masked.",
        |e, a| match a {
            Argument::Index(index) => present(e.process.args.get(index.checked_add(1)?)?),
            _ => args(&e.process),
        },
    )
    .indexed(),
    Field::text("proc.aargs", "proc.args of an ancestor.", |e, a| ancestors(e, a, args))
        .ancestor(),
    Field::text("proc.cmdline", "proc.name and proc.args.", |e, _| cmdline(&e.process)).costly(),
    Field::text("proc.pcmdline", "proc.cmdline of the parent.", |e, _| cmdline(parent(e)?))
        .costly(),
    Field::text("proc.acmdline", "proc.cmdline of an ancestor.", |e, a| ancestors(e, a, cmdline))
        .ancestor(),
    Field::text("proc.exeline", "proc.exe and proc.args.", |e, _| {
        (!e.process.args.is_empty()).then(|| Value::owned(e.process.args.join(" ")))
    })
    .costly(),
    Field::number("proc.cmdnargs", "Number of arguments after the zeroth.", |e, _| {
        Some(Value::Number(e.process.args.len().saturating_sub(1) as i128))
    }),
    Field::number("proc.cmdlenargs", "Characters of the arguments after the zeroth.", |e, _| {
        let length: usize = e.process.args.iter().skip(1).map(|arg| arg.chars().count()).sum();
        Some(Value::Number(length as i128))
    }),
    Field::text("proc.cwd", "Current working directory, with a slash at its end.", |e, _| {
        cwd(&e.process)
    })
    .costly(),
    Field::number("proc.tty", "1 with a controlling terminal, else 0.", |e, _| {
        Some(Value::Number(i128::from(e.process.tty)))
    }),
    Field::number("proc.pid", "Process id.", |e, _| number(e.process.pid)),
    Field::number("proc.ppid", "Process id of the parent.", |e, _| number(e.process.parent_pid)),
    Field::number("proc.apid", "Process id of an ancestor.", |e, a| {
        ancestors(e, a, |p| number(p.pid))
    })
    .ancestor(),
    Field::number("proc.vpid", "Process id inside the container.", |e, _| number(e.process.vpid)),
    Field::number("proc.pvpid", "Parent's process id inside the container.", |e, _| {
        number(parent(e)?.vpid)
    }),
    Field::number("proc.sid", "Session id.", |e, _| number(e.process.session)),
    Field::text("proc.sname", "proc.name of the session's leader.", |e, _| {
        present(&leader(e)?.name)
    }),
    Field::text("proc.sid.exe", "proc.exe of the session's leader.", |e, _| exe(leader(e)?)),
    Field::text("proc.sid.exepath", "proc.exepath of the session's leader.", |e, _| {
        present(&leader(e)?.exe_path)
    }),
    Field::boolean("proc.is_sid_leader", "Whether the process leads its session.", |e, _| {
        Some(Value::Bool(e.process.session == e.process.pid))
    }),
    Field::number("proc.duration", "Nanoseconds since the exec.", |e, _| since(e, &e.process)),
    Field::number("proc.ppid.duration", "Nanoseconds since the parent's exec.", |e, _| {
        since(e, parent(e)?)
    }),
    Field::number("proc.pid.ts", "Epoch nanoseconds of the exec.", |e, _| start(&e.process)),
    Field::number("proc.ppid.ts", "Epoch nanoseconds of the parent's exec.", |e, _| {
        start(parent(e)?)
    }),
    Field::boolean(
        "proc.is_exe_upper_layer",
        "Whether the executable lies in the writable overlay layer.",
        |e, _| e.process.exe.upper_layer.map(Value::Bool),
    ),
    Field::boolean(
        "proc.is_exe_from_memfd",
        "Whether the executable lives only in memory.",
        |e, _| e.process.exe.memory_only.map(Value::Bool),
    ),
    Field::boolean(
        "proc.is_drifted",
        "Whether the executable was not in the image or was changed. Ours.",
        |e, _| e.process.exe.drifted.map(Value::Bool),
    ),
    Field::number("proc.exe_ino", "Inode of the executable.", |e, _| {
        (e.process.exe.inode != 0).then(|| Value::Number(e.process.exe.inode.into()))
    }),
    Field::number(
        "proc.exe_ino.ctime",
        "Epoch nanoseconds of the executable's last inode change.",
        |e, _| Some(Value::Number(e.process.exe.changed_ns?.into())),
    ),
    Field::number(
        "proc.exe_ino.ctime_duration_proc_start",
        "Nanoseconds from that change to the exec.",
        |e, _| {
            let changed = i128::from(e.process.exe.changed_ns?);
            Some(Value::Number(i128::from(e.process.start) * 1_000_000 - changed))
        },
    ),
    Field::text(
        "proc.stdin.type",
        "Type of standard input as Falco names it: file pipe ipv4 ipv6 unix.",
        |e, _| falco_type(e, 0),
    ),
    Field::text("proc.stdout.type", "Type of standard output as Falco names it.", |e, _| {
        falco_type(e, 1)
    }),
    Field::text("proc.stderr.type", "Type of standard error as Falco names it.", |e, _| {
        falco_type(e, 2)
    }),
    Field::text(
        "proc.stdin.end",
        "Where standard input leads: socket pipe fifo tty file null closed. Ours.",
        |e, _| stream_end(e, 0),
    ),
    Field::text("proc.stdout.end", "Where standard output leads. Ours.", |e, _| stream_end(e, 1)),
    Field::text("proc.stderr.end", "Where standard error leads. Ours.", |e, _| stream_end(e, 2)),
    Field::boolean(
        "proc.stdin.outbound",
        "Whether standard input is a connection this side opened. Ours.",
        |e, _| outbound(e, 0),
    ),
    Field::boolean(
        "proc.stdout.outbound",
        "Whether standard output is a connection this side opened. Ours.",
        |e, _| outbound(e, 1),
    ),
    Field::boolean(
        "proc.stderr.outbound",
        "Whether standard error is a connection this side opened. Ours.",
        |e, _| outbound(e, 2),
    ),
    Field::boolean(
        "proc.stdio.remote",
        "Whether input comes from and output goes to an outbound connection, also over pipes or a terminal. Ours.",
        |e, _| e.process.stdio.remote.map(Value::Bool),
    ),
    Field::boolean(
        "proc.stdio.loop",
        "Whether output leads back to input through other processes. Ours.",
        |e, _| Some(Value::Bool(e.process.stdio.loops)),
    ),
    Field::text(
        "proc.stdio.peers",
        "Names of the processes at the other ends of its pipes. Ours.",
        |e, _| {
            let peers = &e.process.stdio.peers;
            (!peers.is_empty())
                .then(|| Value::Many(peers.iter().map(|peer| Value::text(peer)).collect()))
        },
    )
    .many(Quantity::List)
    .costly(),
    Field::text(
        "proc.stdio.route",
        "How proc.stdio.remote was decided, for people. Ours.",
        |e, _| present(e.process.stdio.route.as_deref()?),
    ),
    Field::text("thread.cap_permitted", "Permitted capabilities, by name.", |e, _| {
        capabilities(e, 1)
    })
    .costly(),
    Field::text("thread.cap_inheritable", "Inheritable capabilities, by name.", |e, _| {
        capabilities(e, 2)
    })
    .costly(),
    Field::text("thread.cap_effective", "Effective capabilities, by name.", |e, _| {
        capabilities(e, 0)
    })
    .costly(),
    Field::number("thread.tid", "Thread id.", |e, _| number(e.process.tid)),
    Field::boolean("thread.ismain", "Whether the thread is the process's first.", |e, _| {
        Some(Value::Bool(e.process.tid == e.process.pid))
    }),
];

pub(super) fn present(text: &str) -> Option<Value<'_>> {
    (!text.is_empty()).then(|| Value::text(text))
}

fn number<'e>(value: u32) -> Option<Value<'e>> {
    Some(Value::Number(value.into()))
}

fn parent(event: &Event) -> Option<&Process> {
    event.process.ancestors.first().map(|process| process.as_ref())
}

fn ancestors<'e>(
    event: &'e Event,
    argument: &Argument,
    value: fn(&'e Process) -> Option<Value<'e>>,
) -> Option<Value<'e>> {
    match argument {
        Argument::Index(0) => value(&event.process),
        Argument::Index(index) => value(event.process.ancestors.get(index - 1)?),
        _ => {
            let values: Vec<_> =
                event.process.ancestors.iter().filter_map(|process| value(process)).collect();
            (!values.is_empty()).then_some(Value::Many(values))
        }
    }
}

fn exe(process: &Process) -> Option<Value<'_>> {
    present(process.args.first()?)
}

/// Falco ends it with a slash, and rules compare it so.
pub(super) fn cwd(process: &Process) -> Option<Value<'_>> {
    match process.cwd.as_deref()? {
        "" => None,
        path if path.ends_with('/') => Some(Value::text(path)),
        path => Some(Value::owned(format!("{path}/"))),
    }
}

fn args(process: &Process) -> Option<Value<'_>> {
    match process.args.get(1..)? {
        [] => None,
        [one] => present(one),
        many => Some(Value::owned(many.join(" "))),
    }
}

fn cmdline(process: &Process) -> Option<Value<'_>> {
    let rest = process.args.get(1..).unwrap_or_default();
    if rest.is_empty() {
        return present(&process.name);
    }
    Some(Value::owned(format!("{} {}", process.name, rest.join(" "))))
}

/// The process whose id is the session's, else the eldest known one of the session.
fn leader(event: &Event) -> Option<&Process> {
    let session = event.process.session;
    let line = || {
        std::iter::once(&event.process)
            .chain(&event.process.ancestors)
            .map(|process| process.as_ref())
    };
    line()
        .find(|process| process.pid == session)
        .or_else(|| line().rfind(|process| process.session == session))
}

/// Epoch nanoseconds; a start of 0 is one the sensor did not see.
fn start<'e>(process: &Process) -> Option<Value<'e>> {
    (process.start > 0).then(|| Value::Number(i128::from(process.start) * 1_000_000))
}

fn since<'e>(event: &Event, process: &Process) -> Option<Value<'e>> {
    let Value::Number(start) = start(process)? else { return None };
    Some(Value::Number((i128::from(event.time_ns?) - start).max(0)))
}

fn stream_end(event: &Event, index: usize) -> Option<Value<'_>> {
    event.process.stdio.streams[index].type_name().map(Value::text)
}

/// Terminals and `/dev/null` are character devices, which Falco counts as files; a named pipe is a pipe.
/// Source: libs `userspace/libsinsp/fdinfo.cpp`, `get_typestring`.
fn falco_type(event: &Event, index: usize) -> Option<Value<'_>> {
    Some(Value::text(match &event.process.stdio.streams[index] {
        Stream::Socket { remote: Some(IpAddr::V4(_)), .. } => "ipv4",
        Stream::Socket { remote: Some(IpAddr::V6(_)), .. } => "ipv6",
        Stream::Socket { outbound: None, .. } => "unix",
        Stream::Pipe { .. } | Stream::Fifo { .. } => "pipe",
        Stream::Terminal | Stream::File | Stream::Null => "file",
        // A connection whose peer was not seen has a family that is not known either.
        Stream::Socket { outbound: Some(_), .. } | Stream::Closed | Stream::Unknown => return None,
    }))
}

fn outbound(event: &Event, index: usize) -> Option<Value<'_>> {
    match event.process.stdio.streams[index] {
        Stream::Socket { outbound, .. } => outbound.map(Value::Bool),
        _ => None,
    }
}

fn capabilities(event: &Event, set: usize) -> Option<Value<'_>> {
    let bits = event.process.capabilities[set];
    let names: Vec<&str> = names::CAPABILITIES
        .iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0)
        .map(|(_, name)| *name)
        .collect();
    (!names.is_empty()).then(|| Value::owned(names.join(" ")))
}
