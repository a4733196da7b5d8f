//! Control files: each loads, or is refused with its place; what loads runs its own tests.
use super::texts;
use crate::Target;
use seawall_posture::{Catalogue, test};

pub(crate) const TARGET: Target = Target { name: "posture-control", run, seeds, rounds: 120 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let frameworks = seawall_content::frameworks();
    let (catalogue, problems) = Catalogue::load(
        [("c.yaml", &*text)],
        frameworks.iter().map(|entry| (entry.path, entry.text)),
    );
    assert_eq!(catalogue.controls.is_empty(), !problems.is_empty(), "{problems:?}");
    for control in &catalogue.controls {
        test(control);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(seawall_content::controls().iter().map(|entry| entry.text))
}
