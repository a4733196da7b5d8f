//! Every shipped control on one object, and what several objects say when one of them changes.
use criterion::{Criterion, Throughput};
use seawall_bench::cluster::{self, Shape};
use seawall_bench::objects::{deployments, selection};
use seawall_posture::Selection;
use seawall_posture::live::Live;
use seawall_posture::objects::Objects;
use seawall_posture::world::World;
use serde_json::{Value, json};
use std::cell::{LazyCell, RefCell};

const OBJECTS: usize = 50;
/// Workloads of a cluster judged as a whole, with what is beside them.
const JUDGED: usize = 1_000;

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
    let cluster: Vec<Value> = cluster::objects(Shape { workloads: JUDGED, pods: 0 }).collect();
    group.throughput(Throughput::Elements(JUDGED as u64));
    group.bench_function(
        format!("judge a cluster of {JUDGED} workloads by {controls} controls"),
        |bencher| {
            bencher.iter(|| {
                let alone: usize = cluster
                    .iter()
                    .filter_map(|object| selection.evaluate(object, None))
                    .map(|found| found.len())
                    .sum();
                let world = World::new(&cluster, true).with_kubernetes(Some("1.36"));
                alone + selection.evaluate_world(&world, &|_| None).len()
            });
        },
    );
    group.throughput(Throughput::Elements(1));
    watched(&mut group, &selection);
    group.finish();
}

/// Workloads of a watched cluster: the size that most have, and one that few have.
const WATCHED: [usize; 2] = [2_000, 20_000];

struct Watched {
    objects: Objects,
    live: Live,
}

impl Watched {
    fn new(selection: &Selection, workloads: usize) -> Self {
        let live = Live::new(selection, Some("1.36".to_owned()));
        let mut watched = Self { objects: Objects::default(), live };
        for object in cluster::objects(Shape { workloads, pods: 0 }) {
            watched.apply(&object);
        }
        watched.flush();
        watched
    }

    fn apply(&mut self, object: &Value) {
        let bytes = serde_json::to_vec(object).expect("plain values serialise");
        let applied = self.objects.apply(&bytes).expect("an object of a cluster");
        let before = applied.before.as_deref().map(serde_json::from_slice);
        let before: Option<Value> = before.and_then(Result::ok);
        self.live.changed(&self.objects, before.as_ref(), Some(&applied.object));
    }

    fn flush(&mut self) -> usize {
        let mut told = 0;
        while self.live.has_work() {
            told += self.live.flush(&self.objects, 20).len();
        }
        told
    }
}

fn watched(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    selection: &Selection,
) {
    for workloads in WATCHED {
        // Made where it is measured, as it takes seconds.
        let cluster = LazyCell::new(|| RefCell::new(Watched::new(selection, workloads)));
        for kind in ["Service", "NetworkPolicy"] {
            let mut round = 0;
            let name = format!("a {kind} changes among {workloads} workloads");
            group.bench_function(name, |bencher| {
                let mut cluster = cluster.borrow_mut();
                bencher.iter(|| {
                    round += 1;
                    cluster
                        .apply(&changing(kind, if round % 2 == 0 { "app-351" } else { "other" }));
                    cluster.flush()
                });
            });
        }
    }
}

fn changing(kind: &str, app: &str) -> Value {
    let (api_version, spec) = match kind {
        "Service" => ("v1", json!({"selector": {"app": app}, "ports": [{"port": 80}]})),
        _ => (
            "networking.k8s.io/v1",
            json!({"podSelector": {"matchLabels": {"app": app}}, "policyTypes": ["Ingress"]}),
        ),
    };
    json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": "x", "namespace": "team-7", "uid": kind}, "spec": spec})
}
