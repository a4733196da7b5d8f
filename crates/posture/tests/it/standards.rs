//! Upstream's pass and fail pods of the Pod Security Standards against the controls that exist.
use crate::content::catalogue;
use seawall_model::finding::State;
use seawall_posture::{Request, yaml};
use std::io::Read;

/// The upstream check a fail pod is named after, and our control for it.
const CHECKS: [(&str, &str); 3] = [
    ("privileged", "SW-C-0001"),
    ("hostpathvolumes", "SW-C-0002"),
    ("allowprivilegeescalation", "SW-C-0017"),
];

#[test]
fn upstream_pods() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/pod-security/v1.25.tar.gz");
    let Ok(file) = std::fs::File::open(path) else {
        println!("skipped: upstream's pods are not beside the repository");
        return;
    };
    let catalogue = catalogue();
    let (mut passed, mut failed) = (0, 0);
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(file)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        if !path.ends_with(".yaml") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let level = path.split('/').next().unwrap();
        let selection = catalogue
            .select(&Request {
                frameworks: vec![format!("pss-{level}@1.25")],
                ..Request::default()
            })
            .unwrap();
        let pod = yaml::parse(&text).unwrap().unwrap().to_json();
        let findings = selection.evaluate(&pod, None).unwrap();
        assert!(
            findings.iter().all(|finding| finding.state != State::Unknown),
            "{path}: {findings:?}"
        );
        let unhealthy: Vec<_> = findings
            .iter()
            .filter(|finding| finding.state == State::Unhealthy)
            .map(|finding| finding.control.as_str())
            .collect();
        if path.contains("/pass/") {
            assert_eq!(unhealthy, [""; 0], "{path}");
            passed += 1;
        } else {
            let name = path
                .rsplit('/')
                .next()
                .unwrap()
                .trim_end_matches(".yaml")
                .trim_end_matches(|c: char| c.is_ascii_digit());
            let expected: Vec<_> = CHECKS
                .iter()
                .filter(|(check, _)| *check == name)
                .map(|(_, control)| *control)
                .collect();
            for control in &expected {
                assert!(unhealthy.contains(control), "{path}: {unhealthy:?}");
            }
            failed += usize::from(!expected.is_empty());
        }
    }
    assert_eq!((passed, failed), (28, 12));
}
