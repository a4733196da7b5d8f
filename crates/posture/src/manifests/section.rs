//! One object's own lines in a document of many: edited alone, so that a list costs its length and not its square.
use super::edit;
use crate::yaml::{Kind, Node};
use std::ops::Range;

/// The text of an object within its document, in bytes, and the column it begins at.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) range: Range<usize>,
    column: usize,
}

impl Section {
    pub(super) fn of(text: &str, node: &Node) -> Self {
        match &node.kind {
            Kind::Mapping { entries, flow: false } => {
                // The parser's own end of a block lies at the next token, comments of what follows included.
                let end = edit::line_end(text, edit::node_end(text, node));
                let start = entries.first().map_or(node.span.start, |first| first.key_span.start);
                Self { range: start..end.max(start), column: node.column as usize }
            }
            _ => Self { range: node.span.clone(), column: 0 },
        }
    }

    /// The section as a document of its own, at the column it stands at, since block YAML is read by columns.
    pub(super) fn alone(&self, text: &str) -> String {
        format!("{}{}", " ".repeat(self.column), &text[self.range.clone()])
    }

    /// An edited document without the margin that [`Self::alone`] gave it: a dash or a key stands there.
    pub(super) fn embedded(&self, edited: &str) -> String {
        let blanks = edited.bytes().take_while(|byte| *byte == b' ').count();
        edited[blanks.min(self.column)..].to_owned()
    }
}
