//! The header of one installed package, as all databases of rpm hold it.
//! Source: rpm `lib/header.c`, rpm documentation "RPM V4 Header format"; numbers are big-endian.
//!
//! ```text
//! entries u32 | data bytes u32 | entries × {tag, type, offset, count: u32} | data
//! ```
use std::borrow::Cow;

/// Entries, as rpm itself bounds them: `HEADER_TAGS_MAX`.
const MAX_ENTRIES: usize = 0xffff;
/// Bytes of data, as rpm itself bounds them: `HEADER_DATA_MAX`.
const MAX_DATA: usize = 0x0fff_ffff;
/// Bytes.
const ENTRY: usize = 16;

/// Source: rpm `rpmtag.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Tag {
    Name = 1000,
    Version = 1001,
    Release = 1002,
    Epoch = 1003,
    Vendor = 1011,
    Arch = 1022,
    SourceRpm = 1044,
    DirIndexes = 1116,
    BaseNames = 1117,
    DirNames = 1118,
    ModularityLabel = 5096,
}

/// Source: rpm `rpmtag.h`, `rpmTagType_e`.
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18NSTRING: u32 = 9;

/// A header whose parts lie within its bytes.
pub(super) struct Header<'a> {
    entries: &'a [[u8; ENTRY]],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, &'static str> {
        let (entries, rest) = number(blob).ok_or("the header of a package is cut short")?;
        let (bytes, rest) = number(rest).ok_or("the header of a package is cut short")?;
        let (entries, bytes) = (entries as usize, bytes as usize);
        if entries == 0 || entries > MAX_ENTRIES || bytes > MAX_DATA {
            return Err("the header of a package has impossible sizes");
        }
        let cut = rest.split_at_checked(entries * ENTRY);
        let (index, data) = cut.ok_or("the header of a package is cut short")?;
        let data = data.get(..bytes).ok_or("the header of a package is cut short")?;
        Ok(Self { entries: index.as_chunks().0, data })
    }

    /// The first text of a tag.
    pub(super) fn text(&self, tag: Tag) -> Option<Cow<'a, str>> {
        self.texts(tag).next()
    }

    /// The texts of a tag; fewer than it claims where the data end.
    pub(super) fn texts(&self, tag: Tag) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let (mut rest, count) = match self.find(tag) {
            Some((STRING | I18NSTRING, data, _)) => (data, 1),
            Some((STRING_ARRAY, data, count)) => (data, count),
            _ => (&[][..], 0),
        };
        (0..count).map_while(move |_| {
            let end = rest.iter().position(|byte| *byte == 0)?;
            let text = &rest[..end];
            rest = &rest[end + 1..];
            Some(String::from_utf8_lossy(text))
        })
    }

    /// The numbers of a tag; fewer than it claims where the data end.
    pub(super) fn numbers(&self, tag: Tag) -> impl Iterator<Item = u32> + use<'a> {
        let (data, count) = match self.find(tag) {
            Some((INT32, data, count)) => (data, count),
            _ => (&[][..], 0),
        };
        data.as_chunks::<4>().0.iter().take(count).map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// How many values a tag claims.
    pub(super) fn count(&self, tag: Tag) -> usize {
        self.find(tag).map_or(0, |(_, _, count)| count)
    }

    /// Type, data and count. The last entry of a tag counts: what was added to a signed header stands behind it, and
    /// replaces what it repeats.
    fn find(&self, tag: Tag) -> Option<(u32, &'a [u8], usize)> {
        let tag = (tag as u32).to_be_bytes();
        let entry = self.entries.iter().rfind(|entry| entry[..4] == tag)?;
        let field = |at: usize| number(&entry[at..]).map(|(field, _)| field);
        let (kind, offset, count) = (field(4)?, field(8)?, field(12)?);
        Some((kind, self.data.get(offset as usize..)?, count as usize))
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// A header with these values, for tests of what holds one.
#[cfg(test)]
pub(super) fn build(values: &[(Tag, Value)]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, value) in values {
        let kind = match value {
            Value::Text(_) => STRING,
            Value::Texts(_) => STRING_ARRAY,
            Value::Numbers(_) => INT32,
        };
        let at = data.len() as u32;
        let count = match value {
            Value::Text(text) => {
                data.extend([text.as_bytes(), b"\0"].concat());
                1
            }
            Value::Texts(texts) => {
                texts.iter().for_each(|text| data.extend([text.as_bytes(), b"\0"].concat()));
                texts.len() as u32
            }
            Value::Numbers(numbers) => {
                numbers.iter().for_each(|number| data.extend(number.to_be_bytes()));
                numbers.len() as u32
            }
        };
        [*tag as u32, kind, at, count].iter().for_each(|word| index.extend(word.to_be_bytes()));
    }
    let sizes = [values.len() as u32, data.len() as u32].map(u32::to_be_bytes);
    [&sizes.concat()[..], &index, &data].concat()
}

#[cfg(test)]
pub(super) enum Value {
    Text(&'static str),
    Texts(&'static [&'static str]),
    Numbers(&'static [u32]),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let blob = build(&[
            (Tag::Name, Value::Text("a")),
            (Tag::BaseNames, Value::Texts(&["x", "", "z"])),
            (Tag::DirIndexes, Value::Numbers(&[0, 1, u32::MAX])),
            (Tag::Name, Value::Text("b")),
        ]);
        let header = Header::parse(&blob).unwrap();
        assert_eq!(header.text(Tag::Name).unwrap(), "b");
        assert_eq!(header.text(Tag::Version), None);
        assert_eq!(header.texts(Tag::BaseNames).collect::<Vec<_>>(), ["x", "", "z"]);
        assert_eq!(header.numbers(Tag::DirIndexes).collect::<Vec<_>>(), [0, 1, u32::MAX]);
        assert_eq!(header.numbers(Tag::Name).count(), 0);
        assert_eq!(header.count(Tag::BaseNames), 3);
        for length in 0..blob.len() {
            assert!(Header::parse(&blob[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn claims_beyond_the_data() {
        #[track_caller]
        fn check(kind: u32, offset: u32, count: u32, texts: usize, numbers: usize) {
            let words = [1, 4, Tag::Name as u32, kind, offset, count].map(u32::to_be_bytes);
            let blob = [&words.concat()[..], b"ab\0c"].concat();
            let header = Header::parse(&blob).unwrap();
            let told = (header.texts(Tag::Name).count(), header.numbers(Tag::Name).count());
            assert_eq!(told, (texts, numbers));
        }
        check(STRING, 0, 1, 1, 0);
        check(STRING_ARRAY, 0, u32::MAX, 1, 0);
        check(STRING, 3, 1, 0, 0);
        check(STRING, 4, 1, 0, 0);
        check(STRING, 5, 1, 0, 0);
        check(STRING, u32::MAX, u32::MAX, 0, 0);
        check(INT32, 0, u32::MAX, 0, 1);
        check(INT32, 1, 1, 0, 0);
        check(77, 0, 1, 0, 0);
        assert!(Header::parse(&[0xff; 64]).is_err());
        assert!(Header::parse(&[0; 64]).is_err());
    }
}
