//! Zip archives over a slice: members by their directory, content in place or inflated within a bound. Nothing is
//! copied for members that nobody asks for. Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::borrow::Cow;
use std::io::Read;

/// Members read of one archive. The largest with all their dependencies unpacked have 200,000.
const MAX_MEMBERS: usize = 1_000_000;
/// Bytes: the record at the end without its comment, that of zip64 and its locator, headers without their names.
const END: usize = 22;
const LOCATOR: usize = 20;
const END_64: usize = 56;
const DIRECTORY_HEADER: usize = 46;
const LOCAL_HEADER: usize = 30;
/// A value that stands in a zip64 record or field.
const ELSEWHERE: u64 = u32::MAX as u64;

/// An archive whose directory was found.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    directory: &'a [u8],
    /// Bytes before the archive, such as a start script: offsets count from their end.
    base: usize,
}

pub(super) struct Member<'a> {
    pub(super) name: Cow<'a, str>,
    is_encrypted: bool,
    method: u16,
    crc: u32,
    packed: usize,
    header: usize,
}

/// Why a member's content cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    OverLimit,
    Broken(&'static str),
}

impl<'a> Archive<'a> {
    /// By the record at the end, which a comment may follow.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, &'static str> {
        const BROKEN: &str = "its directory lies outside the file";
        let end = end_record(bytes).ok_or("it has no directory at its end")?;
        let record = &bytes[end..];
        let (mut size, mut offset) = (u64::from(u32_at(record, 12)), u64::from(u32_at(record, 16)));
        let mut directory_end = end;
        let locator = end.checked_sub(LOCATOR).map(|at| &bytes[at..]);
        if locator.is_some_and(|locator| locator.starts_with(b"PK\x06\x07"))
            && let Some(at) = end.checked_sub(LOCATOR + END_64)
            && let record = &bytes[at..]
            && record.starts_with(b"PK\x06\x06")
        {
            (size, offset) = (u64_at(record, 40), u64_at(record, 48));
            directory_end = at;
        }
        let size = usize::try_from(size).map_err(|_| BROKEN)?;
        let start = directory_end.checked_sub(size).ok_or(BROKEN)?;
        let offset = usize::try_from(offset).map_err(|_| BROKEN)?;
        let base = start.checked_sub(offset).ok_or(BROKEN)?;
        Ok(Self { bytes, directory: &bytes[start..directory_end], base })
    }

    /// The members in the directory's order; a broken header ends them with its problem.
    pub(super) fn members(&self) -> impl Iterator<Item = Result<Member<'a>, &'static str>> {
        let mut rest = self.directory;
        let mut count = 0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            count += 1;
            let member = match count {
                ..=MAX_MEMBERS => member(&mut rest).ok_or("its directory is broken"),
                _ => Err("limit reached: 1,000,000 members"),
            };
            if member.is_err() {
                rest = &[];
            }
            Some(member)
        })
    }

    /// The member as it lies in the archive, if it is not compressed.
    pub(super) fn stored(&self, member: &Member<'_>) -> Option<&'a [u8]> {
        (member.method == 0 && !member.is_encrypted).then(|| self.packed(member)).flatten()
    }

    /// The member's content, of at most `cap` bytes.
    pub(super) fn read(&self, member: &Member<'_>, cap: u64) -> Result<Vec<u8>, ReadError> {
        if member.is_encrypted {
            return Err(ReadError::Broken("it is encrypted"));
        }
        let packed = self.packed(member).ok_or(ReadError::Broken("it lies outside the archive"))?;
        let mut bytes = Vec::new();
        match member.method {
            0 if packed.len() as u64 > cap => return Err(ReadError::OverLimit),
            0 => bytes.extend(packed),
            8 => {
                let read =
                    DeflateDecoder::new(packed).take(cap.saturating_add(1)).read_to_end(&mut bytes);
                read.map_err(|_| ReadError::Broken("it does not inflate"))?;
            }
            _ => return Err(ReadError::Broken("its compression is not known")),
        }
        if bytes.len() as u64 > cap {
            return Err(ReadError::OverLimit);
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        if crc.sum() != member.crc {
            return Err(ReadError::Broken("its checksum is wrong"));
        }
        Ok(bytes)
    }

    fn packed(&self, member: &Member<'_>) -> Option<&'a [u8]> {
        let local = self.bytes.get(self.base.checked_add(member.header)?..)?;
        if local.len() < LOCAL_HEADER || !local.starts_with(b"PK\x03\x04") {
            return None;
        }
        let skip = LOCAL_HEADER + usize::from(u16_at(local, 26)) + usize::from(u16_at(local, 28));
        local.get(skip..)?.get(..member.packed)
    }
}

/// The last record whose comment fits into the file.
fn end_record(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(END)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last).rev().find(|at| {
        let record = &bytes[*at..];
        record.starts_with(b"PK\x05\x06") && END + usize::from(u16_at(record, 20)) <= record.len()
    })
}

/// The header that `rest` begins with, which it moves past.
fn member<'a>(rest: &mut &'a [u8]) -> Option<Member<'a>> {
    let header = *rest;
    if header.len() < DIRECTORY_HEADER || !header.starts_with(b"PK\x01\x02") {
        return None;
    }
    let length = |at| usize::from(u16_at(header, at));
    let (name, rest_of_header) = header[DIRECTORY_HEADER..].split_at_checked(length(28))?;
    let (extra, rest_of_header) = rest_of_header.split_at_checked(length(30))?;
    let (_, next) = rest_of_header.split_at_checked(length(32))?;
    *rest = next;
    let mut long = zip64(extra);
    let mut or_long = |at| {
        let own = u64::from(u32_at(header, at));
        if own == ELSEWHERE { long.next() } else { Some(own) }
    };
    // In the order in which zip64 lists those that it holds: content, packed, place.
    let _ = or_long(24);
    let (packed, place) = (or_long(20)?, or_long(42)?);
    Some(Member {
        name: String::from_utf8_lossy(name),
        is_encrypted: u16_at(header, 8) & 1 != 0,
        method: u16_at(header, 10),
        crc: u32_at(header, 16),
        packed: usize::try_from(packed).ok()?,
        header: usize::try_from(place).ok()?,
    })
}

