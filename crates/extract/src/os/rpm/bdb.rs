//! Berkeley DB's hash tables, `Packages`, as rpm wrote them up to RHEL 8. Source: Berkeley DB `dbinc/db_page.h`,
//! rpm `lib/backend/bdb_ro.c`.
//!
//! Pages of one size, in the byte order of the machine that wrote them; the first describes the table. A page of the
//! table holds pairs of key and value from its end downwards, with their offsets after its head. A large value lies in
//! a chain of further pages. rpm's keys are numbers; that of 0 stands for the counter itself.
use super::{MAX_DATABASE, add};
use crate::prelude::*;
use std::borrow::Cow;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "rpm-bdb",
    title: "rpm database, Berkeley DB",
    // Any folder named rpm, since `var/lib/rpm` may be a link; the merge knows where it leads.
    route: Route::Files(&["**/rpm/Packages"]),
    max_bytes: MAX_DATABASE,
    extract: Extract::Bytes(extract),
};

const MAGIC: u32 = 0x0006_1561;
/// Versions of the hash layout whose pages are alike.
const VERSIONS: std::ops::RangeInclusive<u32> = 5..=10;
/// Bytes. Source: Berkeley DB `DB_MIN_PGSIZE`, `DB_MAX_PGSIZE`.
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 512..=65536;
/// Bytes before the offsets of a page, or before the data of a chained one.
const HEAD: usize = 26;
/// Kinds of pages.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;
/// Kinds of items.
const KEY_DATA: u8 = 1;
const OFF_PAGE: u8 = 3;
/// Bytes of an item that leads to a chain.
const OFF_PAGE_BYTES: usize = 12;

struct Database<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    page_size: usize,
    /// Pages of chains that were read: none belongs to two, so that a chain ends.
    seen: Vec<bool>,
}

fn extract(bytes: &[u8], found: &mut Found) {
    let (mut database, last) = match Database::open(bytes) {
        Ok(opened) => opened,
        Err(reason) => return found.unreadable(reason),
    };
    let pages = bytes.len() / database.page_size;
    if last >= pages {
        let message = format!("ends before page {last}");
        found.damaged("end of file", &message);
    }
    for number in 1..pages.min(last.saturating_add(1)) {
        if let Some(page) = database.page(number).filter(|page| is_table(page)) {
            database.pairs(number, page, found);
        }
    }
}

fn is_table(page: &[u8]) -> bool {
    matches!(page[25], HASH | HASH_UNSORTED)
}

impl<'a> Database<'a> {
    /// The database, and the number of its last page.
    fn open(bytes: &'a [u8]) -> Result<(Self, usize), &'static str> {
        let magic = bytes.get(12..16).ok_or("the database is cut short")?;
        let big_endian = magic == MAGIC.to_be_bytes();
        if !big_endian && magic != MAGIC.to_le_bytes() {
            return Err("not a hash table of Berkeley DB");
        }
        let mut database = Self { bytes, big_endian, page_size: 0, seen: Vec::new() };
        let field = |at| database.long(bytes, at).ok_or("the database is cut short");
        let (version, page_size, last) = (field(16)?, field(20)? as usize, field(32)? as usize);
        if !VERSIONS.contains(&version) {
            return Err("the database has a layout of another version");
        }
        if !PAGE_SIZES.contains(&page_size) || !page_size.is_power_of_two() {
            return Err("the database has an impossible page size");
        }
        if bytes[24] != 0 || bytes[26] & 1 != 0 {
            return Err("the database is encrypted or has checksums, as rpm never writes it");
        }
        database.page_size = page_size;
        database.seen = vec![false; bytes.len() / page_size];
        Ok((database, last))
    }

    fn page(&self, number: usize) -> Option<&'a [u8]> {
        let start = number.checked_mul(self.page_size)?;
        self.bytes.get(start..start.checked_add(self.page_size)?)
    }

