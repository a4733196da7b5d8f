//! A facts file speaks of one layer alone.
use crate::build::*;
use seawall_scan::{FactsCache, ImageOptions, OpenOptions, scan_image};
use std::fs;
use std::path::{Path, PathBuf};

fn facts_of(cache: &Path, layer: &[u8]) -> PathBuf {
    let mut versions = fs::read_dir(cache).unwrap();
    versions.next().unwrap().unwrap().path().join(&sha256(layer)[7..])
}

#[test]
fn a_copied_file_gave_a_layer_the_packages_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("facts");
    let options =
        ImageOptions { open: OpenOptions::default(), facts: Some(FactsCache::new(&cache)) };
    let layers = ["3.2.1", "4.0"].map(|version| python(Tar::default(), "Django", version).end());
    let archives = [folder.path().join("a.tar"), folder.path().join("b.tar")];
    let scan = |index: usize| {
        let reference = archives[index].to_str().unwrap();
        listed(&scan_image(reference, &options).unwrap())
    };
    for (archive, layer) in archives.iter().zip(&layers) {
        fs::write(archive, docker_archive(std::slice::from_ref(layer))).unwrap();
    }
    assert_eq!([scan(0), scan(1)], ["django 3.2.1@0", "django 4.0@0"]);
    fs::copy(facts_of(&cache, &layers[1]), facts_of(&cache, &layers[0])).unwrap();
    assert_eq!(scan(0), "django 3.2.1@0", "the layer is read again");
}
