//! The two forms of an event: the sensor's typed one, and field names with values as tests and recordings write them.
use crate::clock;
use crate::feed::Feed;
use crate::fields::{
    self, Argument, BadField, FieldId, FieldRef, Takes, descriptor::split_path, event::ARGUMENTS,
};
use crate::suggest::did_you_mean;
use crate::value::{Kind, Quantity, Value, parse_bool, parse_number};
use seawall_model::Problem;
use seawall_model::event::{Event, EventKind};
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Objects within objects of one record; Falco's names have five parts.
const MAX_NESTING: usize = 32;

mod sealed {
    use crate::fields::FieldRef;
    use crate::value::Value;

    /// What rules read of an event. Kept private so that the set of forms stays these two.
    pub trait Read {
        fn field(&self, field: &FieldRef) -> Option<Value<'_>>;
    }
}

/// An event that rules can be evaluated on: [`Event`] or [`FieldEvent`].
pub trait EventView: sealed::Read {
    /// Epoch nanoseconds.
    fn time_ns(&self) -> Option<u64>;
    /// The system call, or for other sources their kind of event.
    fn event_type(&self) -> Option<&str>;
    /// `syscall`, or another event source's name.
    fn source(&self) -> &str;
}

impl dyn EventView + '_ {
    pub(crate) fn value(&self, field: &FieldRef) -> Option<Value<'_>> {
        self.field(field)
    }
}

impl sealed::Read for Event {
    fn field(&self, field: &FieldRef) -> Option<Value<'_>> {
        event_value(self, field)
    }
}

impl EventView for Event {
    fn time_ns(&self) -> Option<u64> {
        self.time_ns
    }

    fn event_type(&self) -> Option<&str> {
        Some(self.syscall)
    }

    fn source(&self) -> &str {
        feed(self).as_str()
    }
}

fn feed(event: &Event) -> Feed {
    if event.kind == EventKind::Audit { Feed::Audit } else { Feed::Syscall }
}

/// An event as field names and values: `{"evt.type": "execve", "proc.name": "sh"}`, dotted or nested.
#[derive(Clone, Debug, Default)]
pub struct FieldEvent {
    values: HashMap<FieldRef, Value<'static>>,
    /// The system call and the source, apart because every evaluation needs them.
    event_type: Option<String>,
    source: Option<String>,
    time_ns: Option<u64>,
    /// Ancestor fields with a null among their values: those values stand under their own index.
    gaps: HashSet<FieldId>,
}

/// Fields that more than one place names.
struct Known {
    event_type: FieldId,
    syscall: FieldId,
    source: FieldId,
    dir: FieldId,
    raw_time: FieldId,
    iso_time: FieldId,
    argument: FieldId,
    raw_argument: FieldId,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let id = |name| plain(name).id;
    let keyed = |name| fields::find(name, Some("x")).expect("a field of our own table").id;
    Known {
        argument: keyed("evt.arg"),
        raw_argument: keyed("evt.rawarg"),
        event_type: id("evt.type"),
        syscall: id("syscall.type"),
        source: id("evt.source"),
        dir: id("evt.dir"),
        raw_time: id("evt.rawtime"),
        iso_time: id("evt.time.iso8601"),
    }
});

fn plain(name: &str) -> FieldRef {
    fields::find(name, None).expect("a field of our own table")
}

/// Fields that follow from another where a record leaves them out, so that hand-written tests stay short.
static DERIVED: LazyLock<HashMap<FieldId, (FieldRef, Derive)>> = LazyLock::new(|| {
    type Row = (&'static str, &'static str, Derive);
    let rows: [Row; 14] = [
        ("fd.directory", "fd.name", |value| path_part(value, |path| split_path(path).0)),
        ("fd.filename", "fd.name", file_name),
        ("fs.path.name", "fd.name", |value| path_part(value, |path| path)),
        ("fd.nameraw", "fd.name", |value| path_part(value, |path| path)),
        ("fd.typechar", "fd.rip", |value| family(value, "4", "6")),
        ("fd.type", "fd.rip", |value| family(value, "ipv4", "ipv6")),
        ("fd.sip", "fd.rip", same),
        ("fd.snet", "fd.rip", same),
        ("fd.rnet", "fd.rip", same),
        ("fd.ip", "fd.rip", same),
        ("fd.net", "fd.rip", same),
        ("fd.sport", "fd.rport", same),
        ("fd.port", "fd.rport", same),
        ("k8s.pod.id", "k8s.pod.uid", same),
    ];
    rows.into_iter().map(|(name, from, derive)| (plain(name).id, (plain(from), derive))).collect()
});

