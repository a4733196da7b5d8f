//! The table "Bad input" of the design, row by row.
use crate::build::*;
use serde_json::json;
use std::fs;

const GONE: &str = "libc6 2.31-13+deb11u3@0";

/// A layout of Debian below a second layer, stored as `store` makes it, after `spoil` had its way with that blob.
#[track_caller]
fn check(
    store: fn(&[u8]) -> Vec<u8>,
    spoil: impl Fn(&mut Vec<u8>),
    packages: &str,
    expected: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let lower = debian().end();
    let noise: Vec<u8> = (0..200_000_u32)
        .flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes())
        .collect();
    let upper =
        python(python(Tar::default(), "first", "1.0").file("noise", noise), "last", "1.0").end();
    let stored = store(&upper);
    let layout = Layout(folder.path());
    layout.image(&[(lower.clone(), lower), (upper, stored.clone())]);
    let mut spoiled = stored.clone();
    spoil(&mut spoiled);
    fs::write(layout.layer_file(&stored), spoiled).unwrap();
    let inventory = scan(folder.path().to_str().unwrap());
    assert_eq!((listed(&inventory).as_str(), problems(&inventory).as_str()), (packages, expected));
}

const BOTH: &str = "libc6 2.31-13+deb11u3@0, first 1.0@1";

#[test]
fn a_complete_stream_with_a_wrong_digest_is_refused() {
    let flip = |bytes: &mut Vec<u8>| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    };
    check(<[u8]>::to_vec, flip, GONE, "Error digest-mismatch");
    check(gzip, flip, GONE, "Error digest-mismatch");
    check(zstd, flip, GONE, "Error digest-mismatch");
    check(gzip, |bytes| bytes.push(0), GONE, "Error digest-mismatch");
}

#[test]
fn a_wrong_diff_id_is_refused() {
    let layer = debian().end();
    let mut config = config(std::slice::from_ref(&layer));
    config["rootfs"]["diff_ids"] = json!([sha256(b"another")]);
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout(folder.path());
    let manifest = layout.manifest(&[(layer.clone(), gzip(&layer))], &config);
    layout.index(&[manifest]);
    let inventory = scan(folder.path().to_str().unwrap());
    assert_eq!(
        (listed(&inventory).as_str(), problems(&inventory).as_str()),
        ("", "Error digest-mismatch")
    );
}

#[test]
fn a_stream_that_ends_early_counts_up_to_there() {
    let half = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
    check(<[u8]>::to_vec, half, BOTH, "Gap layer-cut-short");
    check(gzip, half, BOTH, "Gap layer-cut-short");
    check(zstd, half, BOTH, "Gap layer-cut-short");
    check(gzip, Vec::clear, GONE, "Gap layer-cut-short");
}

/// The blob is the one named, but its content is broken.
#[test]
fn broken_gzip_zstd_and_tar_are_gaps() {
    #[track_caller]
    fn broken(plain: &[u8], stored: &[u8], packages: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        Layout(folder.path()).image(&[(plain.to_vec(), stored.to_vec())]);
        let inventory = scan(folder.path().to_str().unwrap());
        assert_eq!(
            (listed(&inventory).as_str(), problems(&inventory).as_str()),
            (packages, expected)
        );
    }
    let noise: Vec<u8> = (0..100_000_u32)
        .flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes())
        .collect();
    let plain = debian().file("noise", noise).end();
    for store in [gzip, zstd] {
        let mut stored = store(&plain);
        let middle = stored.len() * 3 / 4;
        stored[middle..middle + 64].fill(0xff);
        broken(&plain, &stored, GONE, "Gap layer-broken");
    }
    let mut tar = debian().end();
    let at = tar.len() - 1024;
    tar[at..at + 512].fill(b'x');
    broken(&tar, &tar, GONE, "Gap layer-broken");
}

