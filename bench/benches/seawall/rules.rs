//! The shipped catalogue on one event.
use criterion::{Criterion, Throughput};
use seawall_bench::events::{catalogue, events};
use seawall_model::event::EventKind;

const EVENTS: usize = 1_000;

pub(crate) fn measure(criterion: &mut Criterion) {
    let set = catalogue();
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for (name, kind) in
        [("exec", EventKind::Exec), ("open", EventKind::Open), ("connect", EventKind::Connect)]
    {
        let events = events(kind, EVENTS);
        let mut state = set.state();
        group.bench_function(format!("evaluate 1,000 × {name}"), |bencher| {
            bencher.iter(|| {
                events.iter().map(|event| set.evaluate(event, &mut state).len()).sum::<usize>()
            });
        });
    }
    group.finish();
    let entries = seawall_content::detections();
    let files: Vec<_> = entries.iter().map(|entry| (entry.path, entry.text)).collect();
    criterion.bench_function("rules/load the catalogue", |bencher| {
        bencher.iter(|| seawall_rules::RuleSet::load(&files));
    });
}
