//! Tar, read forward: ustar, GNU long names and sparse marks, pax. Every length is checked before it allocates.
//! Source: POSIX.1-2017 pax "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar Format".
use crate::bounds;
use crate::stream::limit;
use crate::visit::{Entry, EntryKind};
use std::io::{self, Read};

const BLOCK: usize = 512;

/// A stream that can pass over bytes, faster than by reading where it can seek.
pub(crate) trait Skip: Read {
    /// Passes over `bytes`; returns how many there were.
    fn skip(&mut self, bytes: u64) -> io::Result<u64>;
}

/// A tar stream; the content of the current entry is read from it with [`Read`].
pub(crate) struct Tar<R> {
    inner: R,
    /// Bytes of the current entry's content not yet read, and of the padding behind it.
    left: u64,
    padding: u64,
    offset: u64,
}

/// One header, its extensions applied.
#[derive(Debug)]
pub(crate) struct Header {
    name: Vec<u8>,
    link: Vec<u8>,
    kind: u8,
    mode: u32,
    pub(crate) size: u64,
    /// Content is a map of holes and data, not the file's bytes.
    pub(crate) sparse: bool,
    /// Of the content in the stream, bytes.
    pub(crate) offset: u64,
}

/// The one reason for a dropped entry that is a limit of ours.
pub(crate) const TOO_LONG: &str = "path over 4,096 bytes";

/// How a tar ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Two blocks of zeros, as the format demands, or one that the stream ends with.
    Marked,
    /// The stream ended between two entries.
    Unmarked,
}

pub(crate) enum Next {
    Entry(Box<Header>),
    End(End),
}

/// What extension headers say about the next entry.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
    sparse_name: Option<Vec<u8>>,
}

impl<R: Skip> Tar<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, left: 0, padding: 0, offset: 0 }
    }

    /// The next entry. A broken header is `InvalidData`, a stream that ends early `UnexpectedEof`.
    pub(crate) fn next(&mut self) -> io::Result<Next> {
        self.pass(self.left + self.padding)?;
        (self.left, self.padding) = (0, 0);
        let mut extended = Extended::default();
        loop {
            let Some(block) = self.block()? else { return Ok(Next::End(End::Unmarked)) };
            if is_zero(&block) {
                return self.end();
            }
            let mut header = self.header(&block)?;
            match header.kind {
                b'x' => pax(&self.extension(header.size)?, &mut extended)?,
                b'g' => {
                    // Global headers carry comments; none of their keys may name an entry.
                    self.extension(header.size)?;
                }
                b'L' => extended.name = Some(c_string(&self.extension(header.size)?).to_vec()),
                b'K' => extended.link = Some(c_string(&self.extension(header.size)?).to_vec()),
                _ => {
                    if header.kind == b'S' {
                        header.sparse = true;
                        self.sparse_map(block[482])?;
                    }
                    header.extend(extended);
                    header.offset = self.offset;
                    let content = if header.has_content() { header.size } else { 0 };
                    header.size = content;
                    self.left = content;
                    self.padding = padding(content);
                    return Ok(Next::Entry(Box::new(header)));
                }
            }
        }
    }

    /// What follows a block of zeros. Entries behind a single one would be read by some programs and not by others.
    fn end(&mut self) -> io::Result<Next> {
        match self.block()? {
            Some(block) if !is_zero(&block) => {
                let message = format!("tar has a lone block of zeros before byte {}", self.offset);
                Err(io::Error::new(io::ErrorKind::InvalidData, message))
            }
            _ => Ok(Next::End(End::Marked)),
        }
    }

    fn header(&self, block: &[u8; BLOCK]) -> io::Result<Header> {
        let sum: u32 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| match at {
                148..156 => u32::from(b' '),
                _ => u32::from(*byte),
            })
            .sum();
        // Some old programs summed signed bytes.
        let signed: i32 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| match at {
                148..156 => i32::from(b' '),
                _ => i32::from(*byte as i8),
            })
            .sum();
        let stated = number(&block[148..156]).ok_or_else(|| self.broken("checksum"))?;
        if stated != u64::from(sum) && i64::from(signed) != stated as i64 {
            return Err(self.broken("checksum"));
        }
        let mut name = c_string(&block[..100]).to_vec();
        if &block[257..263] == b"ustar\0" && block[345] != 0 {
            name = [c_string(&block[345..500]), b"/", &name].concat();
        }
        Ok(Header {
            name,
            link: c_string(&block[157..257]).to_vec(),
            kind: block[156],
            mode: number(&block[100..108]).and_then(|mode| u32::try_from(mode).ok()).unwrap_or(0)
                & 0o7777,
            size: number(&block[124..136]).ok_or_else(|| self.broken("size"))?,
            sparse: false,
            offset: 0,
        })
    }

    fn broken(&self, field: &str) -> io::Error {
        let message = format!("tar header before byte {} has a broken {field}", self.offset);
        io::Error::new(io::ErrorKind::InvalidData, message)
    }

    /// One block; `None` at the end of the stream.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.inner.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(early()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.offset += BLOCK as u64;
        Ok(Some(block))
    }

    /// The content of an extension header, its length checked first.
    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > bounds::EXTENSION_HEADER {
            return Err(limit("bytes of a tar extension header", bounds::EXTENSION_HEADER));
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.inner.read_exact(&mut bytes)?;
        self.offset += size;
        self.pass(padding(size))?;
        Ok(bytes)
    }

    /// Further blocks of an old GNU sparse map stand before the content.
    fn sparse_map(&mut self, extended: u8) -> io::Result<()> {
        let mut more = extended;
        while more != 0 {
            more = self.block()?.ok_or_else(early)?[504];
        }
        Ok(())
    }

    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        let passed = if bytes == 0 { 0 } else { self.inner.skip(bytes)? };
        self.offset += passed;
        if passed < bytes { Err(early()) } else { Ok(()) }
    }
}

