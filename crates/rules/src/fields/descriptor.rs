//! `fd.*` and `fs.path.*`: the file or connection that an open or connect is about.
use super::Field;
use super::event::{O_DIRECTORY, O_PATH};
use super::process::present;
use crate::value::{Quantity, Value};
use seawall_model::event::{Event, File, Protocol, Socket};
use std::net::IpAddr;

pub(super) static FIELDS: &[Field] = &[
    Field::number("fd.num", "The descriptor's number; -1 where the call failed.", |e, _| {
        let number = e.file.as_ref().map_or_else(|| e.socket.as_ref().and_then(|s| s.fd), |f| f.fd);
        Some(Value::Number(number?.into()))
    }),
    Field::text("fd.type", "file, directory, ipv4 or ipv6.", |e, _| Some(Value::text(types(e)?.0))),
    Field::text("fd.typechar", "f, d, 4 or 6.", |e, _| Some(Value::text(types(e)?.1))),
    Field::text("fd.name", "The file's path, or `local:port->remote:port`.", |e, _| {
        match (&e.file, &e.socket) {
            (Some(file), _) => present(&file.path),
            (None, Some(socket)) => Some(Value::owned(tuple(socket))),
            (None, None) => None,
        }
    })
    .costly(),
    Field::text("fd.nameraw", "The file's path.", |e, _| path(e)),
    Field::text("fd.directory", "The directory of the file.", |e, _| {
        Some(Value::text(split(e)?.0))
    }),
    Field::text("fd.filename", "The file's name without its directory.", |e, _| {
        present(split(e)?.1)
    }),
    Field::address("fd.ip", "Either address of the connection.", |e, _| addresses(e))
        .many(Quantity::Ends)
        .costly(),
    Field::address(
        "fd.net",
        "Either address of the connection, compared with networks.",
        |e, _| addresses(e),
    )
    .many(Quantity::Ends)
    .costly(),
    Field::address("fd.lip", "The local address.", |e, _| local(e)),
    Field::address("fd.rip", "The remote address.", |e, _| remote(e)),
    Field::address("fd.cip", "The client's address.", |e, _| local(e)),
    Field::address("fd.sip", "The server's address.", |e, _| remote(e)),
    Field::address("fd.lnet", "The local address, compared with networks.", |e, _| local(e)),
    Field::address("fd.rnet", "The remote address, compared with networks.", |e, _| remote(e)),
    Field::address("fd.cnet", "The client's address, compared with networks.", |e, _| local(e)),
    Field::address("fd.snet", "The server's address, compared with networks.", |e, _| remote(e)),
    Field::number("fd.port", "Either port of the connection.", |e, _| {
        let socket = e.socket.as_ref()?;
        let ports = socket.local_port.into_iter().chain([socket.remote_port]);
        Some(Value::Many(ports.map(|port| Value::Number(port.into())).collect()))
    })
    .many(Quantity::Ends)
    .costly(),
    Field::number("fd.lport", "The local port.", |e, _| local_port(e)),
    Field::number("fd.rport", "The remote port.", |e, _| remote_port(e)),
    Field::number("fd.cport", "The client's port.", |e, _| local_port(e)),
    Field::number("fd.sport", "The server's port.", |e, _| remote_port(e)),
    Field::text("fd.l4proto", "tcp or udp.", |e, _| match e.socket.as_ref()?.protocol {
        Protocol::Tcp => Some(Value::text("tcp")),
        Protocol::Udp => Some(Value::text("udp")),
        Protocol::Other => None,
    }),
    Field::text("fd.sockfamily", "ip.", |e, _| e.socket.as_ref().map(|_| Value::text("ip"))),
    Field::boolean(
        "fd.is_server",
        "Whether this side is the server: never, for a connect.",
        |e, _| e.socket.as_ref().map(|_| Value::Bool(false)),
    ),
    Field::boolean("fd.connected", "Whether the connection is established.", |e, _| {
        e.socket.as_ref().map(|_| Value::Bool(e.result >= 0))
    }),
    Field::number("fd.ino", "Inode of the file.", |e, _| {
        Some(Value::Number(e.file.as_ref()?.inode?.into()))
    }),
    Field::text("fs.path.name", "The path that the call is about.", |e, _| path(e)),
    Field::text("fs.path.nameraw", "The path that the call is about.", |e, _| path(e)),
];

fn path(event: &Event) -> Option<Value<'_>> {
    present(&event.file.as_ref()?.path)
}

fn types(event: &Event) -> Option<(&'static str, &'static str)> {
    match (&event.file, &event.socket) {
        (Some(File { flags, .. }), _) if flags & O_DIRECTORY != 0 && flags & O_PATH == 0 => {
            Some(("directory", "d"))
        }
        (Some(_), _) => Some(("file", "f")),
        (None, Some(Socket { remote: IpAddr::V4(_), .. })) => Some(("ipv4", "4")),
        (None, Some(_)) => Some(("ipv6", "6")),
        (None, None) => None,
    }
}

/// Directory and name; a path without `/` has the empty directory.
pub(crate) fn split_path(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => ("", path),
    }
}

fn split(event: &Event) -> Option<(&str, &str)> {
    event.file.as_ref().filter(|file| !file.path.is_empty()).map(|file| split_path(&file.path))
}

pub(super) fn tuple(socket: &Socket) -> String {
    let end = |address: Option<IpAddr>, port: Option<u16>| match (address, port) {
        (Some(address), Some(port)) => std::net::SocketAddr::new(address, port).to_string(),
        (Some(address), None) => address.to_string(),
        _ => String::new(),
    };
    let remote = end(Some(socket.remote), Some(socket.remote_port));
    format!("{}->{remote}", end(socket.local, socket.local_port))
}

fn addresses(event: &Event) -> Option<Value<'_>> {
    let socket = event.socket.as_ref()?;
    Some(Value::Many(socket.local.into_iter().chain([socket.remote]).map(Value::Address).collect()))
}

fn local(event: &Event) -> Option<Value<'_>> {
    Some(Value::Address(event.socket.as_ref()?.local?))
}

fn remote(event: &Event) -> Option<Value<'_>> {
    Some(Value::Address(event.socket.as_ref()?.remote))
}

fn local_port(event: &Event) -> Option<Value<'_>> {
    Some(Value::Number(event.socket.as_ref()?.local_port?.into()))
}

fn remote_port(event: &Event) -> Option<Value<'_>> {
    Some(Value::Number(event.socket.as_ref()?.remote_port.into()))
}