/// The words of the zip64 field among the extra ones.
fn zip64(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut words: &[u8] = &[];
    while extra.len() >= 4 {
        let (id, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some((field, rest)) = extra[4..].split_at_checked(length) else { break };
        if id == 1 {
            words = field;
        }
        extra = rest;
    }
    words.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word))
}

/// Little-endian; the caller knows that the bytes are there.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::jar::tests::{Packed, zip};

    /// `NAME=CONTENT` of each member, or why not.
    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let archive = match Archive::open(bytes) {
            Ok(archive) => archive,
            Err(reason) => return assert_eq!(reason, expected),
        };
        let shown: Vec<_> = archive
            .members()
            .map(|member| match member {
                Ok(member) => match archive.read(&member, 16) {
                    Ok(content) => format!("{}={}", member.name, String::from_utf8_lossy(&content)),
                    Err(error) => format!("{}: {error:?}", member.name),
                },
                Err(reason) => reason.to_owned(),
            })
            .collect();
        assert_eq!(shown.join(", "), expected);
    }

    #[test]
    fn table() {
        let two = zip(Packed::Deflated, &[("a", b"1"), ("d/b", b"2")]);
        check(&two, "a=1, d/b=2");
        check(&zip(Packed::Stored, &[("a", b"1")]), "a=1");
        check(&zip(Packed::Stored, &[]), "");
        // A start script before, a comment behind.
        check(&[b"#!/bin/sh\nexec java -jar $0\n", two.as_slice()].concat(), "a=1, d/b=2");
        let mut commented = two.clone();
        *commented.iter_mut().nth_back(1).unwrap() = 4;
        commented.extend(b"PK05");
        check(&commented, "a=1, d/b=2");
        check(&zip(Packed::Deflated, &[("a", &[b'x'; 17])]), "a: OverLimit");
        check(&zip(Packed::Stored, &[("a", &[b'x'; 17])]), "a: OverLimit");
    }

    #[test]
    fn broken() {
        check(b"", "it has no directory at its end");
        let whole = zip(Packed::Stored, &[("a", b"1"), ("b", b"2")]);
        check(&whole[..whole.len() - 1], "it has no directory at its end");
        check(&whole[4..], "its directory lies outside the file");
        let content = whole.windows(2).position(|window| window == b"a1").unwrap() + 1;
        let mut altered = whole.clone();
        altered[content] = b'9';
        check(&altered, "a: Broken(\"its checksum is wrong\"), b=2");
        let second = whole.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
        let mut directory = whole.clone();
        directory[second] = b'Q';
        check(&directory, "a=1, its directory is broken");
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 0xff;
            let Ok(archive) = Archive::open(&altered) else { continue };
            for member in archive.members().flatten() {
                let _ = archive.read(&member, 16);
            }
        }
    }
}