/// Reads the current entry's content.
impl<R: Skip> Read for Tar<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.inner.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(early());
        }
        self.left -= read as u64;
        self.offset += read as u64;
        Ok(read)
    }
}

/// A stream is read forward only.
impl<R: Skip> crate::buffer::Content for Tar<R> {}

impl Header {
    fn extend(&mut self, extended: Extended) {
        if let Some(name) = extended.sparse_name.or(extended.name) {
            self.name = name;
        }
        if let Some(link) = extended.link {
            self.link = link;
        }
        self.size = extended.size.unwrap_or(self.size);
        self.sparse |= extended.sparse;
    }

    /// Links, devices and directories have none, whatever their size field says.
    fn has_content(&self) -> bool {
        !matches!(self.kind, b'1'..=b'6')
    }

    /// The name as problems show it.
    pub(crate) fn shown_name(&self) -> String {
        escape(&self.name).escape_debug().to_string()
    }

    /// The entry, or why its name cannot be one.
    pub(crate) fn entry(&self) -> Result<Option<Entry>, &'static str> {
        let Some(path) = normal_path(&self.name)? else { return Ok(None) };
        let kind = match self.kind {
            b'0' | 0 | b'7' if self.name.ends_with(b"/") => EntryKind::Directory,
            b'0' | 0 | b'7' | b'S' => EntryKind::File,
            b'1' => EntryKind::HardLink,
            b'2' => EntryKind::Symlink,
            b'5' => EntryKind::Directory,
            _ => EntryKind::Other,
        };
        let link = match kind {
            EntryKind::Symlink => Some(escape(&self.link)),
            EntryKind::HardLink => {
                let relative = self.link.iter().position(|byte| *byte != b'/').unwrap_or(0);
                normal_path(&self.link[relative..])?
            }
            _ => None,
        };
        Ok(Some(Entry { path, kind, mode: self.mode, size: self.size, link }))
    }
}

