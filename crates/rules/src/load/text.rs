//! Texts that several items put together, with the place of every byte.
use super::Found;
use crate::condition::Condition;
use crate::parse::{self, Text};
use crate::yaml::{self, Place};
use seawall_model::Problem;

pub(super) fn joined_text(nodes: &[yaml::Node]) -> String {
    nodes.iter().filter_map(yaml::Node::text).map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Joins the texts by a blank, with the place of every byte.
pub(super) fn join(nodes: &[yaml::Node], sources: &[yaml::Source]) -> (String, Vec<Place>) {
    let mut text = String::new();
    let mut places: Vec<Place> = Vec::new();
    for node in nodes {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(node.text().unwrap_or_default());
        // The previous text's end stands for the joining blank.
        places.extend(
            sources
                .get(node.place.file as usize)
                .map(|source| source.places(node))
                .unwrap_or_default(),
        );
    }
    let kept = text.trim_end().len();
    text.truncate(kept);
    places.truncate(kept + 1);
    (text, places)
}

pub(super) fn parse(nodes: &[yaml::Node], sources: &[yaml::Source]) -> Result<Condition, Found> {
    let (text, places) = join(nodes, sources);
    if text.trim().is_empty() {
        let place = nodes.first().map(|node| node.place).unwrap_or_default();
        return Err((Problem::error("syntax", "the condition is empty"), place));
    }
    parse::parse(&Text { text: &text, places: &places })
}
