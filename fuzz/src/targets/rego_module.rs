//! Templates' texts: each loads or is refused with places inside of its text; what loads ends within its bounds.
use super::texts;
use crate::Target;
use seawall_rego::{Data, Limits, Policy, Source, Version};

pub(crate) const TARGET: Target = Target { name: "rego-module", run, seeds, rounds: 400 };

/// Enough for the seeds, few enough for a runaway.
const STEPS: u64 = 20_000;

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for version in [Version::V0, Version::V1] {
        let source = Source { version, rego: text.clone().into_owned(), libs: Vec::new() };
        let policy = match Policy::load(&source) {
            Ok(policy) => policy,
            Err(errors) => {
                assert!(!errors.is_empty(), "refused without a reason");
                let lines = text.split('\n').count();
                for error in errors {
                    assert!(
                        (1..=lines).contains(&(error.line as usize)),
                        "{error} of {lines} lines"
                    );
                }
                continue;
            }
        };
        let input = serde_json::json!({"review": {"object": {"metadata": {"name": "a", "labels": {"b": "c"}}, "xs": [1, "2", null]}}, "parameters": {"xs": ["a"]}});
        let limits = Limits { steps: STEPS, now: Some(0), ..Limits::default() };
        let mut interpreter = policy.interpreter();
        let input = Data::from_json(&input);
        let first = interpreter.evaluate(&input, &limits);
        assert_eq!(first, interpreter.evaluate(&input, &limits), "another answer the second time");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "package t\nviolation[{\"msg\": msg}] {\n  c := input.review.object.xs[_]\n  not c == 1\n  msg := sprintf(\"%v %04d\", [c, 1])\n}\n",
        "package t\nviolation contains {\"msg\": m} if {\n  some k, v in input.review.object.metadata.labels\n  every x in [1] { x > 0 }\n  m := concat(\"\", [k, v])\n}\n",
        "package t\np[x] = y { x := \"a\"; y := {1 | 2} } { x := \"b\"; y := [z | z > 1; z = [1, 2][_]] }\nviolation[{\"msg\": m}] { p[m]; not f(input.gone) }\nf(x) = 1 { x == `r` } else = 2 { x.y[0].z }\ndefault d = {\"k\": null}\n",
        "package t\nviolation[{\"msg\": m}] { walk(input, [p, v]); is_string(v); m := v with input.a as {\"b\"} }\n",
        "package t\nviolation[{\"msg\": m}] { x := ((1 + 2) * 3 - 4) / 5 % 2; m := regex.replace(\"ab\", \"(a)\", \"$1\"); x }\n",
        "package t\nviolation[{\"msg\": m}] { xs := numbers.range(1, 900); xs[_] + xs[_] + xs[_] < 0; m := \"m\" }\n",
        // Once found out while running.
        "package t\nviolation[{\"msg\": m}] { walk(input, [p, v]); is_string(v); m := v with violainput.a as {\"b\"} }\n",
        "package t\nviolation[{\"msg\": m}] { m := {[[{}], set(), {\"a\": {1}}]: -1.5e3}[_] }\n",
    ])
}
