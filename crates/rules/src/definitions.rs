//! From YAML items to definitions: what later files replace, append to, override and switch, in the order of loading.
use crate::suggest::did_you_mean;
use crate::yaml::{Node, Place, Value};
use seawall_model::Problem;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The engine version whose language we read: Falco 0.45.
pub(crate) const ENGINE_VERSION: (u64, u64, u64) = (0, 63, 0);

/// Everything that files define, by name.
#[derive(Default)]
pub(crate) struct Definitions {
    pub(crate) lists: HashMap<String, ListDef>,
    pub(crate) macros: HashMap<String, MacroDef>,
    pub(crate) rules: Vec<RuleDef>,
    rule_index: HashMap<String, usize>,
    /// Items so far; tells which of two definitions is earlier.
    count: usize,
}

pub(crate) struct ListDef {
    pub(crate) items: Vec<Node>,
    pub(crate) place: Place,
}

pub(crate) struct MacroDef {
    pub(crate) condition: Vec<Node>,
    pub(crate) place: Place,
    pub(crate) order: Order,
}

/// A macro sees those whose first definition precedes its own latest (Falco's index and visibility).
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) first: usize,
    pub(crate) latest: usize,
}

/// A rule as its items put it together; values are read when it is compiled.
pub(crate) struct RuleDef {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) order: Order,
    /// Texts that are joined by a blank.
    pub(crate) condition: Vec<Node>,
    pub(crate) output: Vec<Node>,
    pub(crate) desc: Vec<Node>,
    pub(crate) tags: Vec<Node>,
    pub(crate) exceptions: Vec<Node>,
    pub(crate) enabled: bool,
    /// All other keys, by name.
    pub(crate) keys: HashMap<&'static str, Node>,
}

const LIST_KEYS: &[&str] = &["list", "items", "append", "override"];
const MACRO_KEYS: &[&str] = &["macro", "condition", "append", "override"];
const RULE_KEYS: &[&str] = &[
    "rule",
    "desc",
    "condition",
    "output",
    "priority",
    "source",
    "tags",
    "enabled",
    "exceptions",
    "append",
    "override",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "capture",
    "capture_duration",
    "id",
    "mode",
    "threshold",
    "sequence",
    "mitre",
    "remediation",
    "parity",
    "tests",
];
const APPENDABLE: &[&str] = &["condition", "output", "desc", "tags", "exceptions"];
const ITEMS: &[&str] =
    &["rule", "macro", "list", "required_engine_version", "required_plugin_versions"];