type Derive = for<'v> fn(&'v Value<'static>) -> Option<Value<'v>>;

fn same<'v>(value: &'v Value<'static>) -> Option<Value<'v>> {
    Some(value.clone())
}

fn path_part<'v>(value: &'v Value<'static>, part: fn(&str) -> &str) -> Option<Value<'v>> {
    match value {
        // A connection's name is a pair of addresses, not a path.
        Value::Text(path) if !path.contains("->") => Some(Value::text(part(path))),
        _ => None,
    }
}

fn file_name<'v>(value: &'v Value<'static>) -> Option<Value<'v>> {
    path_part(value, |path| split_path(path).1).filter(|name| !name.render().is_empty())
}

fn family<'v>(value: &Value<'_>, four: &'static str, six: &'static str) -> Option<Value<'v>> {
    match value {
        Value::Address(address) => Some(Value::text(if address.is_ipv4() { four } else { six })),
        _ => None,
    }
}

/// `proc.aname[0]` is the process's own name.
static OWN: LazyLock<HashMap<FieldId, FieldRef>> = LazyLock::new(|| {
    [
        ("proc.aname", "proc.name"),
        ("proc.aexe", "proc.exe"),
        ("proc.aexepath", "proc.exepath"),
        ("proc.acmdline", "proc.cmdline"),
        ("proc.aargs", "proc.args"),
        ("proc.apid", "proc.pid"),
    ]
    .into_iter()
    .map(|(ancestor, own)| (plain(ancestor).id, plain(own)))
    .collect()
});

/// The first ancestor is the parent.
static PARENT: LazyLock<HashMap<FieldId, FieldRef>> = LazyLock::new(|| {
    [
        ("proc.pname", "proc.aname"),
        ("proc.pexe", "proc.aexe"),
        ("proc.pexepath", "proc.aexepath"),
        ("proc.pcmdline", "proc.acmdline"),
        ("proc.ppid", "proc.apid"),
    ]
    .into_iter()
    .map(|(parent, ancestor)| (plain(parent).id, plain(ancestor)))
    .collect()
});

impl FieldEvent {
    /// Reads one record. Unreadable fields are left out and named in the problems; a record that is no object is
    /// an error.
    pub fn from_json(json: &Json) -> Result<(Self, Vec<Problem>), Problem> {
        let Json::Object(_) = json else {
            return Err(Problem::error("type", "an event is an object of field names and values"));
        };
        let mut event = Self::default();
        let mut problems = Vec::new();
        event.add("", json, 0, &mut problems);
        Ok((event, problems))
    }

    /// Parses and reads one line of a recording.
    pub fn parse(line: &str) -> Result<(Self, Vec<Problem>), Problem> {
        let json = serde_json::from_str(line)
            .map_err(|error| Problem::error("syntax", error.to_string()))?;
        Self::from_json(&json)
    }

    /// Sets the time, epoch nanoseconds.
    pub fn at(mut self, time_ns: u64) -> Self {
        self.time_ns = Some(time_ns);
        self
    }

    pub(crate) fn set_time(&mut self, time_ns: Option<u64>) {
        self.time_ns = time_ns;
    }

