//! Builds one segment from advisories. Deterministic: equal advisories, in any order, give equal bytes.
use super::container::{Kind, pack};
use super::details::BlockWriter;
use super::{
    BROKEN_BOUND, FeedDate, KeySpan, Meta, NONE, Row, RowKind, UNDECIDABLE, WITHDRAWN, fix_to_byte,
    section,
};
use crate::name;
use crate::order::Scheme;
use seawall_model::advisory::{Advisory, Affected, Only, Range, RangeEnd};
use seawall_model::finding::FixStatus;
use seawall_model::package::Ecosystem;
use std::collections::{BTreeMap, BTreeSet};
use zerocopy::IntoBytes;

/// Why no segment came of the advisories.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("{0} leaves the 32 bits of the segment layout")]
    TooLarge(&'static str),
    #[error("write details of {record}")]
    Details { record: String, source: serde_json::Error },
    #[error("write the name table")]
    Names(#[from] fst::Error),
}

/// A finished segment and what was left out of it.
#[derive(Debug)]
pub struct Built {
    pub bytes: Vec<u8>,
    pub meta: Meta,
    /// In the order of [`Meta::feeds`].
    pub counts: Vec<Counts>,
}

/// What became of one feed's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub rows: u64,
    /// Listed versions outside the scheme's order: no installed version can equal them.
    pub versions_dropped: u64,
}

/// Records of one feed.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    pub feed: FeedDate,
    pub advisories: Vec<&'a Advisory>,
}

/// As [`build_from`], of one feed.
pub fn build(
    ecosystem: Ecosystem,
    release: Option<&str>,
    feed: FeedDate,
    advisories: &[&Advisory],
) -> Result<Built, BuildError> {
    build_from(ecosystem, release, vec![Source { feed, advisories: advisories.to_vec() }])
}

/// Takes the entries of all sources that are of this ecosystem and release.
pub fn build_from(
    ecosystem: Ecosystem,
    release: Option<&str>,
    mut sources: Vec<Source<'_>>,
) -> Result<Built, BuildError> {
    sources.sort_by(|a, b| a.feed.cmp(&b.feed));
    let feeds: Vec<FeedDate> = sources.iter().map(|source| source.feed.clone()).collect();
    u8::try_from(feeds.len()).map_err(|_| BuildError::TooLarge("the feed count"))?;
    let mut advisories: Vec<(u8, &Advisory)> = (0u8..)
        .zip(sources)
        .flat_map(|(feed, source)| source.advisories.into_iter().map(move |own| (feed, own)))
        .collect();
    // Advisories of one package lie in one block of details.
    advisories.sort_by(|(feed_a, a), (feed_b, b)| {
        (first_name(a), &a.id, feed_a).cmp(&(first_name(b), &b.id, feed_b))
    });
    let scheme = Scheme::of(ecosystem);
    let mut drafts: BTreeMap<String, Vec<Draft>> = BTreeMap::new();
    let mut counts = vec![Counts::default(); feeds.len()];
    let mut fixed_only = true;
    let own = |affected: &&Affected| {
        affected.ecosystem == ecosystem && affected.release.as_deref() == release
    };
    for (place, (feed, advisory)) in advisories.iter().enumerate() {
        let advisory_place =
            u32::try_from(place).map_err(|_| BuildError::TooLarge("the advisory count"))?;
        for (entry, affected) in (0u32..).zip(advisory.affected.iter().filter(own)) {
            let counts = &mut counts[usize::from(*feed)];
            let mut rows = entry_rows(scheme, affected, &mut counts.versions_dropped);
            counts.rows += rows.len() as u64;
            for row in &mut rows {
                (row.advisory, row.entry, row.feed, row.withdrawn) =
                    (advisory_place, entry, *feed, advisory.withdrawn.is_some());
            }
            let unfixed = rows.iter().any(|row| row.kind == RowKind::Open);
            fixed_only &= !unfixed || announces_fixes(ecosystem, &advisory.id);
            drafts.entry(name::normalize(ecosystem, &affected.name)).or_default().extend(rows);
        }
    }
    let keys = KeyTable::of(drafts.values().flatten())?;
    let only: BTreeSet<&Only> = drafts
        .values()
        .flatten()
        .map(|draft| &draft.only)
        .filter(|only| !only.is_empty())
        .collect();
    let only: Vec<&Only> = only.into_iter().collect();
    let (names, rows) = posting(&drafts, &keys, &only)?;
    let mut writer = BlockWriter::default();
    for (_, advisory) in &advisories {
        let affected = kept_entries(advisory.affected.iter().filter(own));
        let text = Advisory { affected, ..(*advisory).clone() };
        let json = serde_json::to_vec(&text)
            .map_err(|source| BuildError::Details { record: advisory.id.clone(), source })?;
        writer.add(&json).ok_or(BuildError::TooLarge("the details"))?;
    }
    let blocks = writer.finish().ok_or(BuildError::TooLarge("the details"))?;
    let count = |n: usize| u32::try_from(n).map_err(|_| BuildError::TooLarge("a count"));
    let meta = Meta {
        ecosystem,
        release: release.map(str::to_owned),
        scheme,
        built: feeds.iter().filter_map(|feed| feed.newest).max(),
        feeds,
        fixed_only,
        advisories: count(advisories.len())?,
        rows: count(rows.len())?,
        names: count(drafts.len())?,
    };
    let mut sections = vec![Vec::new(); section::COUNT];
    sections[section::META] = serde_json::to_vec(&meta).expect("plain values serialise");
    sections[section::NAMES] = names;
    sections[section::ROWS] = rows.as_bytes().to_vec();
    sections[section::KEY_SPANS] = keys.spans.as_bytes().to_vec();
    sections[section::KEYS] = keys.bytes;
    sections[section::RECORDS] = blocks.records;
    sections[section::BLOCK_SPANS] = blocks.spans;
    sections[section::BLOCKS] = blocks.blocks;
    sections[section::ONLY] = serde_json::to_vec(&only).expect("plain values serialise");
    Ok(Built { bytes: pack(Kind::Segment, &sections), meta, counts })
}

