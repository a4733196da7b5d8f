//! Objects that came out of a cluster, written as a person would, so that a fix can be shown as a diff.
use crate::yaml;
use serde_json::Value;

/// YAML that reads back as the same object; JSON, which is YAML too, where the writer's YAML would not.
pub fn write(object: &Value) -> String {
    let mut stored = object.clone();
    super::remove_nulls(&mut stored);
    let same = |text: &str| {
        let read = yaml::parse(text).ok().flatten();
        read.is_some_and(|node| node.to_json() == stored)
    };
    match serde_saphyr::to_string(&stored) {
        Ok(text) if same(&text) => text,
        _ => serde_json::to_string_pretty(&stored).expect("a value is JSON") + "\n",
    }
}

#[test]
fn what_is_written_reads_back() {
    use serde_json::json;
    for value in [
        json!({"a": "yes", "b": "0644", "c": "1e3", "d": "~", "e": "- x", "f": "a: b #c", "g": ""}),
        json!({"kind": "Pod", "spec": {"containers": [{"name": "a", "args": ["x\ny\n", "\ttab", " lead"]}]}}),
        json!({"n": [1, 1.5, true, [], {}, "null", "=", "<<", "@at", "`q", "%p", "a\u{85}b"]}),
    ] {
        let text = write(&value);
        assert_eq!(yaml::parse(&text).unwrap().unwrap().to_json(), value, "{text}");
    }
    assert_eq!(write(&json!({"a": {"b": null, "c": [1]}})), "a:\n  c:\n  - 1\n");
}
