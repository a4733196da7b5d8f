//! More than the rings hold: nothing is lost without being counted.
use crate::rig::{bash, below, rig};
use seawall_model::event::EventKind;

/// Opens for writing by one process, each of another file: repeats would be suppressed.
const FILES: usize = 30_000;

#[test]
fn what_does_not_arrive_is_counted() {
    let Some(rig) = rig("what_does_not_arrive_is_counted") else { return };
    let folder = tempfile::tempdir().unwrap();
    let lost = || {
        let classes = ["ring:data", "budget:container"];
        let losses = rig.sensor.losses();
        losses.iter().filter(|loss| classes.contains(&loss.class.as_str())).map(|loss| loss.count).sum::<u64>()
    };
    let before = lost();
    let script = format!(
        "import os\nfor n in range({FILES}): os.close(os.open('{}/%d' % n, os.O_WRONLY|os.O_CREAT))",
        folder.path().display()
    );
    let pid = bash(&format!("exec python3 -c \"{script}\""));
    rig.wait("exit", |event| event.kind == EventKind::Exit && event.process.pid == pid);
    // The kernel's counters are read once a second.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let inside = folder.path().to_string_lossy().into_owned();
    let arrived = rig
        .events()
        .iter()
        .filter(|event| below(event, pid) && event.file.as_ref().is_some_and(|file| file.path.starts_with(&inside)))
        .count();
    let counted = usize::try_from(lost() - before).unwrap();
    println!("{arrived} arrived, {counted} counted as lost");
    assert!(arrived + counted >= FILES, "{arrived} arrived, {counted} counted as lost");
    assert!(arrived > FILES / 10, "the budget lets something through");
}
