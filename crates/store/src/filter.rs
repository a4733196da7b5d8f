//! The filter language of URLs, query bars and the CLI: one grammar, two evaluators that agree.
//!
//! ```text
//! any  := all (OR all)*      all := one+      one := [-] ( "(" any ")" | term )
//! term := field:value,…  | field:>=value (also > < <=) | field:* | word | "quoted words"
//! ```
//!
//! A space is AND. Text is compared exactly and case-sensitively over its first 512 characters, `prefix*` by its
//! beginning; a quoted value has no wildcard. Words search the noun's texts for a substring, case folded ([`fold`]).
//! A field without a value matches nothing but `-field:…`. `unknown` severity is neither above nor below a level.
//! On times `<7d` is an age (less than seven days ago), on deadlines a distance (over, or within seven days); units
//! are s, m, h, d, w. A date stands for its whole day, UTC.
mod compile;
mod date;
mod grammar;
mod memory;
mod sql;

use crate::cell::Cell;
use crate::noun::{Field, Noun, Table};
use crate::visible::Visible;
use seawall_model::Millis;
pub(crate) use sql::push_filter;

/// A filter that cannot be read, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, character {position}: {message}")]
pub struct FilterError {
    /// 1-based, in characters.
    pub position: usize,
    /// Ends with the suggestion where there is one.
    pub message: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

/// A filter that was read for one noun at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub(crate) table: &'static str,
    pub(crate) root: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// No item: true.
    All(Vec<Node>),
    /// No item: false.
    Any(Vec<Node>),
    Not(Box<Node>),
    Test(Test),
}

/// One comparison; every one is false on an absent value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Present(&'static Field),
    Equals(&'static Field, Cell),
    Prefix(&'static Field, String),
    /// `[from, to)`; an open end is `None`.
    Range(&'static Field, Option<i64>, Option<i64>),
    /// A folded substring.
    Words(String),
}

impl Filter {
    /// `now` is what relative times count from. Errors name the place and what was probably meant.
    pub fn parse<N: Noun>(text: &str, now: Millis) -> Result<Self, FilterError> {
        Self::for_table(N::TABLE, text, now)
    }

    pub(crate) fn for_table(
        table: &'static Table,
        text: &str,
        now: Millis,
    ) -> Result<Self, FilterError> {
        let syntax = grammar::parse(text)?;
        Ok(Self { table: table.plural, root: compile::compile(table, &syntax, now)? })
    }

    /// Whether the noun matches; the same answer as the database's.
    pub fn matches<N: Noun>(&self, noun: &N) -> bool {
        crate::noun::document(noun).is_ok_and(|document| self.matches_json::<N>(&document))
    }

    /// The same for the noun's JSON as it was read, made once for many filters.
    pub fn matches_json<N: Noun>(&self, json: &serde_json::Value) -> bool {
        debug_assert_eq!(self.table, N::TABLE.plural, "a filter belongs to one noun");
        memory::matches(&self.root, N::TABLE, json)
    }

    /// The same for an object that is no noun.
    pub(crate) fn matches_held(&self, table: &Table, json: &serde_json::Value) -> bool {
        memory::matches(&self.root, table, json)
    }

    /// The first field that `visible` may not compare.
    pub(crate) fn refused(&self, visible: &Visible) -> Option<&'static Field> {
        visible.is_narrowed().then(|| self.root.fields().into_iter().find(|field| field.whole))?
    }
}

impl Node {
    fn fields(&self) -> Vec<&'static Field> {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().flat_map(Self::fields).collect(),
            Self::Not(node) => node.fields(),
            Self::Test(Test::Words(_)) => Vec::new(),
            Self::Test(
                Test::Present(field)
                | Test::Equals(field, _)
                | Test::Prefix(field, _)
                | Test::Range(field, ..),
            ) => vec![field],
        }
    }
}

/// Case folded for comparison: every character's own lower-case mapping, without regard to its neighbours, so that a
/// part of a text folds to a part of the folded text. No normalisation: `é` and `e` + accent differ.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// The candidate closest to `word`, if any is close enough to be a slip.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let word = fold(word);
    let limit = (word.chars().count() / 3).max(1) + 1;
    let distance = |candidate: &'a str| (edits(&word, &fold(candidate)), candidate);
    let closest = candidates.into_iter().map(distance).min()?;
    (closest.0 <= limit).then(|| closest.1.to_owned())
}

/// Levenshtein distance in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[test]
fn slips_are_recognised() {
    let names = ["severity", "state", "cluster"];
    assert_eq!(nearest("sevrity", names).as_deref(), Some("severity"));
    assert_eq!(nearest("Stat", names).as_deref(), Some("state"));
    assert_eq!(nearest("banana", names), None);
}
