//! rpm's own database, `Packages.db`, as SUSE uses it. Source: rpm `lib/backend/ndb/rpmpkg.c`; numbers are
//! little-endian on every machine.
//!
//! ```text
//! "RpmP" | version | generation | pages of slots | next index | … to 32 bytes     all u32
//! slots of 16 bytes:  "Slot" | index | first block | blocks                       free where the first block is 0
//! blobs in blocks of 16 bytes:  "BlbS" | index | generation | length | header, padded | adler32 | length | "BlbE"
//! ```
use super::{MAX_DATABASE, add};
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "rpm-ndb",
    title: "rpm database, rpm's own format",
    // Any folder named rpm, since `var/lib/rpm` may be a link; the merge knows where it leads.
    route: Route::Files(&["**/rpm/Packages.db"]),
    max_bytes: MAX_DATABASE,
    extract: Extract::Bytes(extract),
};

const MAGIC: &[u8; 4] = b"RpmP";
const SLOT: &[u8; 4] = b"Slot";
const BLOB: &[u8; 4] = b"BlbS";
const BLOB_END: &[u8; 4] = b"BlbE";
/// The one layout there is.
const VERSION: u32 = 0;
/// Bytes, of pages of slots and of blocks.
const PAGE: usize = 4096;
const BLOCK: usize = 16;
/// Bytes, each a multiple of a slot's.
const HEADER: usize = 32;
const SLOT_BYTES: usize = 16;
/// Bytes around the header in a blob.
const HEAD: usize = 16;
const TAIL: usize = 12;

fn extract(bytes: &[u8], found: &mut Found) {
    let pages = match open(bytes) {
        Ok(pages) => pages,
        Err(reason) => return found.unreadable(reason),
    };
    let end = pages.saturating_mul(PAGE);
    if end > bytes.len() {
        found.damaged("end of file", "slots of packages are cut off");
    }
    let slots = bytes.get(HEADER..end.min(bytes.len())).unwrap_or_default();
    // Blobs do not overlap, so that a hostile file cannot make much work out of few bytes.
    let mut left = bytes.len();
    for (number, slot) in slots.as_chunks::<SLOT_BYTES>().0.iter().enumerate() {
        let place = format!("slot {}", number + HEADER / SLOT_BYTES);
        match blob(bytes, slot) {
            Ok(None) => {}
            Ok(Some(blob)) => match left.checked_sub(blob.len()) {
                Some(rest) => {
                    left = rest;
                    add(blob, place, found);
                }
                None => return found.damaged(place, "packages overlap each other"),
            },
            Err(reason) => found.damaged(place, reason),
        }
    }
}

/// The number of pages of slots.
fn open(bytes: &[u8]) -> Result<usize, &'static str> {
    if bytes.get(..4) != Some(MAGIC) {
        return Err("not a database of rpm's own format");
    }
    match (number(bytes, 4), number(bytes, 12)) {
        (Some(VERSION), Some(0)) => Err("the database has no slots"),
        (Some(VERSION), Some(pages)) if bytes.len() >= HEADER => Ok(pages as usize),
        (Some(VERSION) | None, _) => Err("the database is cut short"),
        (Some(_), _) => Err("the database has a layout of another version"),
    }
}

/// The package header that a slot leads to; `None` for a free slot.
fn blob<'a>(bytes: &'a [u8], slot: &[u8; SLOT_BYTES]) -> Result<Option<&'a [u8]>, &'static str> {
    let field = |at| number(slot, at).unwrap_or_default();
    let (index, offset, blocks) = (field(4), field(8) as usize, field(12) as usize);
    if slot[..4] != *SLOT {
        return Err("no slot where one should be");
    }
    if offset == 0 {
        return Ok(None);
    }
    let whole = bytes
        .get(offset.saturating_mul(BLOCK)..offset.saturating_add(blocks).saturating_mul(BLOCK))
        .ok_or("a package lies behind the end of the file")?;
    let length = number(whole, 12).ok_or("a package is cut short")? as usize;
    if whole[..4] != *BLOB || number(whole, 4) != Some(index) {
        return Err("no package where a slot says so");
    }
    if length.saturating_add(HEAD + TAIL).div_ceil(BLOCK) != blocks {
        return Err("a package has another length than its slot says");
    }
    let (body, tail) = whole.split_at(whole.len() - TAIL);
    if number(tail, 0) != Some(adler32(body)) {
        return Err("the checksum of a package is wrong");
    }
    if number(tail, 4) != number(whole, 12) || tail[8..] != *BLOB_END {
        return Err("a package ends otherwise than it began");
    }
    Ok(Some(&body[HEAD..HEAD + length]))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

/// Source: RFC 1950, section 9; the sums stay under 2³² for that many bytes.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1, 0);
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            low += u32::from(*byte);
            high += low;
        }
        low %= 65521;
        high %= 65521;
    }
    (high << 16) + low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by rpm's `rpmpkg.c`: three packages put, one of them overwritten, one removed, and a signing key.
    const REAL: &[u8] = include_bytes!("fixtures/Packages.db");

    #[test]
    fn a_database_that_rpm_wrote() {
        check(&EXTRACTOR, REAL, "alpha 2:1.0-1, beta 2.0-3.el9");
        let module = EXTRACTOR.run(REAL).packages[1].module.clone();
        assert_eq!(module.as_deref(), Some("nodejs:18"));
    }

    #[test]
    fn damage_is_a_gap_and_the_rest_is_read() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Vec<u8>), expected: &str) {
            let mut bytes = REAL.to_vec();
            change(&mut bytes);
            crate::found::check(&EXTRACTOR, bytes, expected);
        }
        let at = |number: u32| {
            let slot = (HEADER..PAGE).step_by(SLOT_BYTES).find(|slot| {
                super::number(REAL, slot + 4) == Some(number) && &REAL[*slot..slot + 4] == SLOT
            });
            super::number(REAL, slot.unwrap() + 8).unwrap() as usize * BLOCK
        };
        let first = at(1);
        let beta = "beta 2.0-3.el9; damaged slot 2";
        check(|bytes| bytes[first + 200] ^= 1, beta);
        check(|bytes| bytes[first] ^= 1, beta);
        check(|bytes| bytes[first + 4] ^= 1, beta);
        check(|bytes| bytes[first + 12] ^= 0x40, beta);
        check(|bytes| bytes[HEADER] ^= 1, beta);
        check(|bytes| bytes[HEADER + 8..HEADER + 12].fill(0xff), beta);
        check(|bytes| bytes[HEADER + 8..HEADER + 12].fill(0), "beta 2.0-3.el9");
        check(|bytes| bytes[12] = 0, "unreadable");
        let cut = "damaged end of file; damaged slot 2; damaged slot 3; damaged slot 4";
        check(|bytes| bytes.truncate(PAGE - 1), cut);
        check(|bytes| bytes[0] = b'X', "unreadable");
        check(|bytes| bytes[4] = 1, "unreadable");
        check(|bytes| bytes.truncate(31), "unreadable");
        check(Vec::clear, "unreadable");
    }
}
