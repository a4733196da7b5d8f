//! Every form of image gives the same inventory.
use crate::build::*;
use seawall_model::package::Target;
use seawall_scan::{ImageOptions, OpenOptions, scan_image};
use serde_json::json;
use std::fs;

fn layers() -> Vec<Vec<u8>> {
    let upper = python(Tar::default(), "Django", "3.2.1");
    let top = Tar::default().file("usr/local/lib/python3.9/site-packages/.wh.gone.dist-info", "");
    vec![debian().end(), upper.end(), top.end()]
}

const EXPECTED: &str = "libc6 2.31-13+deb11u3@0, django 3.2.1@1";

#[test]
fn docker_archives() {
    let archive = docker_archive(&layers());
    for bytes in [archive.clone(), gzip(&archive), zstd(&archive)] {
        let inventory = scan_bytes(&bytes);
        assert_eq!(listed(&inventory), EXPECTED);
        assert_eq!(problems(&inventory), "");
        assert_eq!(inventory.platform.as_deref(), Some("linux/amd64"));
        assert_eq!(inventory.distro.as_ref().unwrap().version.as_deref(), Some("11"));
        assert_eq!(inventory.layers[1].created_by.as_deref(), Some("step 2"));
        let Target::Image { image } = inventory.target else { panic!("no image") };
        assert_eq!(image.name, "example.org/app:1");
        assert_eq!(image.config_digest, Some(sha256(config(&layers()).to_string().as_bytes())));
        assert_eq!(image.digest, None);
    }
}

#[test]
fn docker_archives_of_several_images_want_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.tar");
    let config = config(&[]).to_string();
    let image = |tag: &str| json!({"Config": "c.json", "RepoTags": [tag], "Layers": []});
    let manifest = json!([image("a:1"), image("b:1")]).to_string();
    fs::write(&path, Tar::default().file("c.json", config).file("manifest.json", manifest).end())
        .unwrap();
    let path = path.display();
    assert!(error(&format!("docker-archive:{path}")).contains("name one of: a:1, b:1"));
    assert_eq!(problems(&scan(&format!("docker-archive:{path}:b:1"))), "");
    assert!(error(&format!("docker-archive:{path}:c:1")).contains("there is no image `c:1`"));
}

#[test]
fn layers_that_are_links_in_the_archive() {
    let layer = debian().end();
    let config = config(&[layer.clone(), layer.clone()]).to_string();
    let manifest =
        json!([{"Config": "c.json", "RepoTags": null, "Layers": ["a/layer.tar", "b/layer.tar"]}]);
    let tar = Tar::default().file("a/layer.tar", layer).link("b/layer.tar", "../a/layer.tar");
    let inventory =
        scan_bytes(&tar.file("c.json", config).file("manifest.json", manifest.to_string()).end());
    assert_eq!(listed(&inventory), "libc6 2.31-13+deb11u3@0");
    assert_eq!(problems(&inventory), "");
}

#[test]
fn layouts_and_oci_archives() {
    let folder = tempfile::tempdir().unwrap();
    let plain = layers();
    let stored = [plain[0].clone(), gzip(&plain[1]), zstd(&plain[2])];
    let pairs: Vec<_> = plain.into_iter().zip(stored).collect();
    Layout(folder.path()).image(&pairs);
    let path = folder.path().to_str().unwrap();
    for reference in [path.to_owned(), format!("oci-layout:{path}")] {
        let inventory = scan(&reference);
        assert_eq!(listed(&inventory), EXPECTED);
        assert_eq!(problems(&inventory), "");
        let Target::Image { image } = inventory.target else { panic!("no image") };
        assert!(image.digest.is_some() && image.index_digest.is_none());
        assert_eq!(inventory.layers[1].size, Some(pairs[1].1.len() as u64));
    }
    let archive = tempfile::NamedTempFile::new().unwrap();
    let status = std::process::Command::new("tar")
        .args(["-C", path, "-cf"])
        .arg(archive.path())
        .arg(".")
        .status();
    assert!(status.unwrap().success());
    let archive = archive.path().display();
    assert_eq!(listed(&scan(&format!("oci-archive:{archive}"))), EXPECTED);
    assert_eq!(listed(&scan(&archive.to_string())), EXPECTED);
}

#[test]
fn gzip_of_several_members_is_one_stream() {
    let plain = debian().end();
    let (first, second) = plain.split_at(700);
    let stored = [gzip(first), gzip(second)].concat();
    let folder = tempfile::tempdir().unwrap();
    Layout(folder.path()).image(&[(plain, stored)]);
    assert_eq!(problems(&scan(folder.path().to_str().unwrap())), "");
}

