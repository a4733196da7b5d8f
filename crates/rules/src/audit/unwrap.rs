//! What a JSON document holds: one record, a batch of an API server, or what a cloud wraps them in.
use super::form::{Around, is_event};
use super::{MAX_EVENT_BYTES, gke, parse, too_large};
use crate::clock::parse_time;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Wrappings in wrappings; real ones are two deep.
const MAX_DEPTH: u8 = 4;

/// One record.
#[derive(Debug)]
pub(super) enum Record {
    Event(Map<String, Value>, Around),
    Foreign,
    /// Code and message.
    Bad(&'static str, String),
}

#[derive(Debug)]
pub(super) enum Wrapped {
    One(Record),
    Many(Vec<Wrapped>),
}

/// What a batch says of all its records.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    around: Around,
    /// Its records are texts of CloudWatch: `Some(true)` where the stream is an API server's audit log.
    messages: Option<bool>,
    foreign: bool,
    depth: u8,
}

fn bad(code: &'static str, message: impl Into<String>) -> Wrapped {
    Wrapped::One(Record::Bad(code, message.into()))
}

const FOREIGN: Wrapped = Wrapped::One(Record::Foreign);

/// Unwraps a record of a batch.
pub(super) fn unwrap_in(batch: &Batch, record: Value) -> Wrapped {
    match batch {
        Batch { foreign: true, .. } => FOREIGN,
        Batch { messages: Some(of_audit), .. } => message(&record, *of_audit, batch),
        _ => unwrap(record, batch),
    }
}

/// Unwraps a record that may be a batch.
pub(super) fn unwrap(record: Value, batch: &Batch) -> Wrapped {
    let Value::Object(mut json) = record else {
        return bad("type", "a record is a JSON object");
    };
    if let Some((key, inner)) = Envelope::of(&json).batch() {
        let inner = Batch { depth: batch.depth + 1, ..inner.with(batch) };
        return match json.remove(key) {
            _ if inner.depth > MAX_DEPTH => FOREIGN,
            Some(Value::Array(records)) => {
                Wrapped::Many(records.into_iter().map(|one| unwrap_in(&inner, one)).collect())
            }
            None | Some(Value::Null) => Wrapped::Many(Vec::new()),
            Some(_) => bad("type", format!("`{key}` is a list of records")),
        };
    }
    if json.contains_key("protoPayload") {
        return match gke::rewrite(&json) {
            Some((record, around)) => Wrapped::One(Record::Event(record, around)),
            None => FOREIGN,
        };
    }
    if let Some(category) = json.get("category").or_else(|| json.get("Category")) {
        let of_audit = matches!(category.as_str(), Some("kube-audit" | "kube-audit-admin"));
        return if of_audit { azure(&mut json, batch) } else { FOREIGN };
    }
    if is_event(&json) {
        return Wrapped::One(Record::Event(json, batch.around.clone()));
    }
    if json.get("message").is_some_and(|message| message.is_string() || message.is_object()) {
        let stream = json.get("logStreamName").or_else(|| json.get("logStream"));
        let of_audit = is_audit_stream(stream.and_then(Value::as_str));
        return message(&json.into(), of_audit, batch);
    }
    FOREIGN
}

/// A record of Azure's diagnostic log.
fn azure(json: &mut Map<String, Value>, batch: &Batch) -> Wrapped {
    let of_text = |key: &str| json.get(key).and_then(Value::as_str);
    let cluster = of_text("resourceId").or_else(|| of_text("ResourceId"));
    let cluster = cluster.and_then(|id| id.rsplit('/').next()).map(str::to_owned);
    let time_ns = of_text("time").or_else(|| of_text("TimeGenerated")).and_then(parse_time);
    let around = Around { cluster, time_ns };
    let log = match json.get_mut("properties") {
        Some(properties) => properties.get_mut("log").map(Value::take),
        None => json.get_mut("log_s").map(Value::take),
    };
    match log {
        Some(log) => inner(log, &around.with(&batch.around)),
        None => bad("type", "a record of category kube-audit has its text in `properties.log`"),
    }
}

/// A record that CloudWatch keeps as text. Its log group has the control plane's other logs too.
fn message(record: &Value, of_audit: bool, batch: &Batch) -> Wrapped {
    let time = record.get("timestamp").and_then(Value::as_u64);
    let time_ns = time.and_then(|millis| millis.checked_mul(1_000_000));
    let around = Around { cluster: None, time_ns }.with(&batch.around);
    match record.get("message") {
        Some(Value::String(text)) if !of_audit && !text.trim_start().starts_with('{') => FOREIGN,
        Some(message @ (Value::String(_) | Value::Object(_))) => inner(message.clone(), &around),
        _ => bad("type", "a log event has a `message`"),
    }
}

