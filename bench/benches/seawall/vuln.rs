//! Index files and matching.
use criterion::{Criterion, Throughput};
use seawall_bench::index::{inventory, segment, versions};
use seawall_model::package::Ecosystem;
use seawall_vuln::{IndexSet, Scheme, Segment, match_inventory};

/// Debian 12 has some 45,000 records, PyPI some 15,000.
const DEBIAN: usize = 45_000;
const PYPI: usize = 15_000;
const PACKAGES: usize = 1_000;

pub(crate) fn measure(criterion: &mut Criterion) {
    let debian: &'static [u8] = segment(Ecosystem::Debian, DEBIAN).leak();
    let pypi: &'static [u8] = segment(Ecosystem::PyPI, PYPI).leak();
    let open = |bytes| Segment::open(bytes).expect("the segment was built above");
    let mut group = criterion.benchmark_group("vuln");
    group.throughput(Throughput::Bytes(debian.len() as u64));
    group.bench_function("open a segment of 45,000 records", |bencher| {
        bencher.iter(|| open(debian));
    });
    let index = IndexSet::new(vec![open(debian), open(pypi)], None, []);
    let inventory = inventory(PACKAGES);
    group.throughput(Throughput::Elements(PACKAGES as u64));
    group.bench_function("match 1,000 packages", |bencher| {
        bencher.iter(|| match_inventory(&inventory, &index));
    });
    let pairs = versions(1_000);
    group.throughput(Throughput::Elements(pairs.len() as u64));
    for scheme in Scheme::ALL {
        group.bench_function(format!("compare 1,000 × {scheme}"), |bencher| {
            bencher.iter(|| pairs.iter().filter(|(a, b)| scheme.compare(a, b).is_some()).count());
        });
        group.bench_function(format!("key 1,000 × {scheme}"), |bencher| {
            bencher.iter(|| {
                pairs.iter().filter_map(|(a, _)| scheme.key(a)).map(|key| key.len()).sum::<usize>()
            });
        });
    }
    group.finish();
}
