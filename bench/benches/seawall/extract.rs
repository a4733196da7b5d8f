//! One dpkg database, and a whole image of one layer: inflated, hashed, walked, extracted, merged.
use criterion::{Criterion, Throughput};
use seawall_bench::image::{docker_archive, dpkg_status, layer};
use seawall_scan::{ImageOptions, scan_image};

/// About 64 MB of content.
const FILES: usize = 15_000;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("extract");
    let status = dpkg_status(3_000);
    let dpkg = seawall_extract::by_id("dpkg").expect("the extractor exists");
    group.throughput(Throughput::Bytes(status.len() as u64));
    group.bench_function("dpkg status of 3,000 packages", |bencher| {
        bencher.iter(|| dpkg.run(status.as_bytes()));
    });
    let layer = layer(FILES);
    let file = tempfile::NamedTempFile::new().expect("the temporary folder takes a file");
    std::fs::write(file.path(), docker_archive(&layer)).expect("the temporary folder takes it");
    let reference = format!("docker-archive:{}", file.path().display());
    group.throughput(Throughput::Bytes(layer.len() as u64)).sample_size(10);
    group.bench_function("image with a gzip layer of 15,000 files", |bencher| {
        bencher
            .iter(|| scan_image(&reference, &ImageOptions::default()).expect("the image is whole"));
    });
    group.finish();
}
