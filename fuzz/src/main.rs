//! The long form: libFuzzer drives one target, which `SEAWALL_FUZZ_TARGET` names; without it the names are listed.
//! Started by `run.sh`, which also says where the corpus lies.
#![no_main]
use libfuzzer_sys::fuzz_target;
use seawall_fuzz::{TARGETS, Target, by_name};
use std::io::Write;
use std::sync::LazyLock;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("SEAWALL_FUZZ_TARGET").unwrap_or_default();
    by_name(&name).unwrap_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        let _ = writeln!(std::io::stdout(), "{}", names.join("\n"));
        std::process::exit(i32::from(!name.is_empty()) * 2)
    })
});

/// Writes the seeds into the corpus before libFuzzer reads it.
fn plant() {
    let seeds = (TARGET.seeds)();
    let Ok(corpus) = std::env::var("SEAWALL_FUZZ_CORPUS") else { return };
    for (number, seed) in seeds.iter().enumerate() {
        let path = std::path::Path::new(&corpus).join(format!("seed-{number:02}"));
        std::fs::write(path, seed).expect("the corpus folder was made by run.sh");
    }
}

fuzz_target!(init: plant(), |bytes: &[u8]| (TARGET.run)(bytes));
