//! Images: a dpkg database, and an archive of `docker save` with one compressed layer.
use crate::dice::Dice;
use sha2::{Digest, Sha256};
use std::io::Write;

/// A `status` file of that many packages.
pub fn dpkg_status(packages: usize) -> String {
    let mut text = String::new();
    for number in 0..packages {
        text.push_str(&format!(
            "Package: package-{number}\nStatus: install ok installed\nPriority: optional\nSection: libs\n\
             Installed-Size: {}\nMaintainer: Maintainers <team@lists.debian.org>\nArchitecture: amd64\n\
             Source: source-{} ({}.2.3-4)\nVersion: {}.2.3-4+b1\nDepends: libc6 (>= 2.34), libgcc-s1 (>= 3.0)\n\
             Description: package number {number}\n Several lines of words tell what it is good for, and for whom,\n \
             so that a person can choose.\n .\n It has been made for this measurement.\nHomepage: https://example.org\n\n",
            number * 7,
            number / 2,
            number % 9,
            number % 9,
        ));
    }
    text
}

/// A tar with a distribution's database, programs and `files` files that nothing reads, each of about 4 KiB.
pub fn layer(files: usize) -> Vec<u8> {
    let mut dice = Dice::new();
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |path: &str, mode: u32, content: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, content).expect("a vector takes every write");
    };
    add("etc/os-release", 0o644, b"ID=debian\nVERSION_ID=12\n");
    add("var/lib/dpkg/status", 0o644, dpkg_status(400).as_bytes());
    for number in 0..files {
        let content = words(&mut dice);
        match number % 100 {
            0 => add(
                &format!("usr/lib/python3/p{number}.dist-info/METADATA"),
                0o644,
                format!("Name: p{number}\nVersion: 1.{number}\n\n{content}").as_bytes(),
            ),
            1 => add(
                &format!("usr/bin/program-{number}"),
                0o755,
                [b"\x7fELF\x02\x01\x01\0", content.as_bytes()].concat().as_slice(),
            ),
            _ => add(
                &format!("usr/share/doc/folder-{}/file-{number}", number / 50),
                0o644,
                content.as_bytes(),
            ),
        }
    }
    builder.into_inner().expect("a vector takes every write")
}

/// Text that compresses about threefold, as the contents of images do.
fn words(dice: &mut Dice) -> String {
    let size = 1_024 + dice.roll(6_144);
    let mut text = String::with_capacity(size + 16);
    while text.len() < size {
        text.push_str(["the ", "of ", "layer ", "package ", "\n", "file "][dice.roll(6)]);
        text.push_str(&format!("{:x} ", dice.roll(1 << 20)));
    }
    text
}

/// The archive of an image with this one layer, compressed with gzip.
pub fn docker_archive(layer: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(layer).expect("a vector takes every write");
    let blob = gzip.finish().expect("a vector takes every write");
    let diff_id = format!("sha256:{}", hex::encode(Sha256::digest(layer)));
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    });
    let manifest =
        br#"[{"Config":"config.json","RepoTags":["bench:1"],"Layers":["layer.tar.gz"]}]"#;
    let mut builder = tar::Builder::new(Vec::new());
    let config = config.to_string();
    for (path, content) in [
        ("manifest.json", manifest.as_slice()),
        ("config.json", config.as_bytes()),
        ("layer.tar.gz", &blob),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, content).expect("a vector takes every write");
    }
    builder.into_inner().expect("a vector takes every write")
}
