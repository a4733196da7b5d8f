//! Bounds of an evaluation, and what OPA's own rules of evaluation give.
use super::{check, check_version, evaluate, load};
use seawall_rego::{Clock, Data, Limits, Source, Version};
use serde_json::json;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// A million and more combinations.
const RUNAWAY: &str = r#"violation[{"msg": "m"}] {
  xs := numbers.range(1, 2000)
  count([1 | xs[_] + xs[_] < 0]) > 0
}"#;

#[test]
fn steps_are_bounded() {
    let policy = load(Version::V0, RUNAWAY);
    let told = evaluate(&policy, &Limits { steps: 100_000, ..Limits::default() });
    assert_eq!(told.unwrap_err().to_string(), "over 100000 steps");
}

#[test]
fn a_negation_does_not_swallow_the_bound() {
    let policy = load(
        Version::V0,
        &format!(
            "{RUNAWAY}\nviolation[{{\"msg\": \"n\"}}] {{ not slow }}\nslow {{ xs := numbers.range(1, 2000); xs[_] + xs[_] < 0 }}"
        ),
    );
    assert!(evaluate(&policy, &Limits { steps: 100_000, ..Limits::default() }).is_err());
}

#[test]
fn the_callers_clock_ends_it() {
    let policy = load(Version::V0, RUNAWAY);
    let ticks = Rc::new(Cell::new(0));
    let read = Rc::new(move || {
        ticks.set(ticks.get() + 1);
        Duration::from_millis(ticks.get())
    });
    let clock = Clock { read, limit: Duration::from_millis(100) };
    let told = evaluate(&policy, &Limits { clock: Some(clock), ..Limits::default() });
    assert_eq!(told.unwrap_err().to_string(), "out of time");
}

#[test]
fn text_and_collections_are_bounded() {
    let grow = "a := concat(\"\", [input.review.object.metadata.name, \"0123456789abcdef\"]); b := concat(a, [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a]); c := concat(b, [b,b,b,b,b,b,b,b,b,b,b,b,b,b,b,b]); d := concat(c, [c,c,c,c,c,c,c,c,c,c,c,c,c,c,c,c]); e := concat(d, [d,d,d,d,d,d,d,d,d,d,d,d,d,d,d,d]); f := concat(e, [e,e,e,e,e,e,e,e,e,e,e,e,e,e,e,e])";
    for (statement, told) in [
        (grow, "a string over 16 MiB"),
        ("count(numbers.range(1, 1000000000)) > 0", "a collection over 1,048,576 elements"),
        (
            r#"sprintf("%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d", numbers.range(1, 18)) != """#,
            "a string over 16 MiB",
        ),
    ] {
        let policy = load(Version::V0, &format!("violation[{{\"msg\": \"m\"}}] {{ {statement} }}"));
        assert_eq!(evaluate(&policy, &Limits::default()).unwrap_err().to_string(), told);
    }
}

#[test]
fn the_time_is_the_callers() {
    check(r#"violation[{"msg": m}] { m := sprintf("%d", [time.now_ns()]) }"#, &["7"]);
    let policy = load(Version::V0, r#"violation[{"msg": "m"}] { time.now_ns() > 0 }"#);
    assert_eq!(evaluate(&policy, &Limits::default()).unwrap_err().to_string(), "no time was given");
}

#[test]
fn contradictions_are_told() {
    let policy =
        load(Version::V0, "p = 1 { true }\np = 2 { true }\nviolation[{\"msg\": \"m\"}] { p }");
    assert_eq!(
        evaluate(&policy, &Limits::default()).unwrap_err().to_string(),
        "complete rules must not produce multiple outputs"
    );
    let policy = load(Version::V0, "violation[{\"msg\": 1}] { true }");
    assert_eq!(
        evaluate(&policy, &Limits::default()).unwrap_err().to_string(),
        "msg is not a string"
    );
}

#[test]
fn an_interpreter_serves_many_inputs() {
    let source = Source {
        version: Version::V0,
        rego: "package t\nviolation[{\"msg\": m, \"details\": {\"set\": {2, 1}}}] { m := sprintf(\"%v of %v\", [input.review.name, count(data.inventory.cluster)]) }".to_owned(),
        libs: Vec::new(),
    };
    let mut interpreter = seawall_rego::Policy::load(&source).unwrap().interpreter();
    for (name, size) in [("a", 0), ("b", 2), ("c", 1)] {
        let objects: serde_json::Map<_, _> =
            (0..size).map(|at| (format!("v{at}"), json!({}))).collect();
        interpreter.set_inventory(&Data::from_json(&json!({"cluster": objects}))).unwrap();
        let input = Data::from_json(&json!({"review": {"name": name}, "parameters": {}}));
        let found = interpreter.evaluate(&input, &Limits::default()).unwrap();
        assert_eq!(found[0].message, format!("{name} of {size}"));
        assert_eq!(found[0].details, json!({"set": [1, 2]}));
    }
}

#[test]
fn scopes_are_opas() {
    check(
        r#"violation[{"msg": m}] { x := 1; ys := [x | x := 2]; m := sprintf("%v %v", [x, ys]) }"#,
        &["1 [2]"],
    );
    check(
        r#"violation[{"msg": m}] { ys := [y | y := input.review.object.spec.containers[i].name]; i := 1; m := ys[0] }"#,
        &["b"],
    );
    check(
        "r = 5\nf(r) = r\nviolation[{\"msg\": m}] { m := sprintf(\"%d %d\", [f(3), r]) }",
        &["3 5"],
    );
    check("count(x) = 42\nviolation[{\"msg\": m}] { m := sprintf(\"%d\", [count([])]) }", &["42"]);
    check(
        r#"violation[{"msg": m}] { in := 1; every := 2; if := in + every; m := sprintf("%d", [if]) }"#,
        &["3"],
    );
    check_version(
        Version::V1,
        "violation contains {\"msg\": m} if { some i, x in [\"p\", \"q\"]; every y in [x] { y == x }; m := sprintf(\"%d%s\", [i, x]) }",
        &["0p", "1q"],
    );
}
