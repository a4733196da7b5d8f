//! Tables of an SQLite database, without SQLite: enough to read whole tables of a file that nobody writes to.
//! Source: "Database File Format", sqlite.org/fileformat2.html.
use std::borrow::Cow;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Bytes of the header, at the start of the first page.
const HEADER: usize = 100;
/// Bytes. Source: section 1.3.2.
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 512..=65536;
/// Bytes. Source: section 1.3.4.
const MIN_USABLE: usize = 480;
/// Kinds of pages; those of indices are not read.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// A database in a file, and which of its pages were read: none belongs to two tables or lies twice in one, so that
/// a walk ends, and its work is bounded by the file's length.
pub(crate) struct Database<'a> {
    bytes: &'a [u8],
    page_size: usize,
    /// Bytes of a page that are in use.
    usable: usize,
    seen: Vec<bool>,
}

/// A column of a row. Floating-point numbers are as good as absent here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// Told of each row, and of each place that could not be read, with its page.
pub(crate) type Told<'t> = &'t mut dyn FnMut(usize, Result<&[Value<'_>], &'static str>);

impl<'a> Database<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let header = bytes.first_chunk::<HEADER>().ok_or("the database is cut short")?;
        if !header.starts_with(MAGIC) {
            return Err("not an SQLite database");
        }
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            // 65536 does not fit.
            1 => 65536,
            size => usize::from(size),
        };
        let usable = page_size.saturating_sub(usize::from(header[20]));
        if !PAGE_SIZES.contains(&page_size) || !page_size.is_power_of_two() || usable < MIN_USABLE {
            return Err("the database has an impossible page size");
        }
        let pages = bytes.len() / page_size;
        Ok(Self { bytes, page_size, usable, seen: vec![false; pages + 1] })
    }

    /// Pages that the header counts and the file lacks, if the header can be trusted to know. Source: section 1.3.7.
    pub(crate) fn missing_pages(&self) -> usize {
        let field = |at: usize| self.bytes.get(at..at + 4).unwrap_or_default();
        let count = field(28).iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let trusted = field(24) == field(92);
        if trusted { count.saturating_sub(self.bytes.len() / self.page_size) } else { 0 }
    }

    /// Tells every row of a table; `false` if there is no such table. An `INTEGER PRIMARY KEY` reads as null, for its
    /// value is the row's number.
    pub(crate) fn table(&mut self, name: &str, told: Told<'_>) -> bool {
        let mut roots = Vec::new();
        let mut broken = Vec::new();
        self.walk(1, &mut |page, row| match row {
            Ok([Value::Text(b"table"), Value::Text(own), _, Value::Integer(root), ..])
                if own.eq_ignore_ascii_case(name.as_bytes()) =>
            {
                roots.push(usize::try_from(*root).unwrap_or_default());
            }
            Ok(_) => {}
            Err(reason) => broken.push((page, reason)),
        });
        for (page, reason) in broken {
            told(page, Err(reason));
        }
        for root in &roots {
            self.walk(*root, told);
        }
        !roots.is_empty()
    }

    /// Reads the tree below `root`, pages numbered from 1, in the order of its rows.
    fn walk(&mut self, root: usize, told: Told<'_>) {
        let mut todo = vec![root];
        while let Some(number) = todo.pop() {
            let Some(page) = self.take(number) else {
                told(number, Err("the page is not there or was read before"));
                continue;
            };
            let start = if number == 1 { HEADER } else { 0 };
            let cells = match page.get(start) {
                Some(&LEAF) => cells(page, start, 8),
                Some(&INTERIOR) => {
                    let children = cells(page, start, 12).and_then(|cells| {
                        let last = long(page, start + 8);
                        let each = cells.map(|cell| long(page, cell));
                        each.chain([last]).collect::<Option<Vec<_>>>()
                    });
                    match children {
                        Some(children) => todo.extend(children.into_iter().rev()),
                        None => told(number, Err("the page's children cannot be told")),
                    }
                    continue;
                }
                _ => None,
            };
            match cells {
                Some(cells) => self.leaf(number, page, cells, told),
                None => told(number, Err("the page is none of a table")),
            }
        }
    }

    fn leaf(
        &mut self,
        number: usize,
        page: &[u8],
        cells: impl Iterator<Item = usize>,
        told: Told<'_>,
    ) {
        // Cells do not overlap, so that few bytes do not make many rows.
        let mut left = self.usable;
        for cell in cells {
            let payload = match self.payload(page, cell, &mut left) {
                Ok(payload) => payload,
                Err(reason) => {
                    told(number, Err(reason));
                    continue;
                }
            };
            match row(&payload) {
                Some(row) => told(number, Ok(&row)),
                None => told(number, Err("a row cannot be read")),
            }
        }
    }

    /// The row at `cell`, with what lies on further pages. `left` are the bytes of the page not yet taken.
    fn payload<'p>(
        &mut self,
        page: &'p [u8],
        cell: usize,
        left: &mut usize,
    ) -> Result<Cow<'p, [u8]>, &'static str> {
        let cut = "a row is cut short";
        let mut rest = page.get(cell..self.usable).ok_or(cut)?;
        let length =
            varint(&mut rest).and_then(|length| usize::try_from(length).ok()).ok_or(cut)?;
        varint(&mut rest).ok_or(cut)?;
        if length > self.bytes.len() {
            return Err("a row is larger than the database");
        }
        let local = self.local(length);
        let (data, rest) = rest.split_at_checked(local).ok_or(cut)?;
        *left = left.checked_sub(local.max(1)).ok_or("rows overlap each other")?;
        if local == length {
            return Ok(Cow::from(data));
        }
        let mut next = long(rest, 0).ok_or(cut)?;
        let mut payload = data.to_vec();
        while payload.len() < length {
            let page = self.take(next).ok_or("a row goes on at a page that is not its own")?;
            next = long(page, 0).ok_or(cut)?;
            let more = page[4..self.usable].iter().take(length - payload.len());
            payload.extend(more);
        }
        Ok(Cow::from(payload))
    }

    /// How much of a row of `length` bytes lies in its cell. Source: section 1.6, "X", "M" and "K".
    fn local(&self, length: usize) -> usize {
        let most = self.usable - 35;
        if length <= most {
            return length;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (self.usable - 4);
        if fitting <= most { fitting } else { least }
    }

    /// The page of that number, counted from 1, once.
    fn take(&mut self, number: usize) -> Option<&'a [u8]> {
        let start = number.checked_sub(1)?.checked_mul(self.page_size)?;
        let page = self.bytes.get(start..start.checked_add(self.page_size)?)?;
        let seen = self.seen.get_mut(number)?;
        (!std::mem::replace(seen, true)).then_some(page)
    }
}

