//! The language as its users see it: text in, value, cost or message out.
mod authorizer;
mod depth;
mod errors;
mod functions;
mod values;

use seawall_cel::{Budget, CompileError, Env, EvalError, Go, Stage, Type, Value};
use serde_json::json;

/// The value of `text` as Go prints it, or its error's text, and what it cost; `object` is a pod.
pub fn run(text: &str) -> (String, u64) {
    let env = Env::kubernetes(36).with_variable("object", Type::Dyn);
    let program = match env.compile(text) {
        Ok(program) => program,
        Err(errors) => {
            let placed = |e: &CompileError| match e.stage {
                Stage::Plan => e.message.clone(),
                _ => format!("{}:{} {}", e.line, e.column, e.message),
            };
            let told: Vec<String> = errors.iter().map(placed).collect();
            return (format!("compile: {}", told.join("; ")), 0);
        }
    };
    let pod = json!({"kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "a", "image": "nginx:1", "ports": [80, 443]},
            {"name": "b", "image": "proxy", "securityContext": {"privileged": true}}],
            "replicas": 3, "ratio": 1.5, "none": null}});
    let mut budget = Budget::expression();
    let value = program.evaluate(&[("object", Value::json(&pod))], &mut budget);
    let told = match value {
        Ok(value) => Go(&value).to_string(),
        Err(EvalError::Error(text)) => format!("error: {text}"),
        Err(other) => format!("stopped: {other}"),
    };
    (told, budget.spent())
}

#[track_caller]
pub fn check(text: &str, expected: &str) {
    assert_eq!(run(text).0, expected, "{text}");
}
