//! Expressions of CEL in environments of several Kubernetes minors: each compiles, or is refused with places inside
//! its text; what compiles gives the same value at the same cost each time, within its budget.
use super::texts;
use crate::Target;
use seawall_cel::{Budget, Env, EvalError, Go, Type, Value, display};
use serde_json::{Value as Json, json};

pub(crate) const TARGET: Target = Target { name: "cel-expression", run, seeds, rounds: 1500 };

/// Before and after: optional types, literal checks, two-variable loops, the newest.
const MINORS: [u32; 4] = [26, 29, 32, 37];

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let object = object();
    for minor in MINORS {
        let env = Env::kubernetes(minor).with_variable("object", Type::Dyn);
        match env.compile(&text) {
            Err(errors) => {
                assert!(!errors.is_empty());
                let lines = text.split('\n').count();
                assert!(errors.iter().all(|error| (1..=lines).contains(&(error.line as usize))));
                assert!(!display(&text, &errors).is_empty());
            }
            Ok(program) => {
                let once = || {
                    let mut budget = Budget::expression();
                    let value = program.evaluate(&[("object", Value::json(&object))], &mut budget);
                    let spent = budget.spent();
                    let stopped = matches!(value, Err(EvalError::Limit));
                    assert!(stopped || spent <= Budget::EXPRESSION, "{spent}");
                    (value.map(|value| Go(&value).to_string()), spent)
                };
                assert_eq!(once(), once());
            }
        }
    }
}

fn object() -> Json {
    json!({"metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {}},
        "spec": {"replicas": 3, "ratio": 1.5, "none": null, "containers": [
            {"name": "a", "image": "registry/nginx:1", "resources": {"limits": {"memory": "1Gi"}}},
            {"name": "b", "image": "proxy", "securityContext": {"privileged": true}}]}})
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "object.spec.containers.all(c, !has(c.securityContext) || c.securityContext.privileged != true)",
        "object.?spec.?containers.orValue([]).exists(c, c.image.endsWith(':latest') || !c.image.contains('/'))",
        "has(object.metadata.labels) && object.metadata.labels['app'] in ['web', \"db\", r'x']",
        "object.spec.replicas > 2 && object.spec.ratio < 2.5 ? 'a' + string(object.spec.replicas) : b'b\\x00' == b'c' ? '' : 'z'",
        "object.spec.containers.map(c, c.name).filter(n, n.matches('^[a-z]+$')).size() == 2u || 0x1F == -1",
        "{'a': [1, 2].map(x, x * 2), 'b': []}.transformMap(k, v, v.size() > 0, k)",
        "object.spec.containers.exists_one(i, c, i == 0 && quantity(c.resources.limits.memory).isLessThan(quantity('2Gi')))",
        "'%s %d %.2f'.format([object.metadata.name, object.spec.replicas, object.spec.ratio])",
        "timestamp('2024-02-29T00:00:00Z').getFullYear('Europe/Berlin') == 2024 && duration('1h30m') > duration('5400s')",
        "[3, 1, 2].sortBy(e, -e)[0] == 3 && cidr('10.0.0.0/8').containsIP(ip('10.1.2.3'))",
        "object.metadata.?labels.optMap(l, l.size()).value() + lists.range(4).sum() // the end",
    ])
}
