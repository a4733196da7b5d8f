//! JSON Patch, `[document, operations]`: all operations or none.
use super::texts;
use crate::Target;
use seawall_posture::patch::apply;
use serde_json::Value;

pub(crate) const TARGET: Target = Target { name: "posture-patch", run, seeds, rounds: 12_000 };

fn run(bytes: &[u8]) {
    let Ok((before, operations)) = serde_json::from_slice::<(Value, Vec<Value>)>(bytes) else {
        return;
    };
    let mut after = before.clone();
    if let Err(error) = apply(&mut after, &operations) {
        assert_eq!(after, before);
        assert!(error.operation < operations.len());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"[{"a":{"b":[1,2,{"c":null}]}},[{"op":"add","path":"/a/b/-","value":3},{"op":"remove","path":"/a/b/0"},{"op":"replace","path":"/a/b/1/c","value":{}}]]"#,
        r#"[{"foo":["x"],"~1/":0},[{"op":"move","from":"/foo","path":"/bar"},{"op":"copy","from":"/bar/0","path":"/bar/1"},{"op":"test","path":"/~01~1","value":0}]]"#,
        r#"[[],[{"op":"add","path":"","value":[1]},{"op":"add","path":"/0","value":0},{"op":"move","from":"/0","path":"/0/x"}]]"#,
    ])
}
