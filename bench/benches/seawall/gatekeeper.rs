//! Gatekeeper's templates on a pod: what admission pays per request.
use criterion::{Criterion, Throughput};
use seawall_bench::gatekeeper::{library, pod};
use seawall_policy::gatekeeper::{Inventory, Judge, Namespace, Origin, Point, Review};
use seawall_rego::Limits;

pub(crate) fn measure(criterion: &mut Criterion) {
    let (library, pod, inventory) = (library(), pod(), Inventory::default());
    let constraints = library.constraints().count();
    let review = Review::of_object(&pod, Namespace::Unknown, Origin::Original);
    let review = review.expect("a pod has a kind");
    let mut judge = Judge::new();
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("gatekeeper");
    group.throughput(Throughput::Elements(constraints as u64));
    group.bench_function(format!("judge a pod by {constraints} templates in Rego"), |bencher| {
        bencher.iter(|| judge.review(&library, &review, &inventory, Point::Admission, &limits));
    });
    group.finish();
}
