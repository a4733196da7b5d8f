//! The JSON documents of an image, parted by a line `---`: index, manifest and config of a layout, or the manifest
//! and config of `docker save`. `@manifest`, `@config` and `@layer` stand for the digests, which are right.
use super::{scan, sha256, tar, texts};
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "oci-documents", run, seeds, rounds: 600 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split("\n---\n");
    let mut part = || parts.next().unwrap_or_default();
    let layer = tar(&[("var/lib/dpkg/status", b"Package: a\nVersion: 1\n")]);
    let name = |text: &str, what: &str, content: &[u8]| text.replace(what, &sha256(content));
    let blob = |content: &[u8]| format!("blobs/sha256/{}", &sha256(content)["sha256:".len()..]);
    let first = part();
    if first.trim_start().starts_with('[') {
        let config = name(part(), "@layer", &layer);
        let archive = tar(&[
            ("manifest.json", first.as_bytes()),
            ("config.json", config.as_bytes()),
            ("layer.tar", &layer),
        ]);
        let _ = scan("docker-archive", &archive);
        return;
    }
    let (manifest, config) = (part(), name(part(), "@layer", &layer));
    let manifest = name(&name(manifest, "@layer", &layer), "@config", config.as_bytes());
    let index = name(first, "@manifest", manifest.as_bytes());
    let archive = tar(&[
        ("index.json", index.as_bytes()),
        (&blob(manifest.as_bytes()), manifest.as_bytes()),
        (&blob(config.as_bytes()), config.as_bytes()),
        (&blob(&layer), &layer),
    ]);
    let _ = scan("oci-archive", &archive);
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"@manifest","size":9,
"platform":{"os":"linux","architecture":"amd64"},"annotations":{"org.opencontainers.image.ref.name":"a:1"}}]}
---
{"schemaVersion":2,"config":{"digest":"@config","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"@layer","size":2048}]}
---
{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["@layer"]},"history":[{"created_by":"RUN x","empty_layer":false}]}"#,
        r#"{"manifests":[{"digest":"@manifest","size":9},{"digest":"@manifest","size":9,"platform":{"os":"unknown","architecture":"x"}}]}
---
{"manifests":[{"digest":"@manifest","size":1,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}"#,
        r#"{"manifests":[{"digest":"@manifest","size":9}]}
---
{"config":{"digest":"@config","size":2},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"sha256:00","size":1}]}
---
{"rootfs":{"diff_ids":["sha256:00"]}}"#,
        r#"[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer.tar"]}]
---
{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["@layer"]}}"#,
    ])
}

#[test]
fn the_placeholders_become_digests_that_hold() {
    let text = String::from_utf8(seeds()[3].clone()).unwrap();
    let (manifest, config) = text.split_once("\n---\n").unwrap();
    let layer = tar(&[("var/lib/dpkg/status", b"Package: a\nVersion: 1\n")]);
    let config = config.replace("@layer", &sha256(&layer));
    let archive = tar(&[
        ("manifest.json", manifest.as_bytes()),
        ("config.json", config.as_bytes()),
        ("layer.tar", &layer),
    ]);
    assert_eq!(scan("docker-archive", &archive).unwrap().packages.len(), 1);
}
