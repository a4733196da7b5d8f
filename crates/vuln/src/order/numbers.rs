//! Versions that are lists of numbers, in which a longer list is above its own prefix.
use super::digits::{self, Number};

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Numbers<'t>(Vec<Number<'t>>);

impl<'t> Numbers<'t> {
    /// Separators that follow each other, lead or end are one or none. `None` if anything else is in the text.
    pub(super) fn parse(text: &'t str, separators: &[char]) -> Option<Self> {
        let parts = text.split(separators).filter(|part| !part.is_empty());
        parts
            .map(|part| digits::all_digits(part).then(|| Number::new(part)))
            .collect::<Option<_>>()
            .map(Self)
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        for number in &self.0 {
            number.encode(key);
        }
        key.push(END);
    }
}

/// Below the first byte of a number.
const END: u8 = 0x00;
