//! What each record of a package says about one version.
use super::only;
use super::rhel;
use super::subject::Subject;
use crate::name;
use crate::order::symbol;
use crate::segment::{
    BROKEN_BOUND, Meta, Row, RowKind, Segment, UNDECIDABLE, WITHDRAWN, fix_from_byte,
};
use seawall_model::finding::{Compared, FixStatus, FixVersion, Qualifier};
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
    /// Versions that end the ranges the installed one lies in, lowest first; those of everybody's channel before others.
    pub fixes: Vec<FixVersion>,
    /// A listed version matched, no range.
    pub listed: bool,
    /// The record speaks of the source package.
    pub by_source: bool,
    /// What was asked beside the version: of the row that decided, or what failed.
    pub qualifiers: Vec<Qualifier>,
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
    /// It speaks of another architecture, module, product or flavour.
    Qualifier,
    Withdrawn,
    /// The record narrows its range by more than versions.
    Undecidable,
    /// The installed version is outside the order.
    NotComparable,
    /// A bound of the record is outside the order.
    BoundNotComparable,
}

/// One judgement per record that names the package, in the order of the segment.
pub fn judge(segment: &Segment, subject: &Subject<'_>) -> Vec<Judgement> {
    let rows = segment.rows(&subject.name);
    if rows.is_empty() {
        return Vec::new();
    }
    let Meta { ecosystem, scheme, .. } = segment.meta();
    let key =
        scheme.key(&subject.version).filter(|_| !name::is_branch(*ecosystem, &subject.version));
    let installed = Installed { segment, subject, key: key.as_deref() };
    rows.chunk_by(|a, b| a.advisory == b.advisory).map(|rows| installed.record(rows)).collect()
}