#[test]
fn platforms() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout(folder.path());
    let image = |architecture: &str, name: &str| {
        let layer = python(Tar::default(), name, "1.0").end();
        let mut config = config(std::slice::from_ref(&layer));
        config["architecture"] = json!(architecture);
        let mut manifest = layout.manifest(&[(layer.clone(), layer)], &config);
        manifest["platform"] = json!({"os": "linux", "architecture": architecture});
        manifest
    };
    let mut attestation = image("amd64", "attestation");
    attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    let inner = json!({"schemaVersion": 2, "manifests": [image("amd64", "on-amd"), image("arm64", "on-arm"), attestation]});
    let inner =
        layout.blob("application/vnd.oci.image.index.v1+json", inner.to_string().as_bytes());
    layout.index(std::slice::from_ref(&inner));
    let reference = folder.path().to_str().unwrap();
    let on = |platform: &str| {
        let open =
            OpenOptions { platform: Some(platform.parse().unwrap()), ..OpenOptions::default() };
        scan_image(reference, &ImageOptions { open, facts: None })
    };
    let arm = on("linux/arm64").unwrap();
    assert_eq!(listed(&arm), "on-arm 1.0@0");
    let Target::Image { image } = arm.target else { panic!("no image") };
    assert_eq!(image.index_digest.as_deref(), inner["digest"].as_str());
    assert_eq!(listed(&on("linux/x86_64").unwrap()), "on-amd 1.0@0");
    assert_eq!(listed(&on("linux/arm64/v8").unwrap()), "on-arm 1.0@0");
    let refused = on("linux/s390x").unwrap_err();
    let source = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(
        source,
        "there is no image for platform linux/s390x; there is: linux/amd64, linux/arm64"
    );
}

#[test]
fn files_over_the_buffer_size_are_spilled_and_read() {
    let mut metadata = b"Name: large\nVersion: 1\n\n".to_vec();
    metadata.resize(9 << 20, b'x');
    let mut program = b"\x7fELF".to_vec();
    program.resize(17 << 20, 0);
    let layer = Tar::default()
        .file("a.dist-info/METADATA", &metadata)
        .program("usr/bin/large", &program)
        .end();
    let inventory = scan_bytes(&docker_archive(&[layer]));
    assert_eq!(listed(&inventory), "large 1@0");
    assert_eq!(problems(&inventory), "");
}

#[test]
fn names_in_references() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout(folder.path());
    let image = |name: &str| {
        let layer = python(Tar::default(), name, "1.0").end();
        let mut manifest = layout.manifest(&[(layer.clone(), layer.clone())], &config(&[layer]));
        manifest["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        manifest
    };
    layout.index(&[image("one"), image("two")]);
    let path = folder.path().display();
    assert!(error(&format!("oci-layout:{path}")).contains("name one of: one, two"));
    assert_eq!(listed(&scan(&format!("oci-layout:{path}:two"))), "two 1.0@0");
    assert!(error(&format!("oci-layout:{path}:three")).contains("there is no image `three`"));
    assert!(
        error("./nginx:1.27").contains("is no file or directory here, and no name of an image")
    );
    let on = |name: &str, architecture: &str| {
        let mut manifest = image(name);
        manifest["platform"] = json!({"os": "linux", "architecture": architecture});
        manifest
    };
    let own = seawall_scan::Platform::host().architecture;
    layout.index(&[on("one", &own), on("two", &own)]);
    assert!(error(&format!("oci-layout:{path}")).contains("name one of: one, two"));
    assert_eq!(listed(&scan(&format!("oci-layout:{path}:two"))), "two 1.0@0");
    layout.index(&[on("one", &own), on("two", "other")]);
    assert!(error(&format!("oci-layout:{path}")).contains("name one of: one, two"));
    // One image, two names.
    let (first, mut second) = (on("one", &own), on("one", &own));
    second["annotations"]["org.opencontainers.image.ref.name"] = json!("two");
    layout.index(&[first.clone(), second]);
    assert_eq!(listed(&scan(&format!("oci-layout:{path}"))), "one 1.0@0");
    // One name, two images of one platform.
    let mut other = on("two", &own);
    other["annotations"] = first["annotations"].clone();
    layout.index(&[first.clone(), other.clone()]);
    let message = error(&format!("oci-layout:{path}:one"));
    let digest = other["digest"].as_str().unwrap();
    assert!(message.contains("name one of: sha256:") && message.contains(digest), "{message}");
    assert_eq!(listed(&scan(&format!("oci-layout:{path}:{digest}"))), "two 1.0@0");
    other["platform"]["architecture"] = json!("other");
    layout.index(&[first, other]);
    assert_eq!(listed(&scan(&format!("oci-layout:{path}:one"))), "one 1.0@0");
}
