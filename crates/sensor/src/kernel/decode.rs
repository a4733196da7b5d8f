//! Bytes of a ring to values. The layout is `bpf/record.h`; whatever does not fit it is an error, never a panic.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `struct header`: who did it, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) truncated: bool,
    pub(crate) cpu: u16,
    /// Boot-time clock, nanoseconds.
    pub(crate) time: u64,
    pub(crate) exec_id: u64,
    /// 0 where the parent is unknown.
    pub(crate) parent_exec_id: u64,
    pub(crate) cgroup: u64,
    pub(crate) tgid: u32,
    pub(crate) tid: u32,
    pub(crate) uid: u32,
    pub(crate) vtgid: u32,
    pub(crate) result: i32,
    pub(crate) sequence: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) header: Header,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Exec(Box<Image>),
    /// A process that ran before the sensor; its arguments are not included.
    State(Box<Image>),
    Fork,
    Exit,
    Open(Open),
    Connect(Box<Connect>),
    Channel {
        end: End,
        flags: u32,
    },
    Cgroup {
        path: String,
    },
    CgroupGone,
}

/// `struct process_tail`: the program image of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// Boot-time clock, nanoseconds.
    pub(crate) start: u64,
    pub(crate) inode: u64,
    /// Epoch nanoseconds.
    pub(crate) changed: u64,
    pub(crate) capabilities: [u64; 3],
    /// The kernel's number of the file system, major << 20 | minor.
    pub(crate) device: u32,
    pub(crate) exe: ExeFlags,
    pub(crate) parent_tgid: u32,
    pub(crate) session: u32,
    pub(crate) gid: u32,
    pub(crate) login_uid: u32,
    pub(crate) terminal: bool,
    pub(crate) comm: String,
    pub(crate) streams: [End; 3],
    /// Ancestors, nearest first, with their standard input and output.
    pub(crate) lineage: Vec<(u64, [End; 2])>,
    pub(crate) path: String,
    pub(crate) cwd: String,
    pub(crate) args: Vec<String>,
}

/// The bits of `EXE_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExeFlags(u32);

impl ExeFlags {
    pub(crate) fn upper(self) -> bool {
        self.0 & 1 != 0
    }

    pub(crate) fn overlay(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether the overlay has a lower file behind the executable; `None` where the kernel's layout is not known.
    pub(crate) fn has_lower(self) -> Option<bool> {
        (self.0 & 16 != 0).then_some(self.0 & 8 == 0)
    }

    pub(crate) fn memfd(self) -> bool {
        self.0 & 32 != 0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) inode: u64,
    pub(crate) flags: u32,
    pub(crate) mode: u32,
    pub(crate) fd: i32,
    pub(crate) syscall: &'static str,
    pub(crate) path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) socket: End,
    pub(crate) fd: i32,
    pub(crate) streams: [End; 3],
}

/// `struct stream`: where a file descriptor leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    #[default]
    Unknown,
    Closed,
    File,
    Null,
    /// The user's side of a terminal; the number names the pair.
    Terminal(u64),
    /// The driving side of a pseudo terminal.
    Master(u64),
    Pipe(u64),
    Fifo(u64),
    Inet(Inet),
    /// A socket of another family, by inode.
    Socket(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inet {
    /// True where this side connected; `None` where the beginning was not seen.
    pub(crate) outbound: Option<bool>,
    pub(crate) protocol: u8,
    pub(crate) local: IpAddr,
    pub(crate) local_port: u16,
    pub(crate) remote: IpAddr,
    pub(crate) remote_port: u16,
    pub(crate) inode: u64,
}

/// Why a record could not be read; it is counted and skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("record ends early")]
    Short,
    #[error("record type {0} is unknown")]
    Type(u8),
    #[error("stated lengths exceed the record")]
    Length,
}

/// Reads one record as the kernel wrote it, header included. Bytes behind the stated length are padding.
pub(crate) fn record(bytes: &[u8]) -> Result<Record, Malformed> {
    let mut cursor = Cursor(bytes);
    let kind = cursor.u8()?;
    let truncated = cursor.u8()? & 1 != 0;
    let cpu = cursor.u16()?;
    let length = cursor.u32()? as usize;
    let header = Header {
        truncated,
        cpu,
        time: cursor.u64()?,
        exec_id: cursor.u64()?,
        parent_exec_id: cursor.u64()?,
        cgroup: cursor.u64()?,
        tgid: cursor.u32()?,
        tid: cursor.u32()?,
        uid: cursor.u32()?,
        vtgid: cursor.u32()?,
        result: cursor.i32()?,
        sequence: cursor.u32()?,
    };
    let mut tail = Cursor(cursor.take(length).map_err(|_| Malformed::Length)?);
    let body = match kind {
        1 => Body::Exec(Box::new(image(&mut tail)?)),
        2 => Body::Fork,
        3 => Body::Exit,
        4 => Body::Open(open(&mut tail)?),
        5 => Body::Connect(Box::new(connect(&mut tail)?)),
        6 => Body::State(Box::new(image(&mut tail)?)),
        7 => Body::Channel { end: tail.end()?, flags: tail.u32()? },
        8 => Body::Cgroup { path: text(until_nul(tail.0)) },
        9 => Body::CgroupGone,
        other => return Err(Malformed::Type(other)),
    };
    Ok(Record { header, body })
}

