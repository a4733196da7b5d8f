//! When releases of products stop getting fixes. Source: endoflife.date, API 1.0.
use crate::part::{self, Part, PartMeta};
use crate::segment::container::{Kind, SegmentError};
use crate::segment::{BuildError, FeedDate};
use seawall_model::Millis;
use std::collections::BTreeMap;

/// The open list.
pub struct EndOfLife(Part);

/// Of one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// It had ended when the feed was written.
    pub over: bool,
    /// Epoch milliseconds, where a day is known.
    pub ends: Option<Millis>,
}

/// `entries` by product and release, as [`EndOfLife::of`] is asked.
pub fn build(
    feed: FeedDate,
    entries: &BTreeMap<(String, String), Life>,
) -> Result<Vec<u8>, BuildError> {
    let named: BTreeMap<String, Life> =
        entries.iter().map(|((product, release), life)| (name(product, release), *life)).collect();
    // No product of today ended before 1970, so 0 is a day that is not known.
    let packed = |life: &Life| {
        let ends = u64::try_from(life.ends.unwrap_or_default()).unwrap_or_default();
        ends << 1 | u64::from(life.over)
    };
    part::pack(
        Kind::EndOfLife,
        feed,
        named.iter().map(|(name, life)| (name.as_str(), packed(life))),
        Vec::new(),
    )
}

fn name(product: &str, release: &str) -> String {
    format!("{product}\0{release}")
}

impl EndOfLife {
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, SegmentError> {
        Part::open(bytes, Kind::EndOfLife, 0).map(Self)
    }

    pub fn meta(&self) -> &PartMeta {
        self.0.meta()
    }

    /// SHA-256 of the content, hexadecimal.
    pub fn digest(&self) -> &str {
        self.0.digest()
    }

    /// By the product's name there and the release, `ubuntu` `18.04`.
    pub fn of(&self, product: &str, release: &str) -> Option<Life> {
        let packed = self.0.get(&name(product, release))?;
        let ends = Millis::try_from(packed >> 1).ok().filter(|ends| *ends > 0);
        Some(Life { over: packed & 1 == 1, ends })
    }
}

#[test]
fn lives_survive_their_file() {
    let feed = FeedDate { key: "endoflife".into(), newest: None };
    let life = |over, ends| Life { over, ends };
    let of = |release: &str| ("ubuntu".to_owned(), release.to_owned());
    let entries = BTreeMap::from([
        (of("18.04"), life(true, Some(1_682_467_200_000))),
        (of("24.04"), life(false, None)),
    ]);
    let list = EndOfLife::open(build(feed, &entries).unwrap()).unwrap();
    for ((product, release), expected) in &entries {
        assert_eq!(list.of(product, release).as_ref(), Some(expected), "{release}");
    }
    assert_eq!(list.of("ubuntu", "18"), None);
}