type Found = (Problem, Place);
/// Sorted, so that the same file always reports the same error first.
type Keys<'n> = BTreeMap<&'n str, (&'n Node, Place)>;

impl Definitions {
    /// Takes one top-level item. On an error nothing of it counts.
    pub(crate) fn add(&mut self, item: &Node, problems: &mut Vec<Found>) {
        let before = problems.len();
        if let Err(problem) = self.item(item, problems) {
            problems.insert(before, problem);
        }
    }

    fn item(&mut self, item: &Node, problems: &mut Vec<Found>) -> Result<(), Found> {
        let Value::Mapping(entries) = &item.value else {
            return Err(wrong(
                "yaml",
                item.place,
                format!("expected a rule, macro or list, found {}", item.kind()),
            ));
        };
        let mut keys = Keys::new();
        for (key, value) in entries {
            let name = key.text().ok_or_else(|| wrong("yaml", key.place, "a key is plain text"))?;
            if keys.insert(name, (value, key.place)).is_some() {
                return Err(wrong(
                    "yaml",
                    key.place,
                    format!("the key `{name}` stands here twice"),
                ));
            }
        }
        self.count += 1;
        let Some(kind) = ITEMS.iter().find(|kind| keys.contains_key(**kind)) else {
            let first = entries.first().and_then(|(key, _)| key.text()).unwrap_or_default();
            let place = entries.first().map_or(item.place, |(key, _)| key.place);
            let mut problem =
                Problem::error("unknown-key", format!("`{first}` begins no rule, macro or list"));
            problem.help = did_you_mean(first, ITEMS.iter().copied());
            return Err((problem, place));
        };
        match *kind {
            "rule" => self.rule(&keys, item.place, problems),
            "macro" => self.macro_item(&keys, item.place, problems),
            "list" => self.list(&keys, item.place, problems),
            "required_engine_version" => engine_version(&keys, problems),
            _ => Ok(()),
        }
    }

    fn list(
        &mut self,
        keys: &Keys<'_>,
        place: Place,
        problems: &mut Vec<Found>,
    ) -> Result<(), Found> {
        let name = name_of(keys, "list")?;
        known_keys(keys, LIST_KEYS, &name)?;
        let change = change_of(keys, &["items"], &["items"], problems)?;
        let items = match keys.get("items") {
            Some((node, _)) => sequence(node)?.to_vec(),
            None => return Err(missing("list", &name, "items", place)),
        };
        let append = matches!(&change, Change::Append) || change.appends("items");
        match self.lists.entry(name) {
            Entry::Occupied(mut known) if append => known.get_mut().items.extend(items),
            Entry::Vacant(slot) if change.needs_previous() => {
                return Err(no_previous("list", slot.key(), place));
            }
            Entry::Occupied(mut known) => {
                known.insert(ListDef { items, place });
            }
            Entry::Vacant(slot) => {
                slot.insert(ListDef { items, place });
            }
        }
        Ok(())
    }

    fn macro_item(
        &mut self,
        keys: &Keys<'_>,
        place: Place,
        problems: &mut Vec<Found>,
    ) -> Result<(), Found> {
        let name = name_of(keys, "macro")?;
        known_keys(keys, MACRO_KEYS, &name)?;
        let change = change_of(keys, &["condition"], &["condition"], problems)?;
        let Some((condition, _)) = keys.get("condition") else {
            return Err(missing("macro", &name, "condition", place));
        };
        let condition = scalar(condition)?.clone();
        let order = Order { first: self.count, latest: self.count };
        match self.macros.entry(name) {
            Entry::Occupied(mut known)
                if matches!(change, Change::Append) || change.appends("condition") =>
            {
                known.get_mut().condition.push(condition);
                known.get_mut().order.latest = self.count;
            }
            Entry::Vacant(slot) if change.needs_previous() => {
                return Err(no_previous("macro", slot.key(), place));
            }
            Entry::Occupied(mut known) => {
                let order = Order { first: known.get().order.first, latest: self.count };
                known.insert(MacroDef { condition: vec![condition], place, order });
            }
            Entry::Vacant(slot) => {
                slot.insert(MacroDef { condition: vec![condition], place, order });
            }
        }
        Ok(())
    }

    fn rule(
        &mut self,
        keys: &Keys<'_>,
        place: Place,
        problems: &mut Vec<Found>,
    ) -> Result<(), Found> {
        let name = name_of(keys, "rule")?;
        known_keys(keys, RULE_KEYS, &name)?;
        for (key, (node, _)) in keys {
            if APPENDABLE[..3].contains(key) {
                scalar(node)?;
            }
        }
        let previous = self.rule_index.get(&name).copied();
        let only_enabled = keys.len() == 2 && keys.contains_key("enabled");
        let change = change_of(keys, APPENDABLE, RULE_KEYS, problems)?;
        if !only_enabled && matches!(change, Change::Replace) {
            let mut rule = RuleDef::new(&name, place, self.count);
            for (key, (node, _)) in keys {
                rule.set(key, node, false)?;
            }
            for needed in ["condition", "output", "desc", "priority"] {
                if !keys.contains_key(needed) {
                    return Err(missing("rule", &name, needed, place));
                }
            }
            match previous {
                Some(index) => {
                    rule.order.first = self.rules[index].order.first;
                    self.rules[index] = rule;
                }
                None => {
                    self.rule_index.insert(name, self.rules.len());
                    self.rules.push(rule);
                }
            }
            return Ok(());
        }
        let Some(index) = previous else { return Err(no_previous("rule", &name, place)) };
        if matches!(change, Change::Append)
            && !keys.contains_key("condition")
            && !keys.contains_key("exceptions")
        {
            return Err(wrong(
                "yaml",
                place,
                format!("rule `{name}` appends neither condition nor exceptions"),
            ));
        }
        self.rules[index].order.latest = self.count;
        for (key, (node, _)) in keys {
            let append = match &change {
                Change::Override(_) => change.appends(key),
                Change::Append => APPENDABLE.contains(key),
                Change::Replace => false,
            };
            self.rules[index].set(key, node, append)?;
        }
        Ok(())
    }
}

impl RuleDef {
    fn new(name: &str, place: Place, count: usize) -> Self {
        Self {
            name: name.to_owned(),
            place,
            order: Order { first: count, latest: count },
            condition: Vec::new(),
            output: Vec::new(),
            desc: Vec::new(),
            tags: Vec::new(),
            exceptions: Vec::new(),
            enabled: true,
            keys: HashMap::new(),
        }
    }

    fn set(&mut self, key: &str, node: &Node, append: bool) -> Result<(), Found> {
        let nodes = match key {
            "condition" => &mut self.condition,
            "output" => &mut self.output,
            "desc" => &mut self.desc,
            "tags" => &mut self.tags,
            "exceptions" => &mut self.exceptions,
            "enabled" => {
                self.enabled = boolean(node)?;
                return Ok(());
            }
            _ => {
                if let Some(key) = RULE_KEYS.iter().find(|known| **known == key) {
                    self.keys.insert(key, node.clone());
                }
                return Ok(());
            }
        };
        if !append {
            nodes.clear();
        }
        match key {
            "tags" | "exceptions" => nodes.extend(sequence(node)?.iter().cloned()),
            _ => nodes.push(scalar(node)?.clone()),
        }
        Ok(())
    }
}

/// How an item relates to an earlier one of its name.
enum Change {
    /// It is the new definition.
    Replace,
    /// `append: true`.
    Append,
    /// `override:`, and for each key whether it appends.
    Override(HashMap<String, bool>),
}

impl Change {
    fn appends(&self, key: &str) -> bool {
        matches!(self, Self::Override(keys) if keys.get(key) == Some(&true))
    }

    fn needs_previous(&self) -> bool {
        !matches!(self, Self::Replace)
    }
}

fn change_of(
    keys: &Keys<'_>,
    appendable: &[&str],
    replaceable: &[&str],
    problems: &mut Vec<Found>,
) -> Result<Change, Found> {
    if let Some((node, place)) = keys.get("append") {
        if keys.contains_key("override") {
            return Err(wrong("yaml", *place, "`append` and `override` exclude each other"));
        }
        if !boolean(node)? {
            return Ok(Change::Replace);
        }
        let help = "write `override:` with `condition: append` (or another key)";
        problems.push((
            Problem::warning("deprecated", "Falco is dropping the key `append`").help(help),
            *place,
        ));
        return Ok(Change::Append);
    }
    let Some((node, place)) = keys.get("override") else { return Ok(Change::Replace) };
    let Value::Mapping(entries) = &node.value else {
        return Err(wrong("type", *place, "`override` maps keys to `append` or `replace`"));
    };
    let mut changes = HashMap::new();
    for (key, action) in entries {
        let name = key.text().unwrap_or_default();
        let append = match action.text() {
            Some("append") if appendable.contains(&name) => true,
            Some("append") => {
                return Err(wrong("type", action.place, format!("`{name}` cannot be appended to")));
            }
            Some("replace") => false,
            _ => return Err(wrong("type", action.place, "expected `append` or `replace`")),
        };
        if !replaceable.contains(&name) {
            let mut problem =
                Problem::error("unknown-key", format!("`{name}` cannot be overridden"));
            problem.help = did_you_mean(name, replaceable.iter().copied());
            return Err((problem, key.place));
        }
        if !keys.contains_key(name) {
            return Err(wrong(
                "yaml",
                key.place,
                format!("`override` names `{name}`, which the item lacks"),
            ));
        }
        changes.insert(name.to_owned(), append);
    }
    let unnamed = keys.iter().filter(|(key, _)| {
        !ITEMS.contains(*key) && **key != "override" && !changes.contains_key(**key)
    });
    if let Some((key, (_, place))) = unnamed.min_by_key(|(_, (_, place))| *place) {
        let message = format!("`{key}` stands beside `override`, which does not name it");
        let problem = Problem::error("yaml", message)
            .help(format!("add `{key}: replace` to `override`, or leave `{key}` out"));
        return Err((problem, *place));
    }
    Ok(Change::Override(changes))
}

fn engine_version(keys: &Keys<'_>, problems: &mut Vec<Found>) -> Result<(), Found> {
    let Some((node, _)) = keys.get("required_engine_version") else { return Ok(()) };
    let text = scalar(node)?.text().unwrap_or_default();
    let parts: Option<Vec<u64>> = text.split('.').map(|part| part.parse().ok()).collect();
    // A bare number is the minor version: 17 is 0.17.0.
    let required = match parts.as_deref() {
        Some([minor]) => (0, *minor, 0),
        Some([major, minor, patch]) => (*major, *minor, *patch),
        _ => {
            return Err(wrong(
                "type",
                node.place,
                format!("`{text}` is no engine version such as 0.31.0"),
            ));
        }
    };
    if required > ENGINE_VERSION {
        let (major, minor, patch) = ENGINE_VERSION;
        let message = format!(
            "the file wants engine {text}, this one reads the language of {major}.{minor}.{patch}"
        );
        problems.push((
            Problem::warning("deprecated", message)
                .help("newer constructs are reported where they stand"),
            node.place,
        ));
    }
    Ok(())
}

fn name_of(keys: &Keys<'_>, kind: &str) -> Result<String, Found> {
    let Some((node, place)) = keys.get(kind) else { return Ok(String::new()) };
    match node.text().map(str::trim) {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(wrong("type", *place, format!("a {kind} needs a name"))),
    }
}

fn known_keys(keys: &Keys<'_>, known: &[&str], name: &str) -> Result<(), Found> {
    let mut unknown: Vec<_> = keys.iter().filter(|(key, _)| !known.contains(*key)).collect();
    unknown.sort_by_key(|(_, (_, place))| *place);
    match unknown.first() {
        None => Ok(()),
        Some((key, (_, place))) => {
            let mut problem = Problem::error("unknown-key", format!("no key `{key}` in `{name}`"));
            problem.help = did_you_mean(key, known.iter().copied());
            Err((problem, *place))
        }
    }
}

pub(crate) fn sequence(node: &Node) -> Result<&[Node], Found> {
    match &node.value {
        Value::Sequence(items) => Ok(items),
        _ if node.is_null() => Ok(&[]),
        _ => Err(wrong("type", node.place, format!("expected a list, found {}", node.kind()))),
    }
}

pub(crate) fn scalar(node: &Node) -> Result<&Node, Found> {
    match &node.value {
        Value::Scalar { .. } => Ok(node),
        _ => Err(wrong("type", node.place, format!("expected text, found {}", node.kind()))),
    }
}

pub(crate) fn boolean(node: &Node) -> Result<bool, Found> {
    match node.text() {
        Some("true" | "True" | "TRUE" | "yes" | "on") => Ok(true),
        Some("false" | "False" | "FALSE" | "no" | "off") => Ok(false),
        _ => Err(wrong("type", node.place, "expected true or false")),
    }
}

pub(crate) fn wrong(code: &str, place: Place, message: impl Into<String>) -> Found {
    (Problem::error(code, message), place)
}

fn missing(kind: &str, name: &str, key: &str, place: Place) -> Found {
    wrong("yaml", place, format!("{kind} `{name}` has no `{key}`"))
}

fn no_previous(kind: &str, name: &str, place: Place) -> Found {
    wrong("no-previous", place, format!("no earlier {kind} `{name}` to change"))
}
