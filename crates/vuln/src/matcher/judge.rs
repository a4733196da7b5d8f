//! What each record of a package says about one version.
use crate::order::symbol;
use crate::segment::{BROKEN_BOUND, Row, RowKind, Segment, UNDECIDABLE, WITHDRAWN};
use seawall_model::finding::{Compared, FixStatus};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// One record's answer, with the comparisons that led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Place of the record in the segment.
    pub advisory: u32,
    /// Place of its feed in the segment's meta data.
    pub feed: u8,
    /// Which of the record's entries decided; the first one that names the package where none did.
    pub entry: u32,
    pub verdict: Verdict,
    pub compared: Vec<Compared>,
    pub fix: FixStatus,
    /// Versions that end the ranges the installed one lies in, lowest first.
    pub fixes: Vec<String>,
    /// A listed version matched, no range.
    pub listed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Affected,
    Unknown(Reason),
    NotAffected(Reason),
}

/// Why a record does not make a finding, or none that is sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The installed version lies in no range and is not listed.
    OutsideRanges,
    /// Below every version that introduces it.
    BeforeIntroduced,
    /// At or past the fix.
    FixInstalled,
    /// The record says that the package never was affected.
    NeverAffected,
    Withdrawn,
    /// The record narrows its range by more than versions.
    Undecidable,
    /// The installed version is outside the order.
    NotComparable,
    /// A bound of the record is outside the order.
    BoundNotComparable,
}

/// One judgement per record that names the package, in the order of the segment.
pub fn judge(segment: &Segment, name: &str, version: &str) -> Vec<Judgement> {
    let rows = segment.rows(name);
    if rows.is_empty() {
        return Vec::new();
    }
    let key = segment.meta().scheme.key(version);
    let installed = Installed { segment, version, key: key.as_deref() };
    rows.chunk_by(|a, b| a.advisory == b.advisory).map(|rows| installed.record(rows)).collect()
}

struct Installed<'a> {
    segment: &'a Segment,
    version: &'a str,
    key: Option<&'a [u8]>,
}

