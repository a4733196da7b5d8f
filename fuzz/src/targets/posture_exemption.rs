//! Ignore files: read whole or refused whole, with a place; what is excused stays a finding.
use super::posture_manifests::SELECTION;
use super::texts;
use crate::Target;
use seawall_model::finding::State;
use seawall_posture::exemption::load;
use seawall_posture::manifests::{File, Manifests, read};
use seawall_posture::report::{About, Report};
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target { name: "posture-exemption", run, seeds, rounds: 300 };

static OBJECTS: LazyLock<Manifests> = LazyLock::new(|| {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\nspec: {containers: [{name: a, image: x, securityContext: {privileged: true}}, {name: b, securityContext: {privileged: true}}]}\n";
    read([File { path: "a.yaml", bytes: text.as_bytes(), found: false }])
});

fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let loaded = match load("seawall-ignore.yaml", text, 0) {
        Ok((exemptions, _)) => exemptions,
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            assert!(mistakes.iter().all(|mistake| mistake.file.is_some()), "{mistakes:?}");
            return;
        }
    };
    let plain = Report::new(&OBJECTS, &SELECTION, &About::default());
    let excused =
        Report::new(&OBJECTS, &SELECTION, &About { exemptions: loaded, ..About::default() });
    assert_eq!(plain.findings.len(), excused.findings.len());
    for (before, after) in plain.findings.iter().zip(&excused.findings) {
        let same = before.state == after.state;
        let excused = before.state == State::Unhealthy && after.state == State::Exempt;
        assert!(same || excused, "{before:?} became {after:?}");
        assert!(after.evidence.len() <= before.evidence.len());
        assert!(!after.evidence.is_empty() || before.evidence.is_empty());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "ignore:\n- {control: SW-C-0001, reason: r, owner: o, until: 2030-01-31}\n",
        "ignore:\n- control: SW-C-00*\n  namespace: sh*\n  resource: shop/Pod/a\n  container: a\n  category: mitigated\n  reason: r\n- {control: SW-C-0001, image: x, reason: r, until: \"1970-01-01T00:00:00Z\"}\n",
        "ignore:\n- {control: SW-C-0001, path: /spec/containers/1, reason: r}\n- {id: CVE-2024-0001, package: a, reason: r}\n",
        "{\"ignore\": []}",
    ])
}