fn image(tail: &mut Cursor<'_>) -> Result<Image, Malformed> {
    let start = tail.u64()?;
    let inode = tail.u64()?;
    let changed = tail.u64()?;
    let capabilities = [tail.u64()?, tail.u64()?, tail.u64()?];
    let device = tail.u32()?;
    let exe = ExeFlags(tail.u32()?);
    let parent_tgid = tail.u32()?;
    let session = tail.u32()?;
    let gid = tail.u32()?;
    let login_uid = tail.u32()?;
    let terminal = tail.u8()? != 0;
    let ancestors = usize::from(tail.u8()?);
    let lengths = [tail.u16()?, tail.u16()?, tail.u16()?].map(usize::from);
    let comm = text(until_nul(tail.take(16)?));
    let streams = [tail.end()?, tail.end()?, tail.end()?];
    let mut lineage = Vec::new();
    for index in 0..MAX_LINEAGE {
        let entry = (tail.u64()?, [tail.end()?, tail.end()?]);
        if index < ancestors {
            lineage.push(entry);
        }
    }
    let mut next = |length| tail.take(length).map_err(|_| Malformed::Length);
    let path = text(next(lengths[0])?);
    let cwd = match text(next(lengths[1])?) {
        cwd if cwd.is_empty() => "/".to_owned(),
        cwd => cwd,
    };
    let args = arguments(next(lengths[2])?);
    Ok(Image {
        start,
        inode,
        changed,
        capabilities,
        device,
        exe,
        parent_tgid,
        session,
        gid,
        login_uid,
        terminal,
        comm,
        streams,
        lineage,
        path,
        cwd,
        args,
    })
}

/// `ANCESTORS` of `bpf/record.h`.
const MAX_LINEAGE: usize = 4;

fn open(tail: &mut Cursor<'_>) -> Result<Open, Malformed> {
    let inode = tail.u64()?;
    let _device = tail.u32()?;
    let flags = tail.u32()?;
    let mode = tail.u32()?;
    let fd = tail.i32()?;
    let length = tail.u32()? as usize;
    let syscall = match tail.u32()? {
        1 => "open",
        2 => "creat",
        3 => "openat",
        _ => "openat2",
    };
    let path = text(tail.take(length).map_err(|_| Malformed::Length)?);
    Ok(Open { inode, flags, mode, fd, syscall, path })
}

fn connect(tail: &mut Cursor<'_>) -> Result<Connect, Malformed> {
    let socket = tail.end()?;
    let fd = tail.i32()?;
    let _padding = tail.u32()?;
    Ok(Connect { socket, fd, streams: [tail.end()?, tail.end()?, tail.end()?] })
}

/// Splits a NUL-separated vector as the kernel keeps it; the last NUL ends the last argument.
pub(crate) fn arguments(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|byte| *byte == 0).map(text).collect()
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    &bytes[..end]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(u8::from_ne_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_ne_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_ne_bytes(self.array()?))
    }

    fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_ne_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_ne_bytes(self.array()?))
    }

    fn end(&mut self) -> Result<End, Malformed> {
        let kind = self.u8()?;
        let direction = self.u8()?;
        let family = self.u8()?;
        let protocol = self.u8()?;
        let remote_port = self.u16()?;
        let local_port = self.u16()?;
        let id = self.u64()?;
        let remote = address(family, self.array()?);
        let local = address(family, self.array()?);
        let outbound = match direction {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        };
        Ok(match kind {
            1 => End::Closed,
            2 => End::File,
            3 => End::Null,
            4 => End::Terminal(id),
            5 => End::Pipe(id),
            6 => End::Fifo(id),
            7 => End::Inet(Inet {
                outbound,
                protocol,
                local,
                local_port,
                remote,
                remote_port,
                inode: id,
            }),
            8 => End::Socket(id),
            9 => End::Master(id),
            _ => End::Unknown,
        })
    }
}

/// IPv4 in IPv6 clothes is IPv4, so that rules need one notation.
fn address(family: u8, bytes: [u8; 16]) -> IpAddr {
    match family {
        6 => Ipv6Addr::from(bytes).to_canonical(),
        _ => Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of `kind` whose tail claims `length` bytes.
    fn header(kind: u8, length: u32) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[0] = kind;
        bytes[4..8].copy_from_slice(&length.to_ne_bytes());
        bytes
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: Malformed) {
        assert_eq!(record(bytes).map(|record| record.body), Err(expected));
    }

    #[test]
    fn malformed_records_are_named() {
        check(&[], Malformed::Short);
        check(&[1; 63], Malformed::Short);
        check(&header(2, 1), Malformed::Length);
        check(&header(0, 0), Malformed::Type(0));
        check(&header(77, 0), Malformed::Type(77));
        check(&header(1, 0), Malformed::Short);
        let mut open = header(4, 32);
        open.extend([0; 24]);
        open.extend(200u32.to_ne_bytes());
        open.extend([0; 4]);
        check(&open, Malformed::Length);
    }

    #[test]
    fn no_prefix_of_noise_panics() {
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        })
        .take(4096)
        .collect();
        for kind in 0..12 {
            for length in (0..4000).step_by(37) {
                let mut bytes = header(kind, length);
                bytes.extend(&noise[..(length as usize).min(noise.len())]);
                let _outcome = record(&bytes);
            }
        }
    }

    #[test]
    fn arguments_keep_empty_ones() {
        assert_eq!(arguments(b"sh\0-c\0\0"), ["sh", "-c", ""]);
        assert_eq!(arguments(b"sh\0tail"), ["sh", "tail"]);
        assert!(arguments(b"").is_empty());
        assert_eq!(arguments(b"\xff\0"), ["\u{fffd}"]);
    }
}
