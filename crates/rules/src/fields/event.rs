//! `evt.*`: the system call itself, its result, time and arguments.
use super::descriptor::tuple;
use super::process::{cwd, present};
use super::{Argument, Field, names};
use crate::clock;
use crate::value::Value;
use seawall_model::event::{Event, EventKind};

// open(2) flags of x86-64 and arm64's generic values where both agree.
const O_ACCMODE: u32 = 0o3;
const O_WRONLY: u32 = 0o1;
const O_RDWR: u32 = 0o2;
const O_CREAT: u32 = 0o100;
#[cfg(target_arch = "aarch64")]
pub(super) const O_DIRECTORY: u32 = 0o40_000;
#[cfg(not(target_arch = "aarch64"))]
pub(super) const O_DIRECTORY: u32 = 0o200_000;
pub(super) const O_PATH: u32 = 0o10_000_000;
const O_TMPFILE: u32 = 0o20_000_000;

/// Flag names in the order that Falco prints them.
const OPEN_FLAGS: &[(&str, u32)] = &[
    ("O_APPEND", 0o2_000),
    ("O_CREAT", O_CREAT),
    ("O_EXCL", 0o200),
    ("O_NONBLOCK", 0o4_000),
    ("O_SYNC", 0o4_000_000),
    ("O_TRUNC", 0o1_000),
    ("O_DIRECTORY", O_DIRECTORY),
    ("O_CLOEXEC", 0o2_000_000),
    ("O_PATH", O_PATH),
    ("O_TMPFILE", O_TMPFILE),
];

