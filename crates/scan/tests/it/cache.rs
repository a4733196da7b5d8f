//! Facts kept by diffID: only verified ones, and a damaged file is read again.
use crate::build::*;
use seawall_scan::{FactsCache, ImageOptions, OpenOptions, scan_image};
use std::fs;
use std::path::Path;

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(versions) = fs::read_dir(folder) else { return Vec::new() };
    let files = versions.flat_map(|version| fs::read_dir(version.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[test]
fn known_layers_are_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path().join("image");
    let cache = folder.path().join("facts");
    let layer = python(debian(), "Django", "3.2").end();
    Layout(&layout).image(&[(layer.clone(), layer.clone())]);
    let options =
        ImageOptions { open: OpenOptions::default(), facts: Some(FactsCache::new(&cache)) };
    let reference = layout.to_str().unwrap();
    let cold = scan_image(reference, &options).unwrap();
    assert_eq!(files(&cache).len(), 1);
    fs::remove_file(Layout(&layout).layer_file(&layer)).unwrap();
    assert_eq!(scan_image(reference, &options).unwrap(), cold);
    fs::write(&files(&cache)[0], b"damaged").unwrap();
    let inventory = scan_image(reference, &options).unwrap();
    assert_eq!(problems(&inventory), "Gap layer-missing");
    fs::write(Layout(&layout).layer_file(&layer), &layer).unwrap();
    assert_eq!(scan_image(reference, &options).unwrap(), cold);
}

#[test]
fn neither_refused_nor_partial_layers_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path().join("image");
    let cache = folder.path().join("facts");
    let layer = debian().end();
    Layout(&layout).image(&[(layer.clone(), layer.clone())]);
    let options =
        ImageOptions { open: OpenOptions::default(), facts: Some(FactsCache::new(&cache)) };
    let mut altered = layer.clone();
    altered[600] ^= 1;
    for spoiled in [&altered[..], &layer[..layer.len() - 2000]] {
        fs::write(Layout(&layout).layer_file(&layer), spoiled).unwrap();
        scan_image(layout.to_str().unwrap(), &options).unwrap();
        assert_eq!(files(&cache), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    let archive = folder.path().join("image.tar");
    fs::write(&archive, docker_archive(&[debian().end()])).unwrap();
    let options =
        ImageOptions { open: OpenOptions::default(), facts: Some(FactsCache::new(&blocked)) };
    let inventory = scan_image(archive.to_str().unwrap(), &options).unwrap();
    assert_eq!(problems(&inventory), "Note cache-not-written");
}
