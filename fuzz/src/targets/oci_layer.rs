//! A layer of an image that `docker save` wrote: inflated, walked, extracted, merged. A plain layer has the digest
//! that its image names; a compressed one is read whole and then refused.
use super::{oci_tar, scan, sha256, tar, with_checksums};
use crate::Target;
use std::io::Write;

pub(crate) const TARGET: Target = Target { name: "oci-layer", run, seeds, rounds: 400 };

fn run(bytes: &[u8]) {
    let layer =
        if bytes.starts_with(&[0x1f, 0x8b]) { bytes.to_vec() } else { with_checksums(bytes) };
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [sha256(&layer)]},
    });
    let archive = tar(&[
        (
            "manifest.json",
            br#"[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer.tar"]}]"#,
        ),
        ("config.json", config.to_string().as_bytes()),
        ("layer.tar", &layer),
    ]);
    let inventory =
        scan("docker-archive", &archive).expect("the archive around the layer is whole");
    assert_eq!(inventory.layers.len(), 1);
}

fn seeds() -> Vec<Vec<u8>> {
    let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 200], b"\xff Go buildinf:"].concat();
    let image = tar(&[
        ("etc/os-release", b"ID=debian\nVERSION_ID=12\n"),
        ("var/lib/dpkg/status", b"Package: a\nVersion: 1\nStatus: install ok installed\n"),
        ("var/lib/dpkg/info/a.list", b"/.\n/usr/bin/a\n"),
        ("usr/lib/python3/x.dist-info/METADATA", b"Name: x\nVersion: 1\n"),
        ("usr/bin/a", &elf),
        ("usr/.wh..wh..opq", b""),
    ]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&image).expect("a vector takes every write");
    let mut seeds = vec![image, gzip.finish().expect("a vector takes every write")];
    seeds.extend(oci_tar::seeds());
    seeds
}

#[test]
fn the_plain_seed_is_read_to_its_packages() {
    let layer = &seeds()[0];
    run(layer);
    let config = serde_json::json!({"rootfs": {"diff_ids": [sha256(layer)]}}).to_string();
    let manifest = br#"[{"Config":"c","Layers":["l"]}]"#;
    let archive = tar(&[("manifest.json", manifest), ("c", config.as_bytes()), ("l", layer)]);
    let names: Vec<_> = scan("docker-archive", &archive)
        .unwrap()
        .packages
        .into_iter()
        .map(|package| package.name)
        .collect();
    assert_eq!(names, ["a", "x"]);
}