#[test]
fn a_tar_cut_between_entries_is_a_gap() {
    let whole = python(debian(), "late", "1.0").end();
    let config = config(std::slice::from_ref(&whole)).to_string();
    let manifest = json!([{"Config": "c.json", "RepoTags": [], "Layers": ["l.tar"]}]).to_string();
    let archive = Tar::default()
        .file("l.tar", debian().unended())
        .file("c.json", config)
        .file("manifest.json", manifest);
    let inventory = scan_bytes(&archive.end());
    assert_eq!(
        (listed(&inventory).as_str(), problems(&inventory).as_str()),
        (GONE, "Gap layer-cut-short")
    );
}

#[test]
fn an_archive_cut_inside_a_layer_counts_up_to_there() {
    let layer = python(debian(), "late", "1.0").end();
    let config = config(std::slice::from_ref(&layer)).to_string();
    let manifest = json!([{"Config": "c.json", "RepoTags": [], "Layers": ["l.tar"]}]).to_string();
    let archive = Tar::default()
        .file("manifest.json", manifest)
        .file("c.json", config)
        .file("l.tar", &layer)
        .end();
    let cut = archive.len() - 1024 - 2048;
    for bytes in [archive[..cut].to_vec(), gzip(&archive)[..gzip(&archive).len() - 40].to_vec()] {
        let inventory = scan_bytes(&bytes);
        let expected = ["Gap layer-cut-short", "Gap file-cut-short, Gap layer-cut-short"];
        assert!(expected.contains(&problems(&inventory).as_str()), "{}", problems(&inventory));
        assert!(listed(&inventory).starts_with(GONE));
    }
}

#[test]
fn what_is_no_image_says_so() {
    #[track_caller]
    fn refused(bytes: &[u8], expected: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let error = error(&format!("docker-archive:{}", file.path().display()));
        assert!(error.contains(expected), "{error}");
    }
    refused(b"", "it has no manifest.json");
    refused(b"not a tar at all", "it has no manifest.json; it ends early");
    refused(&docker_archive(&[debian().end()])[..3000], "it ends early");
    refused(&Tar::default().file("manifest.json", "{").end(), "manifest.json is malformed");
    refused(
        &Tar::default().file("manifest.json", "[]").end(),
        "an image in manifest.json is missing",
    );
    refused(
        &Tar::default().file("manifest.json", vec![b' '; (8 << 20) + 1]).end(),
        "over the limit of 8388608 bytes",
    );
    let image = |config: &str| json!([{"Config": config, "Layers": ["a"]}]).to_string();
    refused(&Tar::default().file("manifest.json", image("c.json")).end(), "c.json is missing");
    refused(
        &Tar::default().file("manifest.json", image("c.json")).file("c.json", "{}").end(),
        "0 diffIDs for 1 layers",
    );
    let wrong = format!("{}.json", "0".repeat(64));
    refused(
        &Tar::default().file("manifest.json", image(&wrong)).file(&wrong, "{}").end(),
        "has digest",
    );
    refused(b"BZh91AY", "compressed in a way that is not supported");
    assert!(error("docker-archive:/nowhere.tar").contains("cannot read /nowhere.tar"));
    assert!(error("containerd:x").contains("containerd"), "no such socket here");
}

#[test]
fn layout_documents_are_checked_against_their_digests() {
    let folder = tempfile::tempdir().unwrap();
    let layer = debian().end();
    let layout = Layout(folder.path());
    layout.image(&[(layer.clone(), layer.clone())]);
    let config_file = layout.layer_file(config(&[layer]).to_string().as_bytes());
    let mut bytes = fs::read(&config_file).unwrap();
    bytes.push(b' ');
    fs::write(&config_file, bytes).unwrap();
    assert!(error(folder.path().to_str().unwrap()).contains("has digest"));
    fs::remove_file(&config_file).unwrap();
    assert!(error(folder.path().to_str().unwrap()).contains("is missing"));
    let descriptor = json!({"mediaType": "x", "digest": "sha256:../../../etc/passwd", "size": 1});
    layout.index(&[descriptor]);
    assert!(error(folder.path().to_str().unwrap()).contains("is not supported"));
    fs::remove_file(folder.path().join("index.json")).unwrap();
    assert!(error(folder.path().to_str().unwrap()).contains("it has no index.json"));
}

