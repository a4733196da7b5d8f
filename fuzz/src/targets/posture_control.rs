//! Control files: each loads, or is refused and told; what loads runs its own tests.
//! A framework that nobody knows is told and refuses nothing.
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
    let refusing = problems.iter().any(|problem| problem.code != "framework");
    assert_eq!(catalogue.controls.is_empty(), refusing, "{problems:?}");
    for control in &catalogue.controls {
        test(control);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(seawall_content::controls().iter().map(|entry| entry.text))
}
