//! A compiled rule with its metadata, and the reading of the keys that Falco does not have.
use crate::definitions::{RuleDef, scalar, sequence, wrong};
use crate::event_set::EventSet;
use crate::output::Template;
use crate::parse::{Text, parse_output_operand};
use crate::program::NodeId;
use crate::source::Source;
use crate::suggest::did_you_mean;
use crate::value::parse_bool;
use crate::window::{Counter, Tracker};
use crate::yaml::{self, Node, Place, Value};
use crate::{clock, source};
use seawall_model::attack::Technique;
use seawall_model::{Problem, Severity};
use serde_json::Value as Json;

/// Events (or distinct values) a threshold may ask for; each is remembered per key.
const MAX_COUNT: usize = 10_000;
/// Steps before the last of a sequence.
const MAX_STEPS: usize = 16;

/// A rule that loaded.
#[derive(Debug)]
pub struct Rule {
    pub name: String,
    /// `SW-D-0041`; users' rules have none.
    pub id: Option<String>,
    pub desc: String,
    /// `syscall`, `k8s_audit` or another event source.
    pub source: String,
    pub priority: Priority,
    pub tags: Vec<String>,
    pub mitre: Vec<Technique>,
    /// Ids of Defender for Containers' alerts with the same meaning.
    pub parity: Vec<String>,
    pub remediation: String,
    /// `mode: audit` stores only that it would have alerted.
    pub audit: bool,
    pub state: RuleState,
    /// The file it stands in.
    pub file: String,
    pub place: Place,
    pub(crate) root: Option<NodeId>,
    pub(crate) events: EventSet,
    pub(crate) live: EventSet,
    pub(crate) output: Template,
    pub(crate) threshold: Option<Threshold>,
    pub(crate) sequence: Option<Sequence>,
    pub(crate) tests: Vec<RuleTest>,
}

impl Rule {
    /// Its conditions: the steps of a sequence, and the last.
    pub(crate) fn roots(&self) -> Vec<NodeId> {
        let steps = self.sequence.iter().flat_map(|sequence| &sequence.steps);
        self.root.iter().flat_map(|root| steps.clone().chain([root])).copied().collect()
    }
}

/// Whether a loaded rule can fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleState {
    Active,
    /// `enabled: false`.
    Disabled,
    /// It needs fields or events that are not collected.
    Inactive,
}

impl RuleState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Inactive => "inactive",
        }
    }
}

/// Falco's priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Informational,
    Debug,
}

