//! Every control that ships loads, names known frameworks and checklist rows, and passes its own tests.
use seawall_posture::{Catalogue, Request, Selection, test};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The catalogue as it ships, read once; panics on any problem.
pub(crate) fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(load);
    &CATALOGUE
}

fn load() -> Catalogue {
    let pairs = |entries: Vec<seawall_content::Entry>| {
        entries.into_iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()
    };
    let (catalogue, problems) =
        Catalogue::load(pairs(seawall_content::controls()), pairs(seawall_content::frameworks()));
    assert_eq!(problems, []);
    catalogue
}

/// Four controls of different shapes, so that what tests count does not change with every control that joins.
pub(crate) fn few() -> Selection {
    let controls = ["SW-C-0001", "SW-C-0002", "SW-C-0003", "SW-C-0017"].map(str::to_owned);
    catalogue().select(&Request { controls: controls.to_vec(), ..Request::default() }).unwrap()
}

#[test]
fn controls_pass_their_own_tests() {
    let catalogue = catalogue();
    assert!(catalogue.controls.len() >= 4);
    let mut failed = Vec::new();
    for control in &catalogue.controls {
        let results = test(control);
        failed.extend(results.iter().filter(|result| !result.failures.is_empty()).cloned());
        let names: Vec<_> = results.iter().map(|result| result.name.as_str()).collect();
        assert!(
            names.iter().any(|name| name.contains("absent")),
            "{}: no absent-field test",
            control.id
        );
        assert!(
            control.remediation.starts_with(|c: char| c.is_ascii_uppercase()),
            "{}",
            control.id
        );
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn controls_cover_rows_of_the_checklist() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/facts/controls.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the checklist is not beside the repository");
        return;
    };
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let known: BTreeSet<&str> = rows.iter().filter_map(|row| row["key"].as_str()).collect();
    for control in &catalogue().controls {
        for key in &control.covers {
            assert!(known.contains(key.as_str()), "{}: {key}", control.id);
        }
        // What the checklist says of CIS Kubernetes, the control says too.
        for row in rows.iter().filter(|row| control.covers.iter().any(|key| row["key"] == **key)) {
            for id in row["frameworks"]["cis"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| id.as_str())
            {
                let (benchmark, section) = id.split_once(':').unwrap();
                let (name, version) = benchmark.split_once('-').unwrap();
                let named = control.frameworks.iter().any(|membership| {
                    membership.framework == format!("cis-{name}")
                        && membership.version.as_deref() == Some(version)
                        && membership.sections.iter().any(|own| own == section)
                });
                assert!(named, "{}: {id}", control.id);
            }
        }
    }
}
