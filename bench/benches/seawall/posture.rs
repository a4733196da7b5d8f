//! Every shipped control on one object, and what several objects say when one of them changes.
use criterion::{Criterion, Throughput};
use seawall_bench::objects::{deployments, selection};
use seawall_posture::live::Live;
use seawall_posture::objects::Objects;
use serde_json::{Value, json};
use std::cell::RefCell;

const OBJECTS: usize = 50;

pub(crate) fn measure(criterion: &mut Criterion) {
    let (selection, objects) = (selection(), deployments(OBJECTS));
    let mut group = criterion.benchmark_group("posture");
    group.throughput(Throughput::Elements(OBJECTS as u64));
    let controls = selection.controls().count();
    group.bench_function(format!("judge 50 Deployments by {controls} controls"), |bencher| {
        bencher
            .iter(|| objects.iter().filter_map(|object| selection.evaluate(object, None)).count());
    });
    group.bench_function(format!("heal 50 Deployments by {controls} controls"), |bencher| {
        bencher.iter(|| objects.iter().map(|object| selection.heal(object).1.len()).sum::<usize>());
    });
    group.throughput(Throughput::Elements(1));
    watched(&mut group, &selection);
    group.finish();
}

/// Deployments of a watched cluster, in so many namespaces.
const WATCHED: usize = 2_000;
const NAMESPACES: usize = 100;

fn watched(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    selection: &seawall_posture::Selection,
) {
    let cluster = RefCell::new((Objects::default(), Live::new(selection, Some("1.36".to_owned()))));
    let apply = |object: &Value| {
        let (objects, live) = &mut *cluster.borrow_mut();
        let bytes = serde_json::to_vec(object).expect("plain values serialise");
        let applied = objects.apply(&bytes).expect("an object of a cluster");
        let before = applied.before.as_deref().map(serde_json::from_slice);
        let before: Option<Value> = before.and_then(Result::ok);
        live.changed(objects, before.as_ref(), Some(&applied.object));
    };
    let flush = || {
        let (objects, live) = &mut *cluster.borrow_mut();
        let mut told = 0;
        while live.has_work() {
            told += live.flush(objects, 20).len();
        }
        told
    };
    for (number, mut object) in deployments(WATCHED).into_iter().enumerate() {
        object["metadata"]["namespace"] = json!(format!("n{}", number % NAMESPACES));
        apply(&object);
    }
    flush();
    let changing = |kind: &str, spec: Value| {
        json!({"apiVersion": if kind == "Service" { "v1" } else { "networking.k8s.io/v1" }, "kind": kind,
        "metadata": {"name": "x", "namespace": "n7", "uid": kind}, "spec": spec})
    };
    for kind in ["Service", "NetworkPolicy"] {
        let mut round = 0;
        let name = format!("a {kind} changes among {WATCHED} Deployments");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                round += 1;
                let app = if round % 2 == 0 { "web" } else { "other" };
                apply(&match kind {
                    "Service" => {
                        changing(kind, json!({"selector": {"app": app}, "ports": [{"port": 80}]}))
                    }
                    _ => changing(kind, json!({"podSelector": {"matchLabels": {"app": app}}, "policyTypes": ["Ingress"]})),
                });
                flush()
            });
        });
    }
}
