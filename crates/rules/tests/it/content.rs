//! The shipped detections and the ATT&CK file that they name.
use seawall_model::attack::Tactic;
use seawall_rules::attack::Attack;
use seawall_rules::{RuleSet, RuleState};

pub(super) fn catalogue() -> RuleSet {
    let entries = seawall_content::detections();
    let files: Vec<(&str, &str)> = entries.iter().map(|entry| (entry.path, entry.text)).collect();
    let (set, problems) = RuleSet::load(&files);
    assert_eq!(problems, [], "the catalogue loads without a warning");
    set
}

#[test]
fn every_detection_passes_its_tests() {
    let set = catalogue();
    let results = set.test();
    let failures: Vec<_> = results.iter().filter(|result| !result.passed()).collect();
    for result in &failures {
        println!("{} · {}\n{}", result.rule, result.test, result.failure.join("\n"));
    }
    assert!(failures.is_empty());
    assert!(results.len() >= 3 * set.rules().len(), "a firing, a silent and a near-miss test each");
}

#[test]
fn every_detection_is_whole() {
    let (attack, problems) = Attack::parse("attack.yaml", seawall_content::ATTACK);
    assert_eq!(problems, []);
    for rule in catalogue().rules() {
        let folder = rule.file.split('/').next().unwrap_or_default();
        assert_eq!(rule.state, RuleState::Active, "{}", rule.name);
        assert!(rule.id.as_deref().is_some_and(|id| id.starts_with("SW-D-")), "{}", rule.name);
        assert!(!rule.remediation.is_empty() && !rule.desc.is_empty(), "{}", rule.name);
        let tactics = attack.tactics_of(&rule.mitre);
        let tactic: Tactic = folder.parse().expect("the folder is a tactic");
        assert!(
            tactics.contains(&tactic),
            "{} lies under {folder}, its techniques are of {tactics:?}",
            rule.name
        );
        for technique in &rule.mitre {
            assert!(attack.techniques.contains_key(technique), "{technique}");
        }
    }
}

#[test]
fn the_sensor_is_asked_for_what_the_catalogue_needs() {
    use seawall_model::event::EventKind::{Connect, Exec, Open};
    assert_eq!(catalogue().wanted(), [Exec, Open, Connect]);
}

#[test]
fn parity_names_alerts_that_defender_has() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/facts/defender-alerts.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is absent");
        return;
    };
    let facts: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = facts["alerts"].as_array().unwrap();
    for rule in catalogue().rules() {
        for name in &rule.parity {
            let known = rows.iter().any(|row| row["id"] == **name || row["title"] == **name);
            assert!(known, "{}: {name}", rule.name);
        }
    }
}

#[test]
fn attack_lists_the_containers_matrix_and_the_facts() {
    let (attack, _) = Attack::parse("attack.yaml", seawall_content::ATTACK);
    assert_eq!(attack.version, "18");
    assert_eq!(attack.tactics.len(), Tactic::ALL.len());
    assert!(attack.techniques.values().filter(|technique| technique.containers).count() >= 40);
    for file in ["detections.json", "controls.json", "defender-alerts.json"] {
        let path = format!("{}/../../../shared/facts/{file}", env!("CARGO_MANIFEST_DIR"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: {path} is absent");
            continue;
        };
        let ids = regex_ids(&text);
        assert!(!ids.is_empty(), "{file}");
        for id in ids {
            let technique = id.parse().expect("the shape of an id");
            assert!(attack.techniques.contains_key(&technique), "{file} names {id}");
        }
    }
}

/// Every quoted `T1234` or `T1234.001`.
fn regex_ids(text: &str) -> Vec<&str> {
    let quoted = text.split('"').filter(|word| {
        let digits = word.strip_prefix('T').unwrap_or_default();
        digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    });
    quoted.collect()
}
