//! Who may do what: a cluster from nothing, one change to it, one question.
use criterion::Criterion;
use seawall_bench::access::bindings;
use seawall_posture::rbac::{Access, Change, Library, Question, Subject};
use seawall_posture::world::World;

const BINDINGS: usize = 10_000;

pub(crate) fn measure(criterion: &mut Criterion) {
    let objects = bindings(BINDINGS);
    let files = seawall_content::permissions();
    let (library, _) = Library::load(files.iter().map(|file| (file.path, file.text)));
    let mut group = criterion.benchmark_group("access");
    let full = || {
        let mut access = Access::new(&library.risks);
        access.update(objects.iter().map(Change::Set));
        access
    };
    group.bench_function("10,000 bindings from nothing", |bencher| bencher.iter(full));
    let mut access = full();
    let binding = objects.last().expect("there are bindings");
    group.bench_function("one binding of 10,000 changes", |bencher| {
        bencher.iter(|| access.update([Change::Set(binding)]));
    });
    let role = &objects[1];
    group.bench_function("one role of 10,000 bindings changes", |bencher| {
        bencher.iter(|| access.update([Change::Set(role)]));
    });
    let subject = Subject::account("ns-7", "sa-7");
    let question = Question::Resource {
        verb: "get",
        group: "",
        resource: "secrets",
        namespace: Some("ns-7"),
        name: "",
    };
    group.bench_function("may an account get Secrets", |bencher| {
        bencher.iter(|| access.can(&subject, &[], &question));
    });
    let selection = seawall_bench::objects::selection();
    group.bench_function("every control on 10,000 bindings", |bencher| {
        bencher.iter(|| {
            let world = World::new(&objects, true);
            selection.evaluate_world(&world, &|_| None).len()
        });
    });
    group.finish();
}