impl Installed<'_> {
    fn record(&self, rows: &[Row]) -> Judgement {
        let first = rows.first().expect("chunks are not empty");
        let mut judgement = Judgement {
            advisory: first.advisory.get(),
            feed: first.feed,
            entry: first.entry.get(),
            verdict: Verdict::NotAffected(Reason::OutsideRanges),
            compared: Vec::new(),
            fix: FixStatus::Unknown,
            fixes: Vec::new(),
            listed: false,
        };
        if first.flags & WITHDRAWN != 0 {
            judgement.verdict = Verdict::NotAffected(Reason::Withdrawn);
            return judgement;
        }
        let Some(key) = self.key else {
            let never = rows.iter().all(|row| row.kind == RowKind::NotAffected as u8);
            judgement.verdict = match never {
                true => Verdict::NotAffected(Reason::NeverAffected),
                false => Verdict::Unknown(Reason::NotComparable),
            };
            return judgement;
        };
        let holding: Vec<&Row> = rows.iter().filter(|row| self.holds(row, key)).collect();
        let (unsure, sure): (Vec<&Row>, Vec<&Row>) =
            holding.into_iter().partition(|row| row.flags & UNDECIDABLE != 0);
        let deciding = if sure.is_empty() { &unsure } else { &sure };
        let Some(decisive) = deciding.first() else {
            let reasons = rows.iter().map(|row| self.reason(row, key));
            // The nearest miss explains best: a fix that is installed, then an introduction still ahead.
            let reason = reasons.min_by_key(|reason| *reason != Reason::FixInstalled);
            judgement.verdict = Verdict::NotAffected(reason.unwrap_or(Reason::OutsideRanges));
            judgement.compared = rows.iter().flat_map(|row| self.compared(row, key)).collect();
            return judgement;
        };
        judgement.entry = decisive.entry.get();
        let broken = unsure.iter().any(|row| row.flags & BROKEN_BOUND != 0);
        judgement.verdict = match (sure.is_empty(), broken) {
            (false, _) => Verdict::Affected,
            (true, true) => Verdict::Unknown(Reason::BoundNotComparable),
            (true, false) => Verdict::Unknown(Reason::Undecidable),
        };
        judgement.compared = deciding.iter().flat_map(|row| self.compared(row, key)).collect();
        judgement.listed = deciding.iter().all(|row| row.kind == RowKind::Listed as u8);
        if !sure.is_empty() {
            (judgement.fix, judgement.fixes) = self.fixes(&sure, rows, key);
        }
        judgement
    }

    fn holds(&self, row: &Row, key: &[u8]) -> bool {
        let from = self.order(key, row.introduced.get()).is_none_or(Ordering::is_ge);
        let end = self.order(key, row.end.get());
        let to = match RowKind::from_byte(row.kind) {
            Some(RowKind::Open) => true,
            Some(RowKind::Fixed) => end.is_some_and(Ordering::is_lt),
            Some(RowKind::LastAffected) => end.is_some_and(Ordering::is_le),
            Some(RowKind::Listed) => end.is_some_and(Ordering::is_eq),
            Some(RowKind::NotAffected) | None => false,
        };
        from && to
    }

    fn order(&self, key: &[u8], place: u32) -> Option<Ordering> {
        self.segment.key(place).map(|(bound, _)| key.cmp(bound))
    }

    fn reason(&self, row: &Row, key: &[u8]) -> Reason {
        if row.kind == RowKind::NotAffected as u8 {
            return Reason::NeverAffected;
        }
        if self.order(key, row.introduced.get()).is_some_and(Ordering::is_lt) {
            return Reason::BeforeIntroduced;
        }
        match row.kind == RowKind::Fixed as u8 {
            true => Reason::FixInstalled,
            false => Reason::OutsideRanges,
        }
    }

    fn compared(&self, row: &Row, key: &[u8]) -> Vec<Compared> {
        let end = match RowKind::from_byte(row.kind) {
            Some(RowKind::Fixed) => "fixed",
            Some(RowKind::LastAffected) => "last_affected",
            Some(RowKind::Listed) => "listed",
            _ => "open",
        };
        let bounds = [(row.introduced.get(), "introduced"), (row.end.get(), end)];
        let compared = bounds.into_iter().filter_map(|(place, kind)| {
            let (bound, text) = self.segment.key(place)?;
            Some(Compared {
                installed: self.version.to_owned(),
                order: symbol(key.cmp(bound)).to_owned(),
                bound: text.to_owned(),
                kind: kind.to_owned(),
            })
        });
        compared.collect()
    }

    /// The fixes of the rows that hold; where those name none but are not open, the next fix of the same entry.
    fn fixes(&self, holding: &[&Row], rows: &[Row], key: &[u8]) -> (FixStatus, Vec<String>) {
        let mut fixes: BTreeMap<&[u8], &str> = BTreeMap::new();
        let mut open = false;
        for row in holding {
            match RowKind::from_byte(row.kind) {
                Some(RowKind::Fixed) => fixes.extend(self.segment.key(row.end.get())),
                Some(RowKind::Open) => open = true,
                _ => {
                    let own = |other: &&Row| {
                        other.entry == row.entry && other.kind == RowKind::Fixed as u8
                    };
                    let ends =
                        rows.iter().filter(own).filter_map(|row| self.segment.key(row.end.get()));
                    fixes.extend(ends.filter(|(bound, _)| *bound > key).min());
                }
            }
        }
        let status = match (fixes.is_empty(), open) {
            (false, _) => FixStatus::Available,
            (true, true) => FixStatus::None,
            (true, false) => FixStatus::Unknown,
        };
        (status, fixes.into_values().map(str::to_owned).collect())
    }
}
