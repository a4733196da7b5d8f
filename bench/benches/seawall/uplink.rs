//! The spool: a batch in and acknowledged, on the page cache.
use criterion::{BatchSize, Criterion, Throughput};
use seawall_bench::records::firings;
use seawall_uplink::Spool;

const RECORDS: usize = 100;

pub(crate) fn measure(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("the temporary folder takes a folder");
    let mut spool = Spool::open(folder.path(), 64 << 20).expect("the folder is new");
    let mut group = criterion.benchmark_group("uplink");
    group.throughput(Throughput::Elements(RECORDS as u64));
    let records = firings(RECORDS);
    group.bench_function("append a batch of 100 firings", |bencher| {
        bencher.iter_batched(
            || records.clone(),
            |records| {
                let sequence = spool.append(records).expect("the spool is not full");
                spool.acknowledge(sequence);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}
