//! Framework files, and the selection of each version that one names.
use super::texts;
use crate::Target;
use seawall_posture::{Catalogue, Request};

pub(crate) const TARGET: Target = Target { name: "posture-framework", run, seeds, rounds: 600 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (catalogue, _) = Catalogue::load([], [("f.yaml", &*text)]);
    for framework in &catalogue.frameworks {
        framework.newest();
        let request = Request { frameworks: vec![framework.name.clone()], ..Request::default() };
        let _ = catalogue.select(&request);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(seawall_content::frameworks().iter().map(|entry| entry.text))
}