pub(super) static FIELDS: &[Field] = &[
    Field::number("evt.num", "Number of the record since the sensor's start.", |e, _| {
        Some(Value::Number(e.sequence.into()))
    })
    .of_all(),
    Field::text(
        "evt.type",
        "The system call; `pluginevent` of a request to an API server.",
        |e, _| Some(Value::text(e.syscall)),
    )
    .of_all(),
    Field::text("syscall.type", "The system call.", |e, _| {
        (e.syscall != "procexit").then(|| Value::text(e.syscall))
    }),
    Field::text("evt.dir", "Always `<`: events are reported when the call returns.", |_, _| {
        Some(Value::text("<"))
    }),
    Field::text("evt.source", "The event source.", |e, _| {
        Some(Value::text(crate::event_view::EventView::source(e)))
    })
    .of_all(),
    Field::text("evt.category", "process, file or net.", |e, _| {
        Some(Value::text(match e.kind {
            EventKind::Exec | EventKind::Fork | EventKind::Exit => "process",
            EventKind::Open => "file",
            EventKind::Connect => "net",
            EventKind::Audit => return None,
        }))
    }),
    Field::text("evt.time", "Time of day, UTC, with nanoseconds.", |e, _| {
        Some(Value::owned(clock::rfc3339(e.time_ns?)[11..29].to_owned()))
    })
    .of_all()
    .costly(),
    Field::text("evt.time.s", "Time of day, UTC.", |e, _| {
        Some(Value::owned(clock::rfc3339(e.time_ns?)[11..19].to_owned()))
    })
    .of_all()
    .costly(),
    Field::text("evt.time.iso8601", "Date and time, UTC, with nanoseconds.", |e, _| {
        Some(Value::owned(clock::rfc3339(e.time_ns?)))
    })
    .of_all()
    .costly(),
    Field::text("evt.datetime", "Date and time, UTC, with nanoseconds.", |e, _| {
        Some(Value::owned(clock::rfc3339(e.time_ns?)[..29].replace('T', " ")))
    })
    .of_all()
    .costly(),
    Field::text("evt.datetime.s", "Date and time, UTC.", |e, _| {
        Some(Value::owned(clock::rfc3339(e.time_ns?)[..19].replace('T', " ")))
    })
    .of_all()
    .costly(),
    Field::number("evt.rawtime", "Epoch nanoseconds.", |e, _| {
        Some(Value::Number(e.time_ns?.into()))
    })
    .of_all(),
    Field::number("evt.rawtime.s", "Epoch seconds.", |e, _| {
        Some(Value::Number((e.time_ns? / clock::SECOND).into()))
    })
    .of_all(),
    Field::number("evt.rawtime.ns", "Nanoseconds within the second.", |e, _| {
        Some(Value::Number((e.time_ns? % clock::SECOND).into()))
    })
    .of_all(),
    Field::number("evt.cpu", "The processor that ran the call.", |e, _| {
        Some(Value::Number(e.cpu.into()))
    }),
    Field::text("evt.res", "SUCCESS or the name of the error.", |e, _| returned(e).map(result)),
    Field::number("evt.rawres", "The return value.", |e, _| {
        returned(e).map(|value| Value::Number(value.into()))
    }),
    Field::boolean("evt.failed", "Whether the call returned an error.", |e, _| {
        Some(Value::Bool(returned(e).is_some_and(|value| value < 0)))
    }),
    Field::boolean("evt.is_async", "Never: our events are calls.", |_, _| Some(Value::Bool(false))),
    Field::boolean("evt.is_io", "Never: reads and writes are not collected.", |_, _| {
        Some(Value::Bool(false))
    }),
    Field::boolean("evt.is_io_read", "Never: reads are not collected.", |_, _| {
        Some(Value::Bool(false))
    }),
    Field::boolean("evt.is_io_write", "Never: writes are not collected.", |_, _| {
        Some(Value::Bool(false))
    }),
    Field::boolean("evt.is_wait", "Never: waiting calls are not collected.", |_, _| {
        Some(Value::Bool(false))
    }),
    Field::boolean("evt.is_open_read", "Whether an open was for reading.", |e, _| {
        open_flags(e).map(|flags| Value::Bool(flags & O_PATH == 0 && flags & O_ACCMODE != O_WRONLY))
    }),
    Field::boolean("evt.is_open_write", "Whether an open was for writing.", |e, _| {
        open_flags(e)
            .map(|flags| Value::Bool(flags & O_PATH == 0 && flags & (O_WRONLY | O_RDWR) != 0))
    }),
    Field::boolean(
        "evt.is_open_exec",
        "Whether an open may create a file that is executable.",
        |e, _| {
            let creates = open_flags(e)? & (O_CREAT | O_TMPFILE) != 0 || e.syscall == "creat";
            Some(Value::Bool(creates && e.file.as_ref()?.mode & 0o111 != 0))
        },
    ),
    Field::boolean("evt.is_open_create", "Whether an open may create a file.", |e, _| {
        Some(Value::Bool(open_flags(e)? & (O_CREAT | O_TMPFILE) != 0 || e.syscall == "creat"))
    }),
    Field::text("evt.arg", "One argument of the call, by name.", argument).keyed().costly(),
    Field::text("evt.rawarg", "One argument of the call, by name.", argument).keyed().costly(),
    Field::text("evt.args", "All arguments of the call.", |e, _| arguments(e)).costly(),
    Field::text("evt.info", "All arguments of the call.", |e, _| arguments(e)).costly(),
];

/// Names that [`argument`] knows, for recordings.
pub(crate) const ARGUMENTS: &[&str] = &[
    "res", "fd", "name", "flags", "mode", "addr", "tuple", "exe", "filename", "args", "comm",
    "cwd", "tid", "pid", "ptid", "uid", "status", "ret", "sig", "core",
];

/// What the call returned; the end of a process is no call.
fn returned(event: &Event) -> Option<i64> {
    (event.kind != EventKind::Exit).then_some(event.result)
}

fn open_flags(event: &Event) -> Option<u32> {
    (event.kind == EventKind::Open).then_some(event.file.as_ref()?.flags)
}

fn result(result: i64) -> Value<'static> {
    if result >= 0 {
        return Value::text("SUCCESS");
    }
    let number = result.unsigned_abs();
    match names::ERRORS.iter().find(|(code, _)| u64::from(*code) == number) {
        Some((_, name)) => Value::text(name),
        None => Value::owned(format!("E{number}")),
    }
}

