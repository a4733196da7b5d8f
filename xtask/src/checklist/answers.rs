//! What answers a row: controls by the keys they cover, or a reason from a closed list.
use super::rows::{List, Row};
use crate::tidy::files;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Reasons that leave a row unanswered; `duplicate of` names another row.
pub(super) const EXCUSES: [&str; 4] = ["needs cloud", "manual", "duplicate of KEY", "deprecated"];

/// Reasons that say where else the row is answered.
const ELSEWHERE: [&str; 3] = ["scanner or gate", "sensor or plan", "ships as a fix"];

pub(super) enum Answer {
    /// Control ids.
    Controls(Vec<String>),
    Reason(String),
}

#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Key → ids of the controls that cover it.
    covers: BTreeMap<String, BTreeSet<String>>,
    /// File below `content/` → row → keys or a reason.
    said: BTreeMap<&'static str, BTreeMap<String, Said>>,
    /// Every key of the index.
    keys: BTreeSet<String>,
}

#[derive(Clone, Debug)]
enum Said {
    Keys(Vec<String>),
    Reason(String),
}

impl Answers {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut answers = Self::default();
        for path in files(root, "content/controls", ".yaml")? {
            let control = yaml(&root.join(&path))?;
            let id = control["id"].as_str().unwrap_or_default();
            for key in control["covers"].as_array().into_iter().flatten().filter_map(Value::as_str)
            {
                answers.covers.entry(key.to_owned()).or_default().insert(id.to_owned());
            }
        }
        for list in super::rows::LISTS {
            let path = root.join("content").join(list.answers);
            let document = yaml(&path)?;
            let mut said = BTreeMap::new();
            for (row, value) in document.as_object().into_iter().flatten() {
                let texts = |items: &[Value]| -> Option<Vec<String>> {
                    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
                };
                let answer = match value {
                    Value::String(reason) => Some(Said::Reason(reason.clone())),
                    Value::Array(keys) => texts(keys).map(Said::Keys),
                    _ => None,
                };
                let wrong = || format!("{}: `{row}` has neither keys nor a reason", path.display());
                said.insert(row.clone(), answer.with_context(wrong)?);
            }
            answers.said.insert(list.answers, said);
        }
        Ok(answers)
    }

    /// The keys of the index, against which those that controls cover are held.
    pub(super) fn know(&mut self, keys: BTreeSet<String>) {
        self.keys = keys;
    }

    /// `Err` says why the row is not answered.
    pub(super) fn of(&self, list: &List, row: &Row) -> Result<Answer, String> {
        let said = self.said.get(list.answers).and_then(|said| said.get(&row.name));
        let own = if list.is_index { self.covers.get(&row.name) } else { None };
        match (own, said) {
            (Some(ids), None) => Ok(Answer::Controls(ids.iter().cloned().collect())),
            (Some(ids), Some(Said::Reason(reason))) => {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                Err(format!("has a control, {}, and the reason `{reason}`", ids.join(" ")))
            }
            (None, Some(Said::Reason(reason))) => self.reason(reason),
            (_, Some(Said::Keys(keys))) => {
                let ids: BTreeSet<&String> =
                    keys.iter().filter_map(|key| self.covers.get(key)).flatten().collect();
                match ids.is_empty() {
                    true => {
                        Err(format!("is answered by {}, which no control covers", keys.join(", ")))
                    }
                    false => Ok(Answer::Controls(ids.into_iter().cloned().collect())),
                }
            }
            (None, None) => Err("has neither a control nor a reason".to_owned()),
        }
    }

    fn reason(&self, reason: &str) -> Result<Answer, String> {
        if let Some(key) = reason.strip_prefix("duplicate of ") {
            return match self.covers.contains_key(key) {
                true => Ok(Answer::Reason(reason.to_owned())),
                false => Err(format!("is a duplicate of {key}, which no control covers")),
            };
        }
        if is_excuse(reason) || ELSEWHERE.contains(&reason) {
            return Ok(Answer::Reason(reason.to_owned()));
        }
        let known: Vec<&str> = EXCUSES.into_iter().chain(ELSEWHERE).collect();
        Err(format!("has the reason `{reason}`, which is none of {}", known.join(", ")))
    }

    /// What is said of rows that the list does not have.
    pub(super) fn strangers(&self, list: &List, rows: &[Row]) -> Vec<String> {
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let said = self.said.get(list.answers).into_iter().flatten();
        said.filter(|(name, _)| !names.contains(name.as_str()))
            .map(|(name, _)| format!("{}: no row is called `{name}`", list.file))
            .collect()
    }

    /// Keys that controls or rows name and the index does not have.
    pub(super) fn unknown_keys(&self) -> Vec<String> {
        let mut unknown = Vec::new();
        for (key, ids) in &self.covers {
            if !self.keys.contains(key) {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                unknown.push(format!(
                    "{} covers `{key}`, which is no key of controls.json",
                    ids.join(" ")
                ));
            }
        }
        unknown
    }
}

/// Whether the reason leaves the row unanswered.
pub(super) fn is_excuse(reason: &str) -> bool {
    EXCUSES.contains(&reason) || reason.starts_with("duplicate of ")
}

fn yaml(path: &Path) -> Result<Value> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("{} is no YAML", path.display()))
}
