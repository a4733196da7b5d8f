//! What the index holds about a package or a record, for people who ask it.
use crate::index::IndexSet;
use crate::name;
use crate::segment::{DetailsCache, Row, RowKind, Segment, SegmentError, UNDECIDABLE, WITHDRAWN};
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;
use serde::{Deserialize, Serialize};

/// One row with its versions: what a record says about a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// `Debian:11`, `PyPI`.
    pub segment: String,
    pub package: String,
    pub record: String,
    /// `None` is minus infinity.
    pub introduced: Option<String>,
    /// `fixed`, `last_affected`, `listed`, `open` or `not_affected`.
    pub kind: String,
    pub end: Option<String>,
    pub withdrawn: bool,
    /// Versions alone cannot decide it.
    pub undecidable: bool,
}

impl IndexSet {
    /// Every statement about a package, in all releases of its ecosystem.
    pub fn package_statements(
        &self,
        ecosystem: Ecosystem,
        package: &str,
    ) -> Result<Vec<Statement>, SegmentError> {
        let package = name::normalize(ecosystem, package);
        let mut cache = DetailsCache::default();
        let mut statements = Vec::new();
        for segment in self.segments().filter(|segment| segment.meta().ecosystem == ecosystem) {
            for row in segment.rows(&package) {
                let record = cache.advisory(segment, row.advisory.get())?.id;
                statements.push(statement(segment, &package, record, row));
            }
        }
        Ok(statements)
    }

    /// The record of this id, with every statement it makes. Reads every record: for people, not for matching.
    pub fn record(&self, id: &str) -> Result<Option<(Advisory, Vec<Statement>)>, SegmentError> {
        let mut cache = DetailsCache::default();
        let (mut record, mut statements) = (None, Vec::new());
        for segment in self.segments() {
            let mut found = None;
            for place in 0..segment.meta().advisories {
                let advisory = cache.advisory(segment, place)?;
                if advisory.id == id {
                    (found, record) = (Some(place), Some(advisory));
                    break;
                }
            }
            let Some(place) = found else { continue };
            for package in segment.names() {
                let own = segment.rows(&package).iter().filter(|row| row.advisory == place);
                statements.extend(own.map(|row| statement(segment, &package, id.to_owned(), row)));
            }
        }
        Ok(record.map(|record| (record, statements)))
    }
}

fn statement(segment: &Segment, package: &str, record: String, row: &Row) -> Statement {
    let text = |place| segment.key(place).map(|(_, text)| text.to_owned());
    let kind = match RowKind::from_byte(row.kind) {
        Some(RowKind::Fixed) => "fixed",
        Some(RowKind::LastAffected) => "last_affected",
        Some(RowKind::Listed) => "listed",
        Some(RowKind::NotAffected) => "not_affected",
        Some(RowKind::Open) | None => "open",
    };
    Statement {
        segment: segment.name(),
        package: package.to_owned(),
        record,
        introduced: text(row.introduced.get()),
        kind: kind.to_owned(),
        end: text(row.end.get()),
        withdrawn: row.flags & WITHDRAWN != 0,
        undecidable: row.flags & UNDECIDABLE != 0,
    }
}