impl Priority {
    const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Informational,
        Self::Debug,
    ];

    /// Capitalised as Falco prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("info") {
            return Some(Self::Informational);
        }
        Self::ALL.into_iter().find(|priority| priority.as_str().eq_ignore_ascii_case(text))
    }

    pub fn severity(self) -> Severity {
        match self {
            Self::Emergency | Self::Alert | Self::Critical => Severity::Critical,
            Self::Error => Severity::High,
            Self::Warning => Severity::Medium,
            Self::Notice => Severity::Low,
            Self::Informational | Self::Debug => Severity::Info,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Threshold {
    pub(crate) count: usize,
    /// Nanoseconds.
    pub(crate) within: u64,
    pub(crate) by: Vec<Source>,
    pub(crate) distinct: Option<Source>,
}

impl Threshold {
    pub(crate) fn counter(&self) -> Counter {
        Counter::new(self.count, self.within)
    }
}

#[derive(Debug)]
pub(crate) struct Sequence {
    /// The steps before the last, in order.
    pub(crate) steps: Vec<NodeId>,
    pub(crate) by: Vec<Source>,
    /// Nanoseconds.
    pub(crate) within: u64,
}

impl Sequence {
    pub(crate) fn tracker(&self) -> Tracker {
        Tracker::new(self.steps.len(), self.within)
    }
}

/// One entry of `tests`.
#[derive(Debug)]
pub(crate) struct RuleTest {
    pub(crate) name: String,
    pub(crate) fires: bool,
    /// Each event and the nanoseconds since the one before, where given.
    pub(crate) events: Vec<(Json, Option<u64>)>,
    pub(crate) place: Place,
}

type Found = (Problem, Place);

/// What a rule's keys say, apart from its condition.
pub(crate) struct Keys {
    pub(crate) id: Option<String>,
    pub(crate) priority: Priority,
    pub(crate) source: String,
    pub(crate) skip_unknown: bool,
    pub(crate) audit: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) mitre: Vec<Technique>,
    pub(crate) parity: Vec<String>,
    pub(crate) remediation: String,
    pub(crate) tests: Vec<RuleTest>,
}

pub(crate) fn keys(def: &RuleDef) -> Result<Keys, Found> {
    let text = |key: &str| -> Result<Option<&str>, Found> {
        def.keys
            .get(key)
            .map(|node| scalar(node).map(|node| node.text().unwrap_or_default()))
            .transpose()
    };
    let priority = text("priority")?.unwrap_or_default();
    let Some(priority) = Priority::parse(priority) else {
        let place = def.keys.get("priority").map_or(def.place, |node| node.place);
        let mut problem = Problem::error("type", format!("`{priority}` is no priority"));
        problem.help = did_you_mean(
            &priority.to_ascii_lowercase(),
            [
                "emergency",
                "alert",
                "critical",
                "error",
                "warning",
                "notice",
                "informational",
                "debug",
            ],
        );
        return Err((problem, place));
    };
    let mode = text("mode")?;
    if !matches!(mode, None | Some("alert" | "audit")) {
        return Err(wrong("type", def.keys["mode"].place, "`mode` is `alert` or `audit`"));
    }
    let mut mitre = Vec::new();
    for node in list(def, "mitre")? {
        let text = scalar(node)?.text().unwrap_or_default();
        mitre.push(
            text.parse().map_err(|_| {
                wrong("type", node.place, format!("`{text}` is no ATT&CK technique"))
            })?,
        );
    }
    let words = |nodes: &[Node]| -> Result<Vec<String>, Found> {
        nodes.iter().map(|node| Ok(scalar(node)?.text().unwrap_or_default().to_owned())).collect()
    };
    Ok(Keys {
        id: text("id")?.map(str::to_owned),
        priority,
        source: text("source")?.unwrap_or("syscall").to_owned(),
        skip_unknown: text("skip-if-unknown-filter")?.and_then(parse_bool).unwrap_or(false),
        audit: mode == Some("audit"),
        tags: words(&def.tags)?,
        mitre,
        parity: words(list(def, "parity")?)?,
        remediation: text("remediation")?.unwrap_or_default().trim().to_owned(),
        tests: tests(def)?,
    })
}

fn list<'d>(def: &'d RuleDef, key: &str) -> Result<&'d [Node], Found> {
    def.keys.get(key).map(sequence).transpose().map(Option::unwrap_or_default)
}

/// A mapping's entries by name, refusing unknown ones.
fn entries<'n>(
    node: &'n Node,
    what: &str,
    known: &[&str],
) -> Result<Vec<(&'n str, &'n Node)>, Found> {
    let Value::Mapping(entries) = &node.value else {
        return Err(wrong("type", node.place, format!("{what} is a mapping, not {}", node.kind())));
    };
    let mut found = Vec::new();
    for (key, value) in entries {
        let name = key.text().unwrap_or_default();
        if !known.contains(&name) {
            let mut problem = Problem::error("unknown-key", format!("no key `{name}` in {what}"));
            problem.help = did_you_mean(name, known.iter().copied());
            return Err((problem, key.place));
        }
        found.push((name, value));
    }
    Ok(found)
}

fn get<'n>(entries: &[(&str, &'n Node)], wanted: &str) -> Option<&'n Node> {
    entries.iter().find(|(name, _)| *name == wanted).map(|(_, node)| *node)
}

fn tests(def: &RuleDef) -> Result<Vec<RuleTest>, Found> {
    let mut tests = Vec::new();
    for node in list(def, "tests")? {
        let keys = entries(node, "a test", &["name", "expect", "events"])?;
        let fires = match get(&keys, "expect").and_then(Node::text) {
            Some("fire") => true,
            Some("silent") => false,
            _ => return Err(wrong("type", node.place, "a test's `expect` is `fire` or `silent`")),
        };
        let events = get(&keys, "events").map(sequence).transpose()?.unwrap_or_default();
        if events.is_empty() {
            return Err(wrong("type", node.place, "a test needs `events`"));
        }
        let events = events.iter().map(event).collect::<Result<_, _>>()?;
        let name = get(&keys, "name").and_then(Node::text).unwrap_or("unnamed").to_owned();
        tests.push(RuleTest { name, fires, events, place: node.place });
    }
    Ok(tests)
}

