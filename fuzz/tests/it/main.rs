//! The short form: every target on its seeds and on a fixed number of mutations of them.
use seawall_fuzz::{Mutator, TARGETS, Target};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs one input; a panic tells the target and the input.
#[track_caller]
fn check(target: &Target, bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err() {
        panic!("{} panics on {} bytes, in hex: {}", target.name, bytes.len(), hex::encode(bytes));
    }
}

fn run(target: &Target) {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has no seed", target.name);
    check(target, b"");
    for seed in &seeds {
        check(target, seed);
    }
    let mut mutator = Mutator::new(1);
    for _ in 0..target.rounds {
        check(target, &mutator.mutate(&seeds));
    }
}

#[test]
fn every_target_bears_mutations_of_its_seeds() {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
            // With `--nocapture` the last name tells where a death without a panic was.
            println!("{}", target.name);
            run(target);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
}

#[test]
fn a_panic_tells_the_target_and_the_input() {
    let target = Target {
        name: "broken",
        run: |bytes| assert!(bytes != b"\x00\xff"),
        seeds: Vec::new,
        rounds: 0,
    };
    check(&target, b"\x00");
    let panic = catch_unwind(|| check(&target, b"\x00\xff")).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "broken panics on 2 bytes, in hex: 00ff");
}

#[test]
fn names_are_unique() {
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names.len(), TARGETS.len());
}