struct Installed<'a> {
    segment: &'a Segment,
    subject: &'a Subject<'a>,
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
            by_source: self.subject.arch == Some(only::SOURCE),
            qualifiers: Vec::new(),
        };
        if first.flags & WITHDRAWN != 0 {
            judgement.verdict = Verdict::NotAffected(Reason::Withdrawn);
            return judgement;
        }
        let own: Vec<&Row> = rows.iter().filter(|row| self.concerns(row)).collect();
        if own.is_empty() {
            judgement.verdict = Verdict::NotAffected(Reason::Qualifier);
            judgement.qualifiers = self.qualifiers(first);
            return judgement;
        }
        let Some(key) = self.key else {
            let never = own.iter().all(|row| row.kind == RowKind::NotAffected as u8);
            judgement.verdict = match never {
                true => Verdict::NotAffected(Reason::NeverAffected),
                false => Verdict::Unknown(Reason::NotComparable),
            };
            return judgement;
        };
        self.compare(&own, key, &mut judgement);
        judgement
    }

    /// `own`: the rows that speak of this package.
    fn compare(&self, own: &[&Row], key: &[u8], judgement: &mut Judgement) {
        let (disclosing, fixing) = self.by_channel(own);
        let holding = disclosing.iter().copied().filter(|row| self.holds(row, key));
        let (unsure, sure): (Vec<&Row>, Vec<&Row>) =
            holding.partition(|row| row.flags & UNDECIDABLE != 0);
        let deciding = if sure.is_empty() { &unsure } else { &sure };
        // A build of another channel that has the fix: nobody else ships that version.
        let has =
            |row: &&&Row| !self.holds(row, key) && self.reason(row, key) == Reason::FixInstalled;
        let fixed_by = fixing.iter().find(has);
        if let Some(row) = fixed_by {
            judgement.verdict = Verdict::NotAffected(Reason::FixInstalled);
            judgement.compared = self.compared(row, key);
            judgement.qualifiers = self.qualifiers(row);
            return;
        }
        let Some(decisive) = deciding.first() else {
            let reasons = disclosing.iter().map(|row| self.reason(row, key));
            // The nearest miss explains best: a fix that is installed, then an introduction still ahead.
            let reason = reasons.min_by_key(|reason| *reason != Reason::FixInstalled);
            judgement.verdict = Verdict::NotAffected(reason.unwrap_or(Reason::OutsideRanges));
            judgement.compared =
                disclosing.iter().flat_map(|row| self.compared(row, key)).collect();
            return;
        };
        judgement.entry = decisive.entry.get();
        judgement.qualifiers = self.qualifiers(decisive);
        let broken = unsure.iter().any(|row| row.flags & BROKEN_BOUND != 0);
        judgement.verdict = match (sure.is_empty(), broken) {
            (false, _) => Verdict::Affected,
            (true, true) => Verdict::Unknown(Reason::BoundNotComparable),
            (true, false) => Verdict::Unknown(Reason::Undecidable),
        };
        judgement.compared = deciding.iter().flat_map(|row| self.compared(row, key)).collect();
        judgement.listed = deciding.iter().all(|row| row.kind == RowKind::Listed as u8);
        if !sure.is_empty() {
            (judgement.fix, judgement.fixes) = self.fixes(&sure, own, &fixing, key);
        }
    }

    /// Rows that disclose, and rows of channels that only tell of further fixes. A flaw that channels alone speak of
    /// is disclosed by them.
    fn by_channel<'r>(&self, own: &[&'r Row]) -> (Vec<&'r Row>, Vec<&'r Row>) {
        let (fixing, disclosing): (Vec<&Row>, Vec<&Row>) =
            own.iter().copied().partition(|row| self.channel(row).is_some());
        if disclosing.is_empty() { (fixing.clone(), fixing) } else { (disclosing, fixing) }
    }

    fn channel(&self, row: &Row) -> Option<&str> {
        self.segment.only(row).and_then(|only| only.channel.as_deref())
    }

    fn concerns(&self, row: &Row) -> bool {
        only::hold(self.segment.only(row), self.subject)
    }

    fn qualifiers(&self, row: &Row) -> Vec<Qualifier> {
        only::qualifiers(self.segment.only(row), self.subject)
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
                installed: self.subject.version.to_string(),
                order: symbol(key.cmp(bound)).to_owned(),
                bound: text.to_owned(),
                kind: kind.to_owned(),
            })
        });
        compared.collect()
    }

    /// The fixes of the rows that hold; where those name none but are not open, the next fix of the same entry. Then
    /// those of channels: of one that is not subscribed the fix is out of reach.
    fn fixes(
        &self,
        holding: &[&Row],
        own: &[&Row],
        fixing: &[&Row],
        key: &[u8],
    ) -> (FixStatus, Vec<FixVersion>) {
        let mut fixes: BTreeMap<(Option<&str>, &[u8]), &str> = BTreeMap::new();
        let mut open = None;
        for row in holding {
            match RowKind::from_byte(row.kind) {
                Some(RowKind::Fixed) => {
                    let end = self.segment.key(row.end.get());
                    fixes.extend(end.map(|(key, text)| ((self.channel(row), key), text)));
                }
                Some(RowKind::Open) => open = Some(fix_from_byte(row.unfixed)),
                _ => {
                    let near = |other: &&&Row| {
                        other.entry == row.entry && other.kind == RowKind::Fixed as u8
                    };
                    let ends =
                        own.iter().filter(near).filter_map(|row| self.segment.key(row.end.get()));
                    let next = ends.filter(|(bound, _)| *bound > key).min();
                    fixes.extend(next.map(|(key, text)| ((self.channel(row), key), text)));
                }
            }
        }
        for row in fixing.iter().filter(|row| row.kind == RowKind::Fixed as u8) {
            let end = self.segment.key(row.end.get());
            fixes.extend(end.map(|(key, text)| ((self.channel(row), key), text)));
        }
        let reachable = |channel: &Option<&str>, text: &str| match channel {
            Some(channel) => self.subject.channels.contains(channel),
            // The main stream goes on with later minor releases.
            None => self
                .subject
                .minor
                .is_none_or(|own| rhel::minor_of(text).is_none_or(|minor| minor <= own)),
        };
        let status = match (fixes.is_empty(), open) {
            (false, _) if fixes.iter().any(|((channel, _), text)| reachable(channel, text)) => {
                FixStatus::Available
            }
            (false, _) => FixStatus::InChannel,
            (true, Some(status)) => status,
            (true, None) => FixStatus::Unknown,
        };
        let version = |((channel, _), text): ((Option<&str>, &[u8]), &str)| FixVersion {
            version: text.to_owned(),
            channel: channel.map(str::to_owned),
        };
        (status, fixes.into_iter().map(version).collect())
    }
}