/// The offsets of a page's cells, behind a head of `head` bytes.
fn cells(page: &[u8], start: usize, head: usize) -> Option<impl Iterator<Item = usize>> {
    let count = usize::from(u16::from_be_bytes(*page.get(start + 3..)?.first_chunk()?));
    let list = page.get(start + head..)?.get(..count * 2)?;
    Some(list.as_chunks::<2>().0.iter().map(|offset| usize::from(u16::from_be_bytes(*offset))))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*bytes) as usize)
}

/// A number of one to nine bytes. Source: section 1.6, "variable-length integer".
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for index in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if index == 8 {
            return Some(number << 8 | u64::from(*byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

/// The columns of a row. Source: section 2.1, "Record Format".
fn row(payload: &[u8]) -> Option<Vec<Value<'_>>> {
    let mut rest = payload;
    let size = usize::try_from(varint(&mut rest)?).ok()?;
    let head = payload.len() - rest.len();
    let mut kinds = payload.get(head..size)?;
    let mut body = payload.get(size..)?;
    let mut values = Vec::new();
    while !kinds.is_empty() {
        let kind = varint(&mut kinds)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => (kind - 12) / 2,
        };
        let (data, left) = body.split_at_checked(usize::try_from(length).ok()?)?;
        body = left;
        values.push(match kind {
            0 | 7 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => {
                let negative = data[0] & 0x80 != 0;
                let start = if negative { -1 } else { 0 };
                Value::Integer(data.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte)))
            }
            _ if kind % 2 == 0 => Value::Blob(data),
            _ => Value::Text(data),
        });
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length() {
        #[track_caller]
        fn check(bytes: &[u8], expected: Option<u64>) {
            assert_eq!(varint(&mut &bytes[..]), expected);
        }
        check(&[0x7f], Some(127));
        check(&[0x81, 0x00], Some(128));
        check(&[0xff; 9], Some(u64::MAX));
        check(&[0x80; 8], None);
        check(&[], None);
    }

    #[test]
    fn rows() {
        #[track_caller]
        fn check(payload: &[u8], expected: Option<&[Value<'_>]>) {
            assert_eq!(row(payload).as_deref(), expected);
        }
        check(&[3, 1, 15, 0xff, b'a'], Some(&[Value::Integer(-1), Value::Text(b"a")]));
        check(&[4, 0, 9, 14, b'b'], Some(&[Value::Null, Value::Integer(1), Value::Blob(b"b")]));
        check(&[2, 2, 0x01, 0x02], Some(&[Value::Integer(258)]));
        check(&[1], Some(&[]));
        check(&[2, 15], None);
        check(&[2, 10], None);
        check(&[9, 0], None);
        check(&[0], None);
        check(&[], None);
    }

    #[test]
    fn sizes_of_the_part_in_the_page() {
        let bytes = [0; 512];
        let database = Database { bytes: &bytes, page_size: 4096, usable: 4096, seen: Vec::new() };
        for (length, local) in [(4061, 4061), (4062, 489), (4581, 489), (4582, 490), (9000, 816)] {
            assert_eq!(database.local(length), local, "{length}");
        }
    }
}
