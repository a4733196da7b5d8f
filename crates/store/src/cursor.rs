//! Cursors: where a page ended, sealed so that it only continues the list it came from.
use crate::cell::Cell;
use crate::error::{Error, Result};
use seawall_model::{Id, Millis};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The last row of a page. Times of the filter stay those of the first page, or rows would slip between pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) id: Id,
    pub(crate) text: Option<String>,
    pub(crate) int: Option<i64>,
    pub(crate) now: Millis,
}

/// What a cursor belongs to.
pub(crate) struct List<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) noun: &'static str,
    pub(crate) filter: &'a str,
    pub(crate) sort: &'a str,
}

/// Bytes of the seal; enough against guessing, short enough for a URL.
const SEAL: usize = 16;

impl Cursor {
    pub(crate) fn cell(&self) -> Cell {
        match (&self.text, self.int) {
            (Some(text), _) => Cell::Text(text.clone()),
            (None, Some(number)) => Cell::Int(number),
            (None, None) => Cell::Absent,
        }
    }

    pub(crate) fn seal(&self, list: &List<'_>) -> Result<String> {
        let body =
            serde_json::to_vec(self).map_err(|source| Error::Encode { noun: "cursor", source })?;
        Ok(format!("{}{}", hex::encode(seal(list, &body)), hex::encode(body)))
    }

    pub(crate) fn open(text: &str, list: &List<'_>) -> Result<Self> {
        let bytes = hex::decode(text).map_err(|_| Error::Cursor)?;
        let (mark, body) = bytes.split_at_checked(SEAL).ok_or(Error::Cursor)?;
        if mark != seal(list, body) {
            return Err(Error::Cursor);
        }
        serde_json::from_slice(body).map_err(|_| Error::Cursor)
    }
}

/// It guards against mistakes: what a caller may see is decided anew on every page.
fn seal(list: &List<'_>, body: &[u8]) -> [u8; SEAL] {
    let parts = [list.noun.as_bytes(), list.filter.as_bytes(), list.sort.as_bytes(), body];
    let mut seal = [0; SEAL];
    seal.copy_from_slice(&keyed(list.key, &parts)[..SEAL]);
    seal
}

/// A nested hash as in HMAC (RFC 2104), each part with its length.
pub(crate) fn keyed(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut inner = Sha256::new();
    for part in std::iter::once(&key).chain(parts) {
        inner.update((part.len() as u64).to_be_bytes());
        inner.update(part);
    }
    Sha256::new().chain_update(key).chain_update(inner.finalize()).finalize().into()
}

#[test]
fn a_cursor_fits_only_its_list() {
    let cursor = Cursor { id: Id::new(5, [1; 10]), text: Some("x".to_owned()), int: None, now: 7 };
    let list = List { key: b"key", noun: "alert", filter: "a", sort: "-last" };
    let text = cursor.seal(&list).unwrap();
    assert_eq!(Cursor::open(&text, &list).unwrap(), cursor);
    let others = [
        List { noun: "image", ..list },
        List { filter: "b", ..list },
        List { sort: "last", ..list },
        List { key: b"other", ..list },
    ];
    for other in others {
        assert!(matches!(Cursor::open(&text, &other), Err(Error::Cursor)));
    }
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(matches!(Cursor::open(&changed, &list), Err(Error::Cursor)), "byte {at}");
    }
    assert!(Cursor::open("", &list).is_err() && Cursor::open("zz", &list).is_err());
}
