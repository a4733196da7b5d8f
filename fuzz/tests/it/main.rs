//! The short form: every target on its seeds and on a fixed number of mutations of them.
use seawall_fuzz::{Mutator, TARGETS, Target};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs one input; a panic becomes the target's name and the input.
fn check(target: &Target, bytes: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).map_err(|_| {
        let hex = hex::encode(bytes);
        format!("{} panics on {} bytes, in hex: {hex}", target.name, bytes.len())
    })
}

/// Stops at the target's first defect.
fn run(target: &Target) -> Result<(), String> {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has no seed", target.name);
    check(target, b"")?;
    seeds.iter().try_for_each(|seed| check(target, seed))?;
    let mut mutator = Mutator::new(1);
    (0..target.rounds).try_for_each(|_| check(target, &mutator.mutate(&seeds)))
}

#[test]
fn every_target_bears_mutations_of_its_seeds() {
    let next = AtomicUsize::new(0);
    let defects = Mutex::new(Vec::new());
    let work = || {
        while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
            let start = std::time::Instant::now();
            let result = run(target);
            // With `--nocapture` the last names tell where a death without a panic was.
            println!("{:26} {:6} ms", target.name, start.elapsed().as_millis());
            defects.lock().unwrap().extend(result.err());
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let defects = defects.into_inner().unwrap();
    assert!(defects.is_empty(), "{}", defects.join("\n"));
}

#[test]
fn a_panic_tells_the_target_and_the_input() {
    let run = |bytes: &[u8]| assert!(bytes != b"\x00\xff");
    let target = Target { name: "broken", run, seeds: Vec::new, rounds: 0 };
    assert_eq!(check(&target, b"\x00"), Ok(()));
    let told = "broken panics on 2 bytes, in hex: 00ff";
    assert_eq!(check(&target, b"\x00\xff"), Err(told.to_owned()));
}

#[test]
fn names_are_unique() {
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names.len(), TARGETS.len());
}