    fn long(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk::<4>()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn short(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let bytes = *bytes.get(at..)?.first_chunk::<2>()?;
        let short =
            if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        Some(usize::from(short))
    }

    /// Reads the pairs of one page of the table.
    fn pairs(&mut self, number: usize, page: &[u8], found: &mut Found) {
        let place = format!("page {number}");
        if self.long(page, 8) != u32::try_from(number).ok() {
            return found.damaged(place, "the page has another number");
        }
        let count = self.short(page, 20).unwrap_or_default();
        // Items follow each other from the end of the page downwards.
        let mut end = page.len();
        let mut key: Option<&[u8]> = None;
        for index in 0..count {
            let start = self.short(page, HEAD + 2 * index).unwrap_or_default();
            if start < HEAD + 2 * count || start >= end {
                return found.damaged(place, "entries do not follow each other");
            }
            let item = &page[start..end];
            end = start;
            match key.take() {
                None => key = Some(item),
                // The counter of packages, no package.
                Some([KEY_DATA, 0, 0, 0, 0]) => {}
                Some(_) => match self.value(item) {
                    Ok(blob) => add(&blob, &place, found),
                    Err(reason) => found.damaged(&place, &reason),
                },
            }
        }
    }

    fn value<'p>(&mut self, item: &'p [u8]) -> Result<Cow<'p, [u8]>, String> {
        match item {
            [KEY_DATA, data @ ..] => Ok(Cow::from(data)),
            [OFF_PAGE, ..] if item.len() == OFF_PAGE_BYTES => {
                let field = |at| self.long(item, at).unwrap_or_default() as usize;
                let (first, length) = (field(4), field(8));
                self.chain(first, length).map(Cow::from)
            }
            _ => Err("an entry is of a kind that rpm never writes".to_owned()),
        }
    }

    /// The value of `length` bytes in the chain that begins at page `number`.
    fn chain(&mut self, mut number: usize, length: usize) -> Result<Vec<u8>, String> {
        let mut value = Vec::new();
        while value.len() < length {
            let page = self.page(number).filter(|page| page[25] == OVERFLOW && number > 0);
            let Some(page) = page else {
                return Err(format!("page {number} should go on with a package, and does not"));
            };
            if std::mem::replace(&mut self.seen[number], true) {
                return Err(format!("page {number} belongs to two packages"));
            }
            let part = self.short(page, 22).unwrap_or_default();
            match page.get(HEAD..HEAD + part) {
                Some(data) if value.len() + part <= length => value.extend_from_slice(data),
                _ => return Err(format!("page {number} holds another length than it says")),
            }
            number = self.long(page, 16).unwrap_or_default() as usize;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers that rpm wrote, with its counter, loaded by `db_load -h . -t hash -c db_pagesize=512` of Berkeley DB
    /// 5.3: two packages in chains, one small enough for its page, and a signing key; in both byte orders.
    const LITTLE: &[u8] = include_bytes!("fixtures/Packages");
    const BIG: &[u8] = include_bytes!("fixtures/Packages.big-endian");
    const ALL: &str = "alpha 2:1.0-1, beta 2.0-3.el9";

    #[test]
    fn databases_that_berkeley_db_wrote() {
        for database in [LITTLE, BIG] {
            let mut found = EXTRACTOR.run(database);
            found.packages.sort_by(|one, other| one.name.cmp(&other.name));
            let shown = found.packages.iter().map(|own| format!("{} {}", own.name, own.version));
            assert_eq!(shown.collect::<Vec<_>>().join(", "), ALL);
            assert_eq!(found.problems, []);
        }
    }

    #[test]
    fn damage_is_a_gap_and_the_rest_is_read() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Vec<u8>), packages: usize, expected: &str) {
            let mut bytes = LITTLE.to_vec();
            change(&mut bytes);
            let found = EXTRACTOR.run(&bytes);
            let told: Vec<_> = found.problems.iter().map(|own| own.message.as_str()).collect();
            assert_eq!((found.packages.len(), told.join("; ").as_str()), (packages, expected));
        }
        // The chains: pages 3 to 6, and 7 to 10.
        const PAGE: usize = 512;
        check(
            |bytes| bytes[4 * PAGE + 25] = 0,
            1,
            "page 2: page 4 should go on with a package, and does not",
        );
        check(
            |bytes| bytes[4 * PAGE + 16] = 99,
            1,
            "page 2: page 99 should go on with a package, and does not",
        );
        check(|bytes| bytes[4 * PAGE + 16] = 4, 1, "page 2: page 4 belongs to two packages");
        check(
            |bytes| bytes[6 * PAGE + 23] = 9,
            1,
            "page 2: page 6 holds another length than it says",
        );
        check(|bytes| bytes[2 * PAGE + 8] = 9, 1, "page 2: the page has another number");
        check(|bytes| bytes[2 * PAGE + 26] = 9, 1, "page 2: entries do not follow each other");
        check(
            |bytes| bytes[2 * PAGE + 495] = 9,
            1,
            "page 2: an entry is of a kind that rpm never writes",
        );
        check(|bytes| bytes[2 * PAGE + 25] = 0, 1, "");
        check(
            |bytes| bytes.truncate(10 * PAGE),
            1,
            "end of file: ends before page 10; page 1: page 10 should go on with a package, and does not",
        );
        check(
            |bytes| bytes[24] = 1,
            0,
            "the database is encrypted or has checksums, as rpm never writes it",
        );
        check(|bytes| bytes[12] = 0, 0, "not a hash table of Berkeley DB");
        check(|bytes| bytes[16] = 99, 0, "the database has a layout of another version");
        check(|bytes| bytes[20] = 1, 0, "the database has an impossible page size");
        check(|bytes| bytes.truncate(15), 0, "the database is cut short");
        check(Vec::clear, 0, "the database is cut short");
    }
}
