//! CEL: what one policy costs to load, and one object to judge.
use criterion::Criterion;
use seawall_cel::{Budget, Env, Program, Type, Value};
use std::hint::black_box;

/// A control of every workload: each container, an optional path, a default.
const CONTROL: &str = "object.spec.template.spec.containers.all(c, \
    c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false)";
/// Texts and a pattern: where images may come from.
const IMAGES: &str = "object.spec.template.spec.containers.all(c, c.image.startsWith('registry.example/') || \
    c.image.matches('^([a-z0-9.-]+/)?team-[a-z]+/[a-z0-9._/-]+(:[a-z0-9._-]+)?$'))";
/// Kubernetes' own functions.
const LIMITS: &str = "object.spec.template.spec.containers.all(c, \
    quantity(c.resources.limits.memory).isLessThan(quantity('4Gi')))";

pub(crate) fn measure(criterion: &mut Criterion) {
    let env = Env::kubernetes(36).with_variable("object", Type::Dyn);
    let deployment = serde_json::json!({"spec": {"template": {"spec": {"containers": [container(), container(), container()]}}}});
    let mut group = criterion.benchmark_group("cel");
    for (name, text) in [("control", CONTROL), ("images", IMAGES), ("limits", LIMITS)] {
        group.bench_function(format!("compile {name}"), |bencher| {
            bencher.iter(|| env.compile(black_box(text)));
        });
        let program = env.compile(text).expect("a constant expression");
        assert!(judge(&program, &deployment), "{name} holds");
        group.bench_function(format!("judge 3 containers by {name}"), |bencher| {
            bencher.iter(|| judge(&program, black_box(&deployment)));
        });
    }
    group.finish();
}

fn container() -> serde_json::Value {
    serde_json::json!({
        "name": "web", "image": "registry.example/shop/web:1.2.3",
        "securityContext": {"allowPrivilegeEscalation": false},
        "resources": {"limits": {"memory": "512Mi"}},
    })
}

fn judge(program: &Program, deployment: &serde_json::Value) -> bool {
    let value = program.evaluate(&[("object", Value::json(deployment))], &mut Budget::expression());
    value.ok().and_then(|value| value.as_bool()) == Some(true)
}
