//! YAML documents as trees: every place that a node names lies in the text.
use super::texts;
use crate::Target;
use seawall_posture::yaml::{Kind, Node, documents, parse};

pub(crate) const TARGET: Target = Target { name: "posture-yaml", run, seeds, rounds: 5_000 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for (offset, line, document) in documents(&text) {
        assert!(line >= 1);
        assert!(text.get(offset..).is_some_and(|rest| rest.starts_with(document)));
        match parse(document) {
            Ok(Some(node)) => {
                check(&node, document);
                node.to_json();
            }
            Ok(None) => {}
            Err(error) => assert!(error.line >= 1 && !error.message.is_empty(), "{error:?}"),
        }
    }
}

fn check(node: &Node, text: &str) {
    assert!(text.get(node.span.clone()).is_some() && node.line >= 1, "{node:?}");
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::Sequence { items, .. } => items.iter().for_each(|item| check(item, text)),
        Kind::Mapping { entries, .. } => {
            for entry in entries {
                assert!(text.get(entry.key_span.clone()).is_some(), "{entry:?}");
                check(&entry.value, text);
            }
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "a: &x {b: [1, 0x1f, 0o7, 0644, 1e3, .inf, ~, yes, \"q\\u00e9\", 'it''s']}\nc: *x\nd:\n  <<: *x\n  e: |-\n    text\n    more\n  f: >+\n\n    folded\n",
        "# comment\n---\n- - a\n  - ? k\n    : v\n-\n...\n---\r\n{\"json\": [1, -2.5e3, null]}\r\n",
        "%YAML 1.1\n---\n!!str 1: !custom {a: b}\nlong key: \"a\\\n  b\"\n\u{feff}é: ü\n",
    ])
}
