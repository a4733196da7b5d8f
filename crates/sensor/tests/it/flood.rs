//! More than the sensor takes: nothing is lost without being counted.
use crate::rig::{Rig, bash, below, flooding, rig};
use seawall_model::event::EventKind;
use seawall_sensor::Config;
use std::path::Path;

/// Opens for writing by one process, each of another file: repeats would be suppressed.
const FILES: usize = 60_000;

/// Makes the flood and compares what arrived with what was counted under `class`.
#[track_caller]
fn check(config: Config, stand_still: bool, class: &str) {
    let _alone = flooding();
    let rig = Rig::start(config);
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "import os\nfor n in range({FILES}): os.close(os.open('{}/%d' % n, os.O_WRONLY|os.O_CREAT))",
        folder.path().display()
    );
    let still = stand_still.then(|| rig.events());
    let pid = bash(&format!("exec python3 -c \"{script}\""));
    drop(still);
    rig.wait("exit", |event| event.kind == EventKind::Exit && event.process.pid == pid);
    // The kernel's counters are read once a second.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let inside = folder.path().to_string_lossy().into_owned();
    let events = rig.events();
    let of_flood = |file: &seawall_model::event::File| file.path.starts_with(&inside);
    let arrived = events
        .iter()
        .filter(|event| below(event, pid) && event.file.as_ref().is_some_and(of_flood))
        .count();
    let counted = |class: &str| {
        let losses = rig.sensor.losses();
        losses.iter().find(|loss| loss.class == class).map_or(0, |loss| loss.count) as usize
    };
    eprintln!("{arrived} of {FILES} arrived, {} counted as {class}", counted(class));
    assert!(arrived < FILES && arrived > FILES / 100, "{arrived} arrived");
    assert!(arrived + counted(class) >= FILES, "{arrived} arrived, {:?}", rig.sensor.losses());
    assert_eq!(counted("ring:priority"), 0, "a flood of opens costs no exec");
}

#[test]
fn over_the_budget_is_counted() {
    if rig("over_the_budget_is_counted").is_some() {
        check(
            Config { budget: 500, ..Config::new("n", "c", Path::new("/")) },
            false,
            "budget:container",
        );
    }
}

#[test]
fn a_full_ring_is_counted() {
    if rig("a_full_ring_is_counted").is_some() {
        check(
            Config { budget: u32::MAX, ..Config::new("n", "c", Path::new("/")) },
            true,
            "ring:data",
        );
    }
}