/// Drops the listed versions that a range of the same entry holds: feeds that list every version would otherwise
/// fill memory with what the ranges say already.
pub fn drop_listed_within_ranges(affected: &mut Affected) {
    let scheme = Scheme::of(affected.ecosystem);
    let versions = std::mem::take(&mut affected.versions);
    let ranges = entry_rows(scheme, affected, &mut 0);
    let beyond = |version: &String| {
        scheme.key(version).is_none_or(|key| !ranges.iter().any(|row| row.holds(&key)))
    };
    affected.versions = versions.into_iter().filter(beyond).collect();
}

/// A row before its versions have places in the key table.
#[derive(Clone)]
struct Draft {
    advisory: u32,
    entry: u32,
    feed: u8,
    introduced: Option<(Vec<u8>, String)>,
    end: Option<(Vec<u8>, String)>,
    kind: RowKind,
    withdrawn: bool,
    undecidable: bool,
    broken_bound: bool,
    unfixed: FixStatus,
    only: Only,
}

fn first_name(advisory: &Advisory) -> &str {
    advisory.affected.first().map_or("", |affected| affected.name.as_str())
}

/// The entries as details keep them: empty, unless one of them rates its package or says why it is not affected. Rows
/// name them by place.
fn kept_entries<'a>(entries: impl Iterator<Item = &'a Affected> + Clone) -> Vec<Affected> {
    let is_reason = |range: &&Range| matches!(&range.end, RangeEnd::NotAffected(Some(reason)) if !reason.is_empty());
    let silent = |entry: &Affected| {
        entry.severity.is_none() && !entry.ranges.iter().any(|range| is_reason(&range))
    };
    if entries.clone().all(silent) {
        return Vec::new();
    }
    let bare = |entry: &Affected| Affected {
        ecosystem: entry.ecosystem,
        release: entry.release.clone(),
        name: entry.name.clone(),
        ranges: entry.ranges.iter().filter(is_reason).cloned().collect(),
        versions: Vec::new(),
        severity: entry.severity.clone(),
        undecidable: entry.undecidable,
        only: Only::default(),
        unfixed: entry.unfixed,
    };
    entries.map(bare).collect()
}

/// Debian's DSA and DLA are published with the fix; the few without one end the support of a package.
fn announces_fixes(ecosystem: Ecosystem, record: &str) -> bool {
    ecosystem == Ecosystem::Debian && (record.starts_with("DSA-") || record.starts_with("DLA-"))
}