/// `after: 3s` beside an event's fields is its distance from the one before.
fn event(node: &Node) -> Result<(Json, Option<u64>), Found> {
    let mut json = node.json();
    let Some(object) = json.as_object_mut() else {
        return Err(wrong("type", node.place, "an event is a mapping of field names and values"));
    };
    let after = match object.shift_remove("after") {
        None => None,
        Some(value) => {
            let text = value.as_str().unwrap_or_default();
            Some(clock::parse_duration(text).ok_or_else(|| {
                wrong("type", node.place, format!("`after: {value}` is no duration such as 3s"))
            })?)
        }
    };
    Ok((json, after))
}

fn duration(node: Option<&Node>, what: &str, place: Place) -> Result<u64, Found> {
    let Some(node) = node else {
        return Err(wrong("type", place, format!("{what} needs `within`")));
    };
    let text = scalar(node)?.text().unwrap_or_default();
    let parsed = clock::parse_duration(text).filter(|duration| *duration > 0);
    parsed.ok_or_else(|| {
        wrong("type", node.place, format!("`{text}` is no duration such as 30s, 5m or 2h"))
    })
}

/// One field name or a list of them.
fn fields(node: Option<&Node>, sources: &[yaml::Source]) -> Result<Vec<Source>, Found> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let nodes = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    nodes.iter().map(|node| field(node, sources)).collect()
}

fn field(node: &Node, sources: &[yaml::Source]) -> Result<Source, Found> {
    let text = scalar(node)?.text().unwrap_or_default();
    let places =
        sources.get(node.place.file as usize).map(|source| source.places(node)).unwrap_or_default();
    let (operand, length) = parse_output_operand(&Text { text, places: &places })?;
    if length != text.len() {
        return Err(wrong("syntax", node.place, format!("`{text}` is no single field")));
    }
    source::resolve(&operand)
}

pub(crate) fn threshold(
    def: &RuleDef,
    sources: &[yaml::Source],
) -> Result<Option<Threshold>, Found> {
    let Some(node) = def.keys.get("threshold") else { return Ok(None) };
    let keys = entries(node, "a threshold", &["count", "by", "within", "distinct"])?;
    let count = get(&keys, "count").and_then(Node::text).and_then(|text| text.parse().ok());
    let Some(count) = count.filter(|count| (2..=MAX_COUNT).contains(count)) else {
        return Err(wrong(
            "type",
            node.place,
            format!("a threshold's `count` is a number from 2 to {MAX_COUNT}"),
        ));
    };
    Ok(Some(Threshold {
        count,
        within: duration(get(&keys, "within"), "a threshold", node.place)?,
        by: fields(get(&keys, "by"), sources)?,
        distinct: fields(get(&keys, "distinct"), sources)?.into_iter().next(),
    }))
}

/// A sequence's keys before its steps are compiled.
pub(crate) struct SequenceKeys<'d> {
    pub(crate) steps: &'d [Node],
    pub(crate) by: Vec<Source>,
    pub(crate) within: u64,
}

pub(crate) fn sequence_keys<'d>(
    def: &'d RuleDef,
    sources: &[yaml::Source],
) -> Result<Option<SequenceKeys<'d>>, Found> {
    let Some(node) = def.keys.get("sequence") else { return Ok(None) };
    let keys = entries(node, "a sequence", &["after", "by", "within"])?;
    let steps = get(&keys, "after").map(sequence).transpose()?.unwrap_or_default();
    if steps.is_empty() || steps.len() > MAX_STEPS {
        return Err(wrong(
            "type",
            node.place,
            format!("a sequence's `after` lists 1 to {MAX_STEPS} conditions"),
        ));
    }
    let by = fields(get(&keys, "by"), sources)?;
    let within = duration(get(&keys, "within"), "a sequence", node.place)?;
    Ok(Some(SequenceKeys { steps, by, within }))
}
