//! Layers of text, merged. A line `==` begins a layer; `PATH/`, `PATH -> TARGET`, `PATH => TARGET` and
//! `PATH: TEXT` (with `|` for a line's end) are its entries.
use super::texts;
use crate::Target;
use packageurl::PackageUrl;
use seawall_extract::{Head, Kind, LayerFacts, LayerReader, Want, decode, encode, merge};
use std::str::FromStr;

pub(crate) const TARGET: Target = Target { name: "extract-merge", run, seeds, rounds: 600 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let layers: Vec<LayerFacts> = text.split("==").map(layer).collect();
    for facts in &layers {
        assert_eq!(decode(&encode(facts)).as_ref(), Ok(facts));
    }
    let merged = || merge(&layers.iter().map(Some).collect::<Vec<_>>(), true);
    let contents = merged();
    assert_eq!(contents, merged(), "the order of a hash map shows");
    for package in &contents.packages {
        assert!(package.layer.is_some_and(|layer| (layer as usize) < layers.len()), "{package:?}");
        assert!(!package.locations.is_empty(), "{package:?}");
        // packageurl writes the `/` of a malformed version as it is, and then takes it for part of the name.
        let readable = PackageUrl::from_str(&package.purl).is_ok();
        assert!(readable || package.version.contains('/'), "{package:?}");
    }
}

fn layer(text: &str) -> LayerFacts {
    let mut reader = LayerReader::new();
    for entry in text.lines() {
        if let Some((path, target)) = entry.split_once(" -> ") {
            add(&mut reader, path, Kind::Symlink, Some(target), "");
        } else if let Some((path, target)) = entry.split_once(" => ") {
            add(&mut reader, path, Kind::HardLink, Some(target), "");
        } else if let Some((path, text)) = entry.split_once(": ") {
            add(&mut reader, path, Kind::File, None, &text.replace('|', "\n"));
        } else if let Some(path) = entry.strip_suffix('/') {
            add(&mut reader, path, Kind::Directory, None, "");
        } else {
            add(&mut reader, entry, Kind::File, None, "");
        }
    }
    reader.finish()
}

/// The tar walk gives no other paths than these.
fn add(reader: &mut LayerReader, path: &str, kind: Kind, link: Option<&str>, text: &str) {
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return;
    }
    let head = Head { path, kind, mode: 0o644, size: text.len() as u64, link };
    if let Want::Whole(_) = reader.want(&head) {
        reader.whole(&head, text.as_bytes());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "etc/os-release: ID=debian|VERSION_ID=12|\nvar/lib/dpkg/status: Package: a|Version: 1||Package: b|Version: 2|\n\
         var/lib/dpkg/info/a.list: /usr/lib/a.dist-info/METADATA|\nusr/lib/a.dist-info/METADATA: Name: a|Version: 1|\n\
         ==\nvar/lib/dpkg/status: Package: a|Version: 1|\nusr/lib/.wh.a.dist-info\n",
        "opt/x.egg-info/PKG-INFO: Name: x|Version: 1|\n==\nopt/.wh..wh..opq\nopt/y.egg-info: Name: y|Version: 2|\n",
        "real/dpkg/\nreal/dpkg/status.d/a: Package: a|Version: 1|\n==\nvar/lib -> ../real\netc/os-release -> /usr/lib/os-release\n\
         usr/lib/os-release: ID=wolfi|\n==\nloop -> loop\na -> b\nb -> a\n",
        "a/s.dist-info/METADATA: Name: s|Version: 1|\nb/s.dist-info/METADATA => a/s.dist-info/METADATA\n==\na\n==\na/\na/.wh.s.dist-info\n\
         lib/apk/db/installed: P:musl|V:1|\n",
    ])
}
