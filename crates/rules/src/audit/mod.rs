//! Bytes of a Kubernetes audit log to [`AuditEvent`]s, whichever source wrapped them, and those to firings.
//!
//! ```text
//! bytes ─documents─► JSON ─unwrap, gke─► audit.k8s.io record ─redact, form─► AuditEvent
//! ```
//!
//! Invariant: a bad record is counted and told, and costs no other record.
mod documents;
mod form;
mod gke;
mod judge;
mod recent;
mod redact;
mod unwrap;
pub(crate) mod workload;

pub use self::documents::MAX_DOCUMENT_BYTES;
use self::documents::{Documents, Piece};
use self::form::Around;
pub use self::judge::{AuditLog, Judged};
use self::recent::Recent;
use self::unwrap::{Batch, Record, Wrapped};
use seawall_model::Problem;
use seawall_model::audit::AuditEvent;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The largest record. An API server cuts bodies at 1.5 MiB, etcd's own bound for an object.
pub const MAX_EVENT_BYTES: usize = 2 << 20;

/// Decodes one source's log, and remembers of it what duplicates are told by.
#[derive(Debug, Default)]
pub struct Decoder {
    documents: Documents,
    recent: Recent,
    counts: Counts,
}

/// Records since the decoder was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub records: u64,
    /// No record of a Kubernetes audit log.
    pub foreign: u64,
    pub duplicates: u64,
    /// Unreadable, wholly or in part.
    pub faulty: u64,
}

/// What some bytes gave.
#[derive(Debug, Default)]
pub struct Decoded {
    pub events: Vec<Numbered>,
    /// One for each faulty record, whose number is the problem's line.
    pub problems: Vec<Problem>,
}

/// An event and which record of the stream it was, from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    pub record: u64,
    pub event: Arc<AuditEvent>,
}

impl Decoder {
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Decodes a whole batch: a webhook's body, or lines of a file.
    pub fn decode(&mut self, bytes: &[u8]) -> Decoded {
        let mut events = Vec::new();
        let problems = self.each(bytes, &mut |event| events.push(event));
        Decoded { events, problems }
    }

    /// Decodes what the next bytes of a stream complete.
    pub fn push(&mut self, bytes: &[u8]) -> Decoded {
        let mut events = Vec::new();
        let mut sink = |event| events.push(event);
        let mut pass = Pass::new(&mut self.recent, &mut self.counts, &mut sink);
        self.documents.push(bytes, |piece| pass.piece(&piece));
        let problems = pass.problems;
        Decoded { events, problems }
    }

    /// Decodes what the end of the stream leaves.
    pub fn end(&mut self) -> Decoded {
        let mut events = Vec::new();
        let mut sink = |event| events.push(event);
        let mut pass = Pass::new(&mut self.recent, &mut self.counts, &mut sink);
        self.documents.end(|piece| pass.piece(&piece));
        let problems = pass.problems;
        Decoded { events, problems }
    }

    /// Decodes a whole batch and holds of its events one at a time.
    fn each(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Numbered)) -> Vec<Problem> {
        let mut pass = Pass::new(&mut self.recent, &mut self.counts, sink);
        self.documents.push(bytes, |piece| pass.piece(&piece));
        self.documents.end(|piece| pass.piece(&piece));
        pass.problems
    }
}

/// One call of the decoder.
struct Pass<'d> {
    recent: &'d mut Recent,
    counts: &'d mut Counts,
    sink: &'d mut dyn FnMut(Numbered),
    problems: Vec<Problem>,
}

impl<'d> Pass<'d> {
    fn new(
        recent: &'d mut Recent,
        counts: &'d mut Counts,
        sink: &'d mut dyn FnMut(Numbered),
    ) -> Self {
        Self { recent, counts, sink, problems: Vec::new() }
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::TooLong => self.faulty("too-large", too_large("line", MAX_DOCUMENT_BYTES)),
            Piece::Document(text) => match self.document(text) {
                Err(_) if text.contains(&b'\n') => self.lines(text),
                Err(message) => self.faulty("syntax", message),
                Ok(()) => {}
            },
            Piece::Broken(text) => self.lines(text),
        }
    }

    fn lines(&mut self, text: &[u8]) {
        for line in documents::lines(text).into_iter().filter(|line| !line.is_empty()) {
            if let Err(message) = self.document(line) {
                self.faulty("syntax", message);
            }
        }
    }

    fn document(&mut self, text: &[u8]) -> Result<(), String> {
        if text.len() > MAX_EVENT_BYTES {
            return self.large_document(text);
        }
        let record = parse(text)?;
        self.wrapped(unwrap::unwrap(record, &Batch::default()));
        Ok(())
    }

    /// Only a batch may be so large, and its records are read one by one.
    fn large_document(&mut self, text: &[u8]) -> Result<(), String> {
        let Some((records, batch)) = unwrap::raw_batch(text)? else {
            self.faulty("too-large", too_large("record", MAX_EVENT_BYTES));
            return Ok(());
        };
        for record in records {
            if record.len() > MAX_EVENT_BYTES {
                self.faulty("too-large", too_large("record", MAX_EVENT_BYTES));
                continue;
            }
            match parse(record.as_bytes()) {
                Ok(record) => self.wrapped(unwrap::unwrap_in(&batch, record)),
                Err(message) => self.faulty("syntax", message),
            }
        }
        Ok(())
    }

    fn wrapped(&mut self, wrapped: Wrapped) {
        match wrapped {
            Wrapped::One(record) => self.record(record),
            Wrapped::Many(records) => records.into_iter().for_each(|one| self.wrapped(one)),
        }
    }

    fn record(&mut self, record: Record) {
        match record {
            Record::Foreign => {
                self.counts.records += 1;
                self.counts.foreign += 1;
            }
            Record::Bad(code, message) => self.faulty(code, message),
            Record::Event(json, around) => self.event(json, &around),
        }
    }

    fn event(&mut self, json: Map<String, Value>, around: &Around) {
        let (event, wrong) = form::read(json, around);
        if wrong.is_empty() {
            self.counts.records += 1;
        } else {
            self.faulty("type", format!("not of the right type: {}", wrong.join(", ")));
        }
        if self.recent.is_new(&event) {
            let record = self.counts.records;
            (self.sink)(Numbered { record, event: Arc::new(event) });
        } else {
            self.counts.duplicates += 1;
        }
    }

    fn faulty(&mut self, code: &'static str, message: String) {
        self.counts.records += 1;
        self.counts.faulty += 1;
        let mut problem = Problem::error(code, message);
        problem.line = Some(u32::try_from(self.counts.records).unwrap_or(u32::MAX));
        self.problems.push(problem);
    }
}

fn too_large(what: &str, bytes: usize) -> String {
    format!("a {what} of more than {} MiB", bytes >> 20)
}

/// Bytes that are no UTF-8 become replacement characters: the rest of the record is as good as ever.
fn parse(text: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(text) {
        Ok(value) => Ok(value),
        Err(error) if std::str::from_utf8(text).is_ok() => Err(error.to_string()),
        Err(_) => {
            serde_json::from_str(&String::from_utf8_lossy(text)).map_err(|error| error.to_string())
        }
    }
}