    fn add(&mut self, name: &str, json: &Json, depth: usize, problems: &mut Vec<Problem>) {
        if depth > MAX_NESTING {
            problems.push(Problem::warning("too-deep", format!("`{name}` is nested too deep")));
            return;
        }
        if let Json::Object(entries) = json {
            for (key, value) in entries {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                self.add(&name, value, depth + 1, problems);
            }
            return;
        }
        if json.is_null() {
            return;
        }
        let (bare, argument) = match name.split_once('[') {
            Some((bare, rest)) => (bare, Some(rest.strip_suffix(']').unwrap_or(rest))),
            None => (name, None),
        };
        let field = match fields::find(bare, argument) {
            Ok(field) => field,
            Err(BadField::Argument(message)) => {
                problems.push(Problem::warning("type", message));
                return;
            }
            Err(BadField::Unknown) => {
                let mut problem = Problem::warning("unknown-field", format!("no field `{bare}`"));
                problem.help = did_you_mean(bare, fields::names());
                problems.push(problem);
                return;
            }
        };
        if let (Json::Array(items), Takes::Ancestor) = (json, field.field().takes)
            && items.contains(&Json::Null)
        {
            self.add_gapped(&field, items);
            return;
        }
        match value(&field, json) {
            Some(value) => self.set(field, value),
            None => {
                let kind = field.field().kind.as_str();
                problems.push(Problem::warning("type", format!("`{name}` is no {kind}: {json}")));
            }
        }
    }

    /// Ancestors of which some are unknown keep their numbers.
    fn add_gapped(&mut self, field: &FieldRef, items: &[Json]) {
        let mut known = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(value) = value(field, item) {
                known.push(value.clone());
                let argument = Argument::Index(index + 1);
                self.values.insert(FieldRef { id: field.id, argument }, value);
            }
        }
        self.gaps.insert(field.id);
        self.values.insert(field.clone(), Value::Many(known));
    }

    fn set(&mut self, field: FieldRef, value: Value<'static>) {
        match &value {
            Value::Text(text) if field.id == KNOWN.event_type => {
                self.event_type = Some(text.to_string())
            }
            Value::Text(text) if field.id == KNOWN.source => self.source = Some(text.to_string()),
            Value::Number(time) if field.id == KNOWN.raw_time => {
                self.time_ns = u64::try_from(*time).ok()
            }
            Value::Text(text) if field.id == KNOWN.iso_time => {
                self.time_ns = self.time_ns.or_else(|| clock::parse_rfc3339(text));
            }
            // Fields of audit records alone tell what the event is.
            _ if field.field().feed == Some(Feed::Audit) && self.source.is_none() => {
                self.source = Some(Feed::Audit.as_str().to_owned());
            }
            _ => {}
        }
        self.values.insert(field, value);
    }
}

/// Reads a JSON value as the field's type; text that spells a number or an address counts.
fn value(field: &FieldRef, json: &Json) -> Option<Value<'static>> {
    if let Json::Array(items) = json {
        let many = field.quantity() != Quantity::One;
        let values: Option<Vec<_>> = items.iter().map(|item| value(field, item)).collect();
        return values.filter(|values| many && !values.is_empty()).map(Value::Many);
    }
    match (field.field().kind, json) {
        (Kind::Text, Json::String(text)) => Some(Value::owned(text.clone())),
        (Kind::Text, Json::Number(number)) => Some(Value::owned(number.to_string())),
        (Kind::Text, Json::Bool(value)) => Some(Value::owned(value.to_string())),
        (Kind::Number, Json::Number(number)) => {
            Some(Value::Number(parse_number(&number.to_string())?))
        }
        (Kind::Number, Json::String(text)) => Some(Value::Number(parse_number(text)?)),
        (Kind::Number, Json::Bool(value)) => Some(Value::Number((*value).into())),
        (Kind::Bool, Json::Bool(value)) => Some(Value::Bool(*value)),
        (Kind::Bool, Json::String(text)) => Some(Value::Bool(parse_bool(text)?)),
        (Kind::Bool, Json::Number(number)) => Some(Value::Bool(parse_bool(&number.to_string())?)),
        (Kind::Address, Json::String(text)) => Some(Value::Address(text.parse().ok()?)),
        _ => None,
    }
}

/// As a reference with the event's lifetime.
fn borrow<'e>(value: &'e Value<'static>) -> Value<'e> {
    match value {
        Value::Text(text) => Value::text(text),
        other => other.clone(),
    }
}