/// The rows of one entry: its ranges, then the listed versions that no decidable range holds already.
fn entry_rows(scheme: Scheme, affected: &Affected, versions_dropped: &mut u64) -> Vec<Draft> {
    let mut rows: Vec<Draft> = Vec::new();
    let keyed = |version: &String| {
        let compared = name::bound(affected.ecosystem, version);
        scheme.key(&compared).map(|key| (key, version.clone()))
    };
    let draft = |introduced, end, kind| Draft {
        advisory: 0,
        entry: 0,
        feed: 0,
        introduced,
        end,
        kind,
        withdrawn: false,
        undecidable: affected.undecidable,
        broken_bound: false,
        unfixed: affected.unfixed,
        only: affected.only.clone(),
    };
    for range in &affected.ranges {
        let introduced = range.introduced.as_ref().map(|version| keyed(version).ok_or(()));
        let (end, kind) = match &range.end {
            // Distros write the fix `0` for a package that never was affected.
            RangeEnd::Fixed(version) if version == "0" && range.introduced.is_none() => {
                rows.push(draft(None, None, RowKind::NotAffected));
                continue;
            }
            RangeEnd::Fixed(version) => (Some(keyed(version).ok_or(())), RowKind::Fixed),
            RangeEnd::LastAffected(version) => {
                (Some(keyed(version).ok_or(())), RowKind::LastAffected)
            }
            RangeEnd::Open => (None, RowKind::Open),
            RangeEnd::NotAffected(_) => {
                rows.push(draft(None, None, RowKind::NotAffected));
                continue;
            }
        };
        rows.push(match (introduced.transpose(), end.transpose()) {
            (Ok(introduced), Ok(end)) => draft(introduced, end, kind),
            // A bound outside the order decides nothing: every version is then unknown, none is clean.
            _ => {
                Draft { undecidable: true, broken_bound: true, ..draft(None, None, RowKind::Open) }
            }
        });
    }
    let ranges = rows.clone();
    let mut listed = BTreeMap::new();
    for version in &affected.versions {
        match scheme.key(version) {
            Some(key) if !ranges.iter().any(|row| row.holds(&key)) => {
                listed.entry(key).or_insert_with(|| version.clone());
            }
            Some(_) => {}
            None => *versions_dropped += 1,
        }
    }
    let listed = listed
        .into_iter()
        .map(|key| Draft { undecidable: false, ..draft(None, Some(key), RowKind::Listed) });
    rows.extend(listed);
    rows
}

impl Draft {
    fn holds(&self, key: &[u8]) -> bool {
        let from =
            self.introduced.as_ref().is_none_or(|(introduced, _)| introduced.as_slice() <= key);
        let end = self.end.as_ref().map(|(end, _)| end.as_slice());
        let to = match self.kind {
            RowKind::Open => true,
            RowKind::Fixed => end.is_some_and(|end| key < end),
            RowKind::LastAffected => end.is_some_and(|end| key <= end),
            RowKind::Listed => end == Some(key),
            RowKind::NotAffected => false,
        };
        from && to && !self.undecidable
    }
}

/// Every version once, in the order of the scheme, then as written.
struct KeyTable {
    places: BTreeMap<(Vec<u8>, String), u32>,
    spans: Vec<KeySpan>,
    bytes: Vec<u8>,
}

impl KeyTable {
    fn of<'d>(drafts: impl Iterator<Item = &'d Draft>) -> Result<Self, BuildError> {
        let too_large = || BuildError::TooLarge("the key table");
        let versions: BTreeSet<_> =
            drafts.flat_map(|draft| draft.introduced.iter().chain(&draft.end)).cloned().collect();
        let (mut places, mut spans, mut bytes) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (key, text) in versions {
            let size = |n: usize| u32::try_from(n).map_err(|_| too_large());
            spans.push(KeySpan {
                key_start: size(bytes.len())?.into(),
                key_len: size(key.len())?.into(),
                text_len: size(text.len())?.into(),
            });
            bytes.extend(&key);
            bytes.extend(text.as_bytes());
            let place = size(spans.len() - 1)?;
            places.insert((key, text), place);
        }
        // The last place stands for "none".
        if spans.len() >= NONE as usize {
            Err(too_large())
        } else {
            Ok(Self { places, spans, bytes })
        }
    }

    fn place(&self, version: Option<&(Vec<u8>, String)>) -> u32 {
        version.map_or(NONE, |version| self.places.get(version).copied().unwrap_or(NONE))
    }
}

/// The name table and the rows in its order.
fn posting(
    drafts: &BTreeMap<String, Vec<Draft>>,
    keys: &KeyTable,
    only: &[&Only],
) -> Result<(Vec<u8>, Vec<Row>), BuildError> {
    let mut rows: Vec<Row> = Vec::new();
    let mut names = fst::MapBuilder::memory();
    for (name, drafts) in drafts {
        let start = rows.len() as u64;
        rows.extend(drafts.iter().map(|draft| Row {
            advisory: draft.advisory.into(),
            entry: draft.entry.into(),
            introduced: keys.place(draft.introduced.as_ref()).into(),
            end: keys.place(draft.end.as_ref()).into(),
            kind: draft.kind as u8,
            flags: (WITHDRAWN * u8::from(draft.withdrawn))
                | (UNDECIDABLE * u8::from(draft.undecidable))
                | (BROKEN_BOUND * u8::from(draft.broken_bound)),
            feed: draft.feed,
            unfixed: fix_to_byte(draft.unfixed),
            only: place_of(&draft.only, only).into(),
        }));
        if rows.len() >= NONE as usize {
            return Err(BuildError::TooLarge("the row count"));
        }
        names.insert(name, start << 32 | (rows.len() as u64 - start))?;
    }
    Ok((names.into_inner()?, rows))
}

fn place_of(own: &Only, all: &[&Only]) -> u32 {
    let place = all.binary_search(&own).ok().and_then(|place| u32::try_from(place).ok());
    place.unwrap_or(NONE)
}