/// `name` without `.` segments and doubled slashes; `None` is the root itself.
fn normal_path(name: &[u8]) -> Result<Option<String>, &'static str> {
    if name.len() > bounds::PATH {
        return Err(TOO_LONG);
    }
    if name.starts_with(b"/") {
        return Err("absolute path");
    }
    if name.contains(&0) {
        return Err("path with NUL");
    }
    let mut path = String::with_capacity(name.len());
    for segment in name.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => continue,
            b".." => return Err("path with `..`"),
            _ => {}
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&escape(segment));
    }
    Ok(Some(path).filter(|path| !path.is_empty()))
}

/// Bytes that are no UTF-8 as `\xNN`, and a backslash of the name's own that would read as such as `\x5c`, so that
/// two names never become one.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some((before, after)) = rest.split_once('\\') {
            text.push_str(before);
            text.push_str(if reads_as_escape(after.as_bytes()) { "\\x5c" } else { "\\" });
            rest = after;
        }
        text.push_str(rest);
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Whether these bytes after a backslash make it one of [`escape`]'s. Others, as in systemd's `\x2d`, stay as they are.
fn reads_as_escape(after: &[u8]) -> bool {
    let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    match after {
        [b'x', b'5', b'c', ..] => true,
        [b'x', b'8'..=b'9' | b'a'..=b'f', low, ..] => hex(low),
        _ => false,
    }
}

/// Records `LENGTH KEY=VALUE\n`, the length counting itself.
fn pax(bytes: &[u8], extended: &mut Extended) -> io::Result<()> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "broken pax extension header");
    let mut rest = c_padding(bytes);
    while !rest.is_empty() {
        let space = rest.iter().take(20).position(|byte| *byte == b' ').ok_or_else(broken)?;
        let length: usize = std::str::from_utf8(&rest[..space])
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(broken)?;
        if length <= space + 1 || length > rest.len() || rest[length - 1] != b'\n' {
            return Err(broken());
        }
        let record = &rest[space + 1..length - 1];
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        match key {
            b"path" => extended.name = Some(value.to_vec()),
            b"linkpath" => extended.link = Some(value.to_vec()),
            b"size" => {
                let text = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                extended.size = Some(text.ok_or_else(broken)?);
            }
            b"GNU.sparse.name" => extended.sparse_name = Some(value.to_vec()),
            _ if key.starts_with(b"GNU.sparse.") => extended.sparse = true,
            _ => {}
        }
        rest = c_padding(&rest[length..]);
    }
    Ok(())
}

/// Some writers pad the records with NUL.
fn c_padding(bytes: &[u8]) -> &[u8] {
    if bytes.iter().all(|byte| *byte == 0) { &[] } else { bytes }
}

fn c_string(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())]
}

/// Octal text, or big-endian binary where the top bit of the first byte is set (GNU). Negative numbers are none.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        if field[0] & 0x40 != 0 {
            return None;
        }
        let (first, rest) = (u64::from(field[0] & 0x3f), &field[1..]);
        return rest.iter().try_fold(first, |value, byte| {
            value.checked_mul(256).map(|value| value | u64::from(*byte))
        });
    }
    let text = c_string(field).trim_ascii();
    if text.is_empty() {
        return Some(0);
    }
    text.iter().try_fold(0_u64, |value, byte| match byte {
        b'0'..=b'7' => value.checked_mul(8).map(|value| value | u64::from(byte - b'0')),
        _ => None,
    })
}

fn is_zero(block: &[u8; BLOCK]) -> bool {
    block.iter().all(|byte| *byte == 0)
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

fn early() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

/// A slice passes over bytes by moving.
impl Skip for &[u8] {
    fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        let most = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.len());
        *self = &self[most..];
        Ok(most as u64)
    }
}

/// Walks arbitrary bytes as a tar; for fuzzing, which looks for panics and hangs. Returns the number of entries.
pub fn parse_for_fuzzing(bytes: &[u8]) -> usize {
    let (mut tar, mut entries) = (Tar::new(bytes), 0);
    while let Ok(Next::Entry(header)) = tar.next() {
        let _ = header.entry();
        entries += 1;
    }
    entries
}

#[cfg(test)]
#[path = "tar_tests.rs"]
mod tests;
