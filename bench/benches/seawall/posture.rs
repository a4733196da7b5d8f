//! Every shipped control on one object.
use criterion::{Criterion, Throughput};
use seawall_bench::objects::{deployments, selection};

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
    group.finish();
}
