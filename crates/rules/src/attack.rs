//! ATT&CK tactics and techniques as `content/attack.yaml` lists them.
use crate::yaml::{self, Node, Value};
use seawall_model::Problem;
use seawall_model::attack::{Tactic, Technique};
use std::collections::BTreeMap;

/// One technique or sub-technique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TechniqueEntry {
    pub name: String,
    pub tactics: Vec<Tactic>,
    /// Whether the Containers matrix lists it.
    pub containers: bool,
}

/// One tactic: `TA0002`, Execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TacticEntry {
    pub id: String,
    pub name: String,
}

/// The part of ATT&CK that content refers to.
#[derive(Clone, Debug, Default)]
pub struct Attack {
    pub version: String,
    pub tactics: BTreeMap<Tactic, TacticEntry>,
    pub techniques: BTreeMap<Technique, TechniqueEntry>,
}

impl Attack {
    /// Reads the file's text: `version`, `tactics` (id, key, name) and `techniques` (id, name, tactics, containers).
    pub fn parse(name: &str, text: &str) -> (Self, Vec<Problem>) {
        let source = yaml::Source::new(name, text);
        let (documents, mut problems) = yaml::parse(0, &source);
        let mut attack = Self::default();
        for (key, node) in documents.iter().flat_map(entries) {
            match key.text().unwrap_or_default() {
                "version" => attack.version = node.text().unwrap_or_default().to_owned(),
                "tactics" => {
                    for node in items(node) {
                        match tactic(node) {
                            Ok((tactic, entry)) => {
                                attack.tactics.insert(tactic, entry);
                            }
                            Err(message) => problems.push(at(name, node, message)),
                        }
                    }
                }
                "techniques" => {
                    for node in items(node) {
                        match technique(node) {
                            Ok((technique, entry)) => {
                                if attack.techniques.insert(technique, entry).is_some() {
                                    problems.push(at(
                                        name,
                                        key,
                                        "the technique stands here twice".into(),
                                    ));
                                }
                            }
                            Err(message) => problems.push(at(name, node, message)),
                        }
                    }
                }
                other => problems.push(at(name, key, format!("no key `{other}`"))),
            }
        }
        (attack, problems)
    }

    /// The tactics of the techniques, each once, in kill-chain order.
    pub fn tactics_of(&self, techniques: &[Technique]) -> Vec<Tactic> {
        let entries = techniques.iter().filter_map(|technique| self.techniques.get(technique));
        let mut tactics: Vec<Tactic> =
            entries.flat_map(|entry| entry.tactics.iter().copied()).collect();
        tactics.sort_unstable();
        tactics.dedup();
        tactics
    }
}

fn at(file: &str, node: &Node, message: String) -> Problem {
    Problem::error("type", message).file(file).at(node.place.line, node.place.column)
}

fn entries(node: &Node) -> &[(Node, Node)] {
    match &node.value {
        Value::Mapping(entries) => entries,
        _ => &[],
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::Sequence(items) => items,
        _ => &[],
    }
}

fn get<'n>(node: &'n Node, wanted: &str) -> Option<&'n Node> {
    entries(node).iter().find(|(key, _)| key.text() == Some(wanted)).map(|(_, value)| value)
}

fn words(node: &Node, wanted: &str) -> Result<String, String> {
    let text = get(node, wanted).and_then(Node::text).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| format!("`{wanted}` is missing"))
}

fn tactic(node: &Node) -> Result<(Tactic, TacticEntry), String> {
    let tactic = words(node, "key")?.parse::<Tactic>().map_err(|error| error.to_string())?;
    let id = words(node, "id")?;
    if !id
        .strip_prefix("TA")
        .is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(format!("`{id}` is no tactic id such as TA0002"));
    }
    Ok((tactic, TacticEntry { id, name: words(node, "name")? }))
}

fn technique(node: &Node) -> Result<(Technique, TechniqueEntry), String> {
    let technique = words(node, "id")?.parse::<Technique>().map_err(|error| error.to_string())?;
    let tactics = match get(node, "tactics").map(|node| &node.value) {
        Some(Value::Sequence(items)) if !items.is_empty() => items
            .iter()
            .map(|item| {
                item.text().unwrap_or_default().parse::<Tactic>().map_err(|error| error.to_string())
            })
            .collect::<Result<_, _>>()?,
        _ => return Err("`tactics` is a list of tactic names".to_owned()),
    };
    let containers = get(node, "containers").and_then(Node::text) == Some("true");
    Ok((technique, TechniqueEntry { name: words(node, "name")?, tactics, containers }))
}
