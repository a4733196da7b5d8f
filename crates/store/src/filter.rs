//! The filter language of URLs, query bars and the CLI: one grammar, two evaluators that agree.
//!
//! ```text
//! query := any            any := all (OR all)*        all := one+          one := [-] ( "(" any ")" | term )
//! term  := field:value,…  | field:>=value (> < <= too) | field:* | word | "quoted words"
//! ```
//!
//! A space is AND. Text is compared exactly and case-sensitively, `prefix*` by its beginning; words search the noun's
//! text for a substring, case folded ([`fold`]). A field without a value matches nothing but `-field:…`.

/// A filter that cannot be read, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, character {position}: {message}")]
pub struct FilterError {
    /// 1-based, in characters.
    pub position: usize,
    pub message: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

/// Case folded for comparison: every character's own lower-case mapping, without regard to its neighbours, so that a
/// part of a text folds to a part of the folded text. No normalisation: `é` and `e` + accent differ.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