#[test]
fn paths_no_runtime_should_unpack_are_dropped_and_counted() {
    let status = "Package: a\nVersion: 1\n";
    let tar = debian()
        .file("/var/lib/dpkg/status", status)
        .file("../var/lib/dpkg/status", status)
        .file("x/../../var/lib/dpkg/status", status)
        .link("loop-a", "loop-b")
        .link("loop-b", "loop-a")
        .file("loop-a/x.egg-info", "Name: x\nVersion: 1\n")
        .end();
    let inventory = scan_bytes(&docker_archive(&[tar]));
    assert_eq!(listed(&inventory), GONE);
    assert_eq!(problems(&inventory), "Note entry-dropped, Note entry-dropped, Note link-cycle");
    assert!(
        inventory
            .problems
            .iter()
            .any(|problem| problem.message.starts_with("2 left out, path with `..`"))
    );
}

#[test]
fn a_file_over_its_limit_is_a_gap() {
    let metadata = vec![b' '; (16 << 20) + 1];
    let inventory =
        scan_bytes(&docker_archive(&[debian().file("a.dist-info/METADATA", metadata).end()]));
    assert_eq!(
        (listed(&inventory).as_str(), problems(&inventory).as_str()),
        (GONE, "Gap limit-reached")
    );
    let claimed =
        debian().raw(b"b.dist-info/METADATA", b'0', 0o644, "", b"x", 0o77_777_777_777).unended();
    let inventory = scan_bytes(&docker_archive(&[claimed]));
    assert_eq!(problems(&inventory), "Gap layer-cut-short, Gap limit-reached");
}

#[test]
fn an_inflating_bomb_stops_at_the_ratio() {
    // 2 GiB of zeros in one file, at a ratio of over 10,000.
    let header = Tar::default().raw(b"zeros", b'0', 0o644, "", b"", 2 << 30).unended();
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    let zeros = vec![0; 1 << 20];
    std::io::Write::write_all(&mut encoder, &debian().unended()).unwrap();
    std::io::Write::write_all(&mut encoder, &header).unwrap();
    for _ in 0..2048 {
        std::io::Write::write_all(&mut encoder, &zeros).unwrap();
    }
    let stored = encoder.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    Layout(folder.path()).image(&[(b"not compared: the limit comes first".to_vec(), stored)]);
    let inventory = scan(folder.path().to_str().unwrap());
    assert_eq!(
        (listed(&inventory).as_str(), problems(&inventory).as_str()),
        (GONE, "Gap limit-reached")
    );
}

#[test]
fn encrypted_foreign_and_missing_layers_are_gaps() {
    #[track_caller]
    fn layer(media_type: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout(folder.path());
        let (lower, upper) = (debian().end(), python(Tar::default(), "unseen", "1.0").end());
        let config =
            layout.blob("config", config(&[lower.clone(), upper.clone()]).to_string().as_bytes());
        let stored = layout.blob("application/vnd.oci.image.layer.v1.tar", &lower);
        let absent =
            json!({"mediaType": media_type, "digest": sha256(&upper), "size": upper.len()});
        let manifest =
            json!({"schemaVersion": 2, "config": config, "layers": [stored, absent]}).to_string();
        let manifest = layout.blob("manifest", manifest.as_bytes());
        layout.index(&[manifest]);
        let inventory = scan(folder.path().to_str().unwrap());
        assert_eq!((listed(&inventory).as_str(), problems(&inventory).as_str()), (GONE, expected));
    }
    layer("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "Gap layer-encrypted");
    layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "Gap layer-foreign");
    layer("application/vnd.oci.image.layer.v1.tar+gzip", "Gap layer-missing");
}

