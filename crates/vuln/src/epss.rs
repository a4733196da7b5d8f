//! Exploit predictions: how likely a CVE is exploited within 30 days. Source: first.org, EPSS.
use crate::part::{self, Part, PartMeta};
use crate::segment::container::{Kind, SegmentError};
use crate::segment::{BuildError, FeedDate};
use seawall_model::finding;
use std::collections::BTreeMap;

/// Units of one, as the model publishes them: five decimals.
const UNITS: f64 = 100_000.0;
/// Bits of one number in units.
const BITS: u32 = 17;
const MASK: u64 = (1 << BITS) - 1;

/// The open list.
pub struct Epss(Part);

/// Score and percentile, each 0 to 1; five decimals are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    pub score: f64,
    pub percentile: f64,
}

/// `feed`: its date is the day that the model ran for.
pub fn build(
    feed: FeedDate,
    entries: &BTreeMap<String, Prediction>,
) -> Result<Vec<u8>, BuildError> {
    // In range by the clamp: at most 100,000.
    let units = |share: f64| (share.clamp(0.0, 1.0) * UNITS).round() as u64;
    let packed = |own: &Prediction| units(own.score) << BITS | units(own.percentile);
    part::pack(
        Kind::Epss,
        feed,
        entries.iter().map(|(id, own)| (id.as_str(), packed(own))),
        Vec::new(),
    )
}

impl Epss {
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, SegmentError> {
        Part::open(bytes, Kind::Epss, 0).map(Self)
    }

    pub fn meta(&self) -> &PartMeta {
        self.0.meta()
    }

    /// SHA-256 of the content, hexadecimal.
    pub fn digest(&self) -> &str {
        self.0.digest()
    }

    /// Of a CVE.
    pub fn of(&self, cve: &str) -> Option<finding::Epss> {
        let packed = self.0.get(cve)?;
        let share = |units: u64| ((units & MASK) as f64 / UNITS).min(1.0);
        let as_of = self.meta().feed.newest.unwrap_or_default();
        Some(finding::Epss { score: share(packed >> BITS), percentile: share(packed), as_of })
    }
}

#[test]
fn predictions_survive_their_file() {
    let feed = FeedDate { key: "epss".into(), newest: Some(5) };
    let entries = BTreeMap::from([
        ("CVE-1999-0001".to_owned(), Prediction { score: 0.00383, percentile: 0.73075 }),
        ("CVE-1999-0005".to_owned(), Prediction { score: 1.0, percentile: 1.0 }),
    ]);
    let epss = Epss::open(build(feed, &entries).unwrap()).unwrap();
    let first = finding::Epss { score: 0.00383, percentile: 0.73075, as_of: 5 };
    assert_eq!(epss.of("CVE-1999-0001"), Some(first));
    assert_eq!(epss.of("CVE-1999-0005").unwrap().score, 1.0);
    assert_eq!(epss.of("CVE-1999-0002"), None);
    assert_eq!(epss.meta().entries, 2);
}
