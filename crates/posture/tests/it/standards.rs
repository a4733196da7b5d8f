//! Upstream's pass and fail pods of the Pod Security Standards against the controls that exist.
use crate::content::catalogue;
use seawall_model::finding::State;
use seawall_posture::{Request, yaml};
use std::io::Read;

/// The upstream check a fail pod is named after, and our controls for it.
const CHECKS: [(&str, &[&str]); 17] = [
    ("allowprivilegeescalation", &["SW-C-0017"]),
    ("apparmorprofile", &["SW-C-0106", "SW-C-0117"]),
    ("capabilities_baseline", &["SW-C-0104"]),
    ("capabilities_restricted", &["SW-C-0105"]),
    ("hostnamespaces", &["SW-C-0100", "SW-C-0101", "SW-C-0102"]),
    ("hostpathvolumes", &["SW-C-0002"]),
    ("hostports", &["SW-C-0103"]),
    ("privileged", &["SW-C-0001"]),
    ("procmount", &["SW-C-0108"]),
    ("restrictedvolumes", &["SW-C-0116"]),
    ("runasnonroot", &["SW-C-0114"]),
    ("runasuser", &["SW-C-0115"]),
    ("seccompprofile_baseline", &["SW-C-0109"]),
    ("seccompprofile_restricted", &["SW-C-0110"]),
    ("selinuxoptions", &["SW-C-0107"]),
    ("sysctls", &["SW-C-0111"]),
    ("windowshostprocess", &["SW-C-0112"]),
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
            let (_, controls) = CHECKS.iter().find(|(check, _)| *check == name).unwrap();
            assert!(
                controls.iter().any(|control| unhealthy.contains(control)),
                "{path}: {unhealthy:?}"
            );
            failed += 1;
        }
    }
    assert_eq!((passed, failed), (28, 98));
}