impl sealed::Read for FieldEvent {
    fn field(&self, field: &FieldRef) -> Option<Value<'_>> {
        if let Some(value) = self.values.get(field) {
            return Some(borrow(value));
        }
        match &field.argument {
            // What was joined cannot be told apart again.
            Argument::Index(index) if field.field().takes == Takes::Index => {
                let all = FieldRef { id: field.id, argument: Argument::None };
                return match self.values.get(&all)? {
                    Value::Many(values) => values.get(*index).map(borrow),
                    _ => None,
                };
            }
            Argument::Index(0) => return self.field(OWN.get(&field.id)?),
            Argument::Index(_) if self.gaps.contains(&field.id) => return None,
            Argument::Index(index) => {
                let all = FieldRef { id: field.id, argument: Argument::None };
                return match (self.values.get(&all)?, index) {
                    (Value::Many(values), index) => values.get(index - 1).map(borrow),
                    (value, 1) => Some(borrow(value)),
                    _ => None,
                };
            }
            Argument::Key(_) if field.id == KNOWN.raw_argument => {
                let argument = FieldRef { id: KNOWN.argument, argument: field.argument.clone() };
                return self.values.get(&argument).map(borrow);
            }
            Argument::Key(_) | Argument::None => {}
        }
        if field.id == KNOWN.dir && self.source() == Feed::Syscall.as_str() {
            return Some(Value::text("<"));
        }
        if field.id == KNOWN.source {
            return Some(Value::text(self.source()));
        }
        if field.id == KNOWN.syscall {
            return self.event_type.as_deref().filter(|name| *name != "procexit").map(Value::text);
        }
        if let Some(ancestor) = PARENT.get(&field.id) {
            return self.field(&FieldRef { id: ancestor.id, argument: Argument::Index(1) });
        }
        let (from, derive) = DERIVED.get(&field.id)?;
        derive(self.values.get(from)?)
    }
}

impl EventView for FieldEvent {
    fn time_ns(&self) -> Option<u64> {
        self.time_ns
    }

    fn event_type(&self) -> Option<&str> {
        self.event_type.as_deref()
    }

    fn source(&self) -> &str {
        self.source.as_deref().unwrap_or(Feed::Syscall.as_str())
    }
}

/// Every field that the event carries, by dotted name: one line of `sensor --record`. Read back by
/// [`FieldEvent::from_json`], rules decide alike on both.
pub fn record(event: &Event) -> serde_json::Map<String, Json> {
    let mut fields = serde_json::Map::new();
    for (id, field) in fields::all().iter().enumerate().filter(|(_, field)| field.is_collected()) {
        let id = id as FieldId;
        let keyed = |key: &str| FieldRef { id, argument: Argument::Key(key.to_owned()) };
        let references: Vec<FieldRef> = match field.name {
            "evt.arg" => ARGUMENTS.iter().map(|name| keyed(name)).collect(),
            // The same values as `evt.arg`.
            "evt.rawarg" => Vec::new(),
            "k8s.pod.label" => {
                let pod = event.container.as_ref().and_then(|container| container.pod.as_ref());
                pod.iter().flat_map(|pod| &pod.labels).map(|(name, _)| keyed(name)).collect()
            }
            _ if field.takes == Takes::Ancestor => {
                fields.extend(ancestors(event, id).map(|values| (field.name.to_owned(), values)));
                Vec::new()
            }
            _ if field.takes == Takes::Index => {
                let parts = (0..event.process.args.len()).map(Argument::Index);
                let all = std::iter::once(Argument::None).chain(parts);
                all.map(|argument| FieldRef { id, argument }).collect()
            }
            _ => vec![FieldRef { id, argument: Argument::None }],
        };
        for reference in references {
            if let Some(value) = event_value(event, &reference) {
                fields.insert(reference.written(), value.json());
            }
        }
    }
    fields
}

/// The values of an ancestor field from the parent upwards, null where one has none.
fn ancestors(event: &Event, id: FieldId) -> Option<Json> {
    let value = |index| event_value(event, &FieldRef { id, argument: Argument::Index(index) });
    let values: Vec<Json> = (1..=event.process.ancestors.len())
        .map(|index| value(index).map_or(Json::Null, |value| value.json()))
        .collect();
    values.iter().any(|value| !value.is_null()).then(|| values.into())
}

fn event_value<'e>(event: &'e Event, field: &FieldRef) -> Option<Value<'e>> {
    let known = field.field();
    known.extract.filter(|_| known.is_of(feed(event)))?(event, &field.argument)
}
