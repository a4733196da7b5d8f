//! Repositories that Red Hat's images were built from, by content set. Source: the manifests that Red Hat's builders
//! put into images, as Clair (`rhel/internal/containerapi`, `content_sets`) reads them.
use crate::prelude::*;
use serde::Deserialize;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "content-sets",
    title: "Red Hat content sets",
    route: Route::Files(&[
        "root/buildinfo/content_manifests/*.json",
        // Newer builders write the same here, too.
        "usr/share/buildinfo/content-sets.json",
    ]),
    max_bytes: 8 * MIB, // They may list the image's contents too.
    extract: Extract::Bytes(extract),
};

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    content_sets: Vec<String>,
}

fn extract(bytes: &[u8], found: &mut Found) {
    match serde_json::from_slice::<Manifest>(bytes) {
        Ok(manifest) => found.repositories.extend(manifest.content_sets),
        Err(error) => found.unreadable(format!("not a content manifest: {error}")),
    }
}

#[test]
fn table() {
    #[track_caller]
    fn check(text: &str, expected: &[&str], problems: usize) {
        let found = EXTRACTOR.run(text.as_bytes());
        let sets: Vec<_> = found.repositories.iter().map(String::as_str).collect();
        assert_eq!((&sets[..], found.problems.len()), (expected, problems));
    }
    let base = "rhel-9-for-x86_64-baseos-rpms";
    let manifest = format!(
        r#"{{"metadata":{{"icm_version":1}},"from_dnf_hint":true,"content_sets":["{base}"],"image_contents":[]}}"#
    );
    check(&manifest, &[base], 0);
    check("{}", &[], 0);
    check("[", &[], 1);
    check(r#"{"content_sets":"x"}"#, &[], 1);
}