#[test]
fn broken_package_files_are_gaps_and_the_rest_is_read() {
    let tar = Tar::default()
        .file("etc/os-release", "ID=debian\nVERSION_ID=11\n")
        .file(
            "var/lib/dpkg/status",
            "Package: a\nVersion: 1\n\nVersion: only\n\nPackage: b\nVersion: 2\n",
        )
        .file("bad.dist-info/METADATA", "no headers")
        .program("usr/bin/broken", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\xff Go buildinf:");
    let inventory = scan_bytes(&docker_archive(&[python(tar, "good", "1.0").end()]));
    assert_eq!(listed(&inventory), "a 1@0, b 2@0, good 1.0@0");
    let gaps: Vec<_> =
        inventory.problems.iter().map(|problem| problem.file.as_deref().unwrap_or("?")).collect();
    assert_eq!(gaps, ["var/lib/dpkg/status", "bad.dist-info/METADATA", "usr/bin/broken"]);
}

#[test]
fn an_unknown_distro_and_an_unread_database_are_gaps() {
    let void = Tar::default().file("etc/os-release", "ID=void\n");
    assert_eq!(problems(&scan_bytes(&docker_archive(&[void.end()]))), "Gap unknown-distro");
    let alpine = Tar::default()
        .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20\n")
        .file("lib/apk/db/installed", "P:musl\n");
    assert_eq!(
        problems(&scan_bytes(&docker_archive(&[alpine.end()]))),
        "Gap malformed-package-file"
    );
    let openwrt = Tar::default()
        .file("etc/os-release", "ID=openwrt\n")
        .file("usr/lib/opkg/status", "Package: a\nVersion: 1\n");
    assert_eq!(
        problems(&scan_bytes(&docker_archive(&[openwrt.end()]))),
        "Gap database-not-supported, Gap unknown-distro"
    );
}

#[test]
fn windows_is_recognised_as_not_covered() {
    let layer = Tar::default().file("Files/Windows/System32/x.dll", "x").end();
    let mut config = config(std::slice::from_ref(&layer));
    config["os"] = json!("windows");
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout(folder.path());
    let manifest = layout.manifest(&[(layer.clone(), layer)], &config);
    layout.index(&[manifest]);
    assert_eq!(problems(&scan(folder.path().to_str().unwrap())), "Gap not-covered");
}

#[test]
fn a_single_program_without_a_distro_is_complete() {
    let layer = Tar::default().program("app", b"\x7fELF").end();
    assert_eq!(problems(&scan_bytes(&docker_archive(&[layer]))), "");
}

#[test]
fn a_lone_block_of_zeros_ends_no_tar() {
    let hidden = python(Tar::default(), "hidden", "1.0").end();
    let layer = [debian().unended(), vec![0; 512], hidden].concat();
    let inventory = scan_bytes(&docker_archive(&[layer]));
    assert_eq!(
        (listed(&inventory).as_str(), problems(&inventory).as_str()),
        (GONE, "Gap layer-broken")
    );
}

#[test]
fn a_blob_that_cannot_be_read_is_no_short_one() {
    let folder = tempfile::tempdir().unwrap();
    let layer = debian().end();
    let layout = Layout(folder.path());
    layout.image(&[(layer.clone(), gzip(&layer))]);
    let file = layout.layer_file(&gzip(&layer));
    fs::remove_file(&file).unwrap();
    // Opens like a file, and fails when it is read.
    fs::create_dir(&file).unwrap();
    assert_eq!(problems(&scan(folder.path().to_str().unwrap())), "Gap layer-unreadable");
}

#[test]
fn over_500_layers_are_a_gap() {
    let layers: Vec<_> = (0..501).map(|_| Tar::default().end()).collect();
    let inventory = scan_bytes(&docker_archive(&layers));
    assert_eq!(inventory.layers.len(), 500);
    assert_eq!(problems(&inventory), "Gap limit-reached");
}