/// The innermost record, as JSON or as text of JSON.
fn inner(record: Value, around: &Around) -> Wrapped {
    let record = match record {
        Value::String(text) if text.len() > MAX_EVENT_BYTES => {
            return bad("too-large", too_large("record", MAX_EVENT_BYTES));
        }
        Value::String(text) => match parse(text.as_bytes()) {
            Ok(record) => record,
            Err(message) => return bad("syntax", message),
        },
        record => record,
    };
    match record {
        Value::Object(json) if is_event(&json) => Wrapped::One(Record::Event(json, around.clone())),
        Value::Object(_) => FOREIGN,
        _ => bad("type", "a record is a JSON object"),
    }
}

impl Around {
    /// What it does not know itself it takes from outside.
    fn with(self, outer: &Self) -> Self {
        Self {
            cluster: self.cluster.or_else(|| outer.cluster.clone()),
            time_ns: self.time_ns.or(outer.time_ns),
        }
    }
}

impl Batch {
    fn with(self, outer: &Self) -> Self {
        Self { around: self.around.with(&outer.around), depth: outer.depth, ..self }
    }
}

/// The parts of a document that tell what it is.
struct Envelope<'j> {
    kind: Option<&'j str>,
    version: Option<&'j str>,
    message_type: Option<&'j str>,
    log_group: Option<&'j str>,
    log_stream: Option<&'j str>,
    /// Which of [`LISTS`] it has.
    list: Option<&'static str>,
}

/// Kubernetes, Azure, CloudWatch's subscriptions and its API, Google's API.
const LISTS: [&str; 5] = ["items", "records", "logEvents", "events", "entries"];

impl<'j> Envelope<'j> {
    fn of(json: &'j Map<String, Value>) -> Self {
        let text = |key: &str| json.get(key).and_then(Value::as_str);
        Self {
            kind: text("kind"),
            version: text("apiVersion"),
            message_type: text("messageType"),
            log_group: text("logGroup"),
            log_stream: text("logStream"),
            list: LISTS.into_iter().find(|key| json.contains_key(*key)),
        }
    }

    /// The key of its records and what it says of them, if it is a batch.
    fn batch(&self) -> Option<(&'static str, Batch)> {
        let key = self.list?;
        let mut batch = Batch::default();
        match key {
            "items" => {
                let listed = matches!(self.kind, Some("EventList" | "List"));
                let ours = matches!(
                    self.version,
                    None | Some("v1" | "audit.k8s.io/v1" | "audit.k8s.io/v1beta1")
                );
                batch.foreign = !ours;
                listed.then_some((key, batch))
            }
            _ if self.kind.is_some() => None,
            "logEvents" | "events" => {
                batch.foreign = self.message_type.is_some_and(|kind| kind != "DATA_MESSAGE");
                batch.messages = Some(is_audit_stream(self.log_stream));
                batch.around.cluster = self.log_group.and_then(cluster_of_group);
                Some((key, batch))
            }
            _ => Some((key, batch)),
        }
    }
}

fn is_audit_stream(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.starts_with("kube-apiserver-audit"))
}

/// `/aws/eks/CLUSTER/cluster`.
fn cluster_of_group(group: &str) -> Option<String> {
    Some(group.strip_prefix("/aws/eks/")?.strip_suffix("/cluster")?.to_owned())
}

/// Records of a batch that is too large to be held as values, each in its own text.
#[derive(Deserialize)]
struct Raw<'t> {
    #[serde(default)]
    kind: Option<String>,
    #[serde(default, rename = "apiVersion")]
    version: Option<String>,
    #[serde(default, rename = "messageType")]
    message_type: Option<String>,
    #[serde(default, rename = "logGroup")]
    log_group: Option<String>,
    #[serde(default, rename = "logStream")]
    log_stream: Option<String>,
    #[serde(default, borrow)]
    items: Option<Vec<&'t RawValue>>,
    #[serde(default, borrow)]
    records: Option<Vec<&'t RawValue>>,
    #[serde(default, borrow, rename = "logEvents")]
    log_events: Option<Vec<&'t RawValue>>,
    #[serde(default, borrow)]
    events: Option<Vec<&'t RawValue>>,
    #[serde(default, borrow)]
    entries: Option<Vec<&'t RawValue>>,
}

/// The texts of a batch's records; `None` where it is no batch, an error where it is no JSON.
pub(super) fn raw_batch(text: &[u8]) -> Result<Option<(Vec<&str>, Batch)>, String> {
    let raw: Raw<'_> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let lists = [raw.items, raw.records, raw.log_events, raw.events, raw.entries];
    let found = LISTS.into_iter().zip(lists).find_map(|(key, list)| Some((key, list?)));
    let envelope = Envelope {
        kind: raw.kind.as_deref(),
        version: raw.version.as_deref(),
        message_type: raw.message_type.as_deref(),
        log_group: raw.log_group.as_deref(),
        log_stream: raw.log_stream.as_deref(),
        list: found.as_ref().map(|(key, _)| *key),
    };
    let Some(((_, batch), (_, records))) = envelope.batch().zip(found) else { return Ok(None) };
    Ok(Some((records.into_iter().map(RawValue::get).collect(), batch)))
}