fn argument<'e>(event: &'e Event, argument: &Argument) -> Option<Value<'e>> {
    let Argument::Key(name) = argument else { return None };
    if event.kind == EventKind::Exit {
        return exit_argument(event.result, name);
    }
    let number = |value: u32| Some(Value::owned(value.to_string()));
    match (event.kind, name.as_str()) {
        (_, "res") => Some(result(event.result)),
        (EventKind::Open, "name") => present(&event.file.as_ref()?.path),
        (EventKind::Open, "flags") => Some(Value::owned(flag_names(event.file.as_ref()?.flags))),
        (EventKind::Open, "mode") => {
            Some(Value::owned(format!("0{:o}", event.file.as_ref()?.mode)))
        }
        (EventKind::Open, "fd") => Some(Value::owned(event.file.as_ref()?.fd?.to_string())),
        (EventKind::Connect, "fd") => Some(Value::owned(event.socket.as_ref()?.fd?.to_string())),
        (EventKind::Connect, "tuple") => Some(Value::owned(tuple(event.socket.as_ref()?))),
        (EventKind::Connect, "addr") => {
            let socket = event.socket.as_ref()?;
            Some(Value::owned(
                std::net::SocketAddr::new(socket.remote, socket.remote_port).to_string(),
            ))
        }
        (EventKind::Exec, "exe") => present(event.process.args.first()?),
        (EventKind::Exec, "filename") => present(&event.process.exe_path),
        (EventKind::Exec, "args") => Some(Value::owned(event.process.args.get(1..)?.join(" "))),
        (EventKind::Exec, "comm") => present(&event.process.name),
        (EventKind::Exec, "cwd") => cwd(&event.process),
        (EventKind::Exec, "flags") => exec_flags(event),
        (EventKind::Exec | EventKind::Fork, "tid") => number(event.process.tid),
        (EventKind::Exec | EventKind::Fork, "pid") => number(event.process.pid),
        (EventKind::Exec | EventKind::Fork, "ptid") => number(event.process.parent_pid),
        (EventKind::Exec | EventKind::Fork, "uid") => number(event.process.uid),
        _ => None,
    }
}

/// Parts of a wait status: what exit(2) was given, or the signal that ended the process.
/// Sources: wait(2), libs `driver/event_table.c`, `procexit`.
fn exit_argument(status: i64, name: &str) -> Option<Value<'static>> {
    let signal = status & 0x7f;
    let part = match name {
        "status" => status,
        "ret" => (status >> 8) & 0xff,
        "core" => (status >> 7) & 1,
        "sig" if signal == 0 => 0,
        "sig" => return Some(signal_name(signal)),
        _ => return None,
    };
    Some(Value::owned(part.to_string()))
}

fn signal_name(number: i64) -> Value<'static> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match index.and_then(|index| names::SIGNALS.get(index)) {
        Some(name) => Value::text(name),
        None => Value::owned(number.to_string()),
    }
}

fn flag_names(flags: u32) -> String {
    let access = match flags & O_ACCMODE {
        O_WRONLY => "O_WRONLY",
        O_RDWR => "O_RDWR",
        _ => "O_RDONLY",
    };
    let set = OPEN_FLAGS.iter().filter(|(_, bits)| flags & bits == *bits).map(|(name, _)| *name);
    set.chain([access]).collect::<Vec<_>>().join("|")
}

fn exec_flags(event: &Event) -> Option<Value<'_>> {
    let exe = &event.process.exe;
    let flags = [("EXE_UPPER_LAYER", exe.upper_layer), ("EXE_FROM_MEMFD", exe.memory_only)];
    let set: Vec<&str> =
        flags.iter().filter(|(_, on)| *on == Some(true)).map(|(name, _)| *name).collect();
    (!set.is_empty()).then(|| Value::owned(set.join("|")))
}

fn arguments(event: &Event) -> Option<Value<'_>> {
    let names: &[&str] = match event.kind {
        EventKind::Open => &["fd", "name", "flags", "mode"],
        EventKind::Connect => &["res", "fd", "addr"],
        EventKind::Exec => {
            &["res", "exe", "args", "tid", "pid", "ptid", "cwd", "comm", "flags", "uid"]
        }
        EventKind::Fork => &["res", "tid", "pid", "ptid", "uid"],
        EventKind::Exit => &["status", "ret", "sig", "core"],
        EventKind::Audit => &[],
    };
    let pairs: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let value = argument(event, &Argument::Key((*name).to_owned()))?;
            Some(format!("{name}={}", value.render()))
        })
        .collect();
    (!pairs.is_empty()).then(|| Value::owned(pairs.join(" ")))
}
