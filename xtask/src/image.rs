//! The container image: one binary over an almost empty root, written without Docker.
//!
//! The archive is an OCI image layout and, by its `manifest.json`, what `docker save` writes; so `docker load`,
//! `ctr images import`, `skopeo copy` and `seawall scan image` read the same file.
use crate::archive::{self, Entry};
use crate::binary::{self, Binary};
use crate::options::{self, Options, VERSION};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Numeric, so that Kubernetes can tell without the image that it is not root.
const USER: u32 = 65532;

/// What the image says of itself.
pub(crate) struct About {
    pub(crate) name: String,
    /// Seconds since 1970.
    pub(crate) time: u64,
    pub(crate) architecture: &'static str,
}

/// Makes the archive; answers with its path and the digest of its manifest.
pub(crate) fn run(root: &Path, options: &Options) -> Result<String> {
    let binary = binary::load(root, options.binary.as_deref())?;
    let about = About {
        name: options.image_name(),
        time: options::epoch()?,
        architecture: binary::architecture(),
    };
    let (bytes, digest) = archive(&binary, &about)?;
    let out = options.out.clone().unwrap_or_else(|| root.join("target/seawall-image.tar"));
    std::fs::write(&out, bytes).with_context(|| format!("cannot write {}", out.display()))?;
    Ok(format!("{} {digest}", out.display()))
}

/// The archive's bytes and the digest of the image's manifest.
pub(crate) fn archive(binary: &Binary, about: &About) -> Result<(Vec<u8>, String)> {
    let layer = archive::tar(&root_files(binary), about.time)?;
    let diff_id = digest(&layer);
    let layer = archive::gzip(&layer)?;
    let config = text(&config(about, &diff_id));
    let manifest = text(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer)],
    }));
    let mut listed = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    listed["platform"] = json!({"architecture": about.architecture, "os": "linux"});
    listed["annotations"] = json!({
        // containerd takes the full name, others the tag.
        "io.containerd.image.name": full_name(&about.name),
        "org.opencontainers.image.ref.name": about.name.rsplit_once(':').map_or("latest", |(_, tag)| tag),
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [listed],
    });
    let docker = json!([{
        "Config": blob_path(&config),
        "RepoTags": [about.name],
        "Layers": [blob_path(&layer)],
    }]);
    let image = digest(&manifest);
    let files = [config, manifest, layer].map(|bytes| Entry::file(blob_path(&bytes), 0o644, bytes));
    let mut entries = files.to_vec();
    entries.push(Entry::file("oci-layout", 0o644, r#"{"imageLayoutVersion":"1.0.0"}"#));
    entries.push(Entry::file("index.json", 0o644, text(&index)));
    entries.push(Entry::file("manifest.json", 0o644, text(&docker)));
    Ok((archive::tar(&archive::with_folders(entries), about.time)?, image))
}

/// No shell, no package manager, no set-uid file: the binary, its libraries if any, and what libc looks up.
fn root_files(binary: &Binary) -> Vec<Entry> {
    let passwd = format!(
        "root:x:0:0:root:/:/sbin/nologin\nseawall:x:{USER}:{USER}:seawall:/:/sbin/nologin\n"
    );
    let mut entries = vec![
        Entry::file("seawall", 0o755, binary.bytes.clone()),
        Entry::file("etc/passwd", 0o644, passwd),
        Entry::file("etc/group", 0o644, format!("root:x:0:\nseawall:x:{USER}:\n")),
        Entry::file("etc/nsswitch.conf", 0o644, "hosts: files dns\n"),
        // Where volumes are mounted; ours, so that it also runs without any.
        Entry::folder("data", 0o750, USER),
        Entry::folder("var/lib/seawall", 0o750, USER),
        Entry::folder("tmp", 0o1777, 0),
    ];
    entries.extend(
        binary
            .libraries
            .iter()
            .map(|(path, bytes)| Entry::file(path.trim_start_matches('/'), 0o755, bytes.clone())),
    );
    archive::with_folders(entries)
}

/// Source: OCI image specification 1.1, "Image Configuration".
fn config(about: &About, diff_id: &str) -> Value {
    let created = timestamp(about.time);
    json!({
        "created": created,
        "architecture": about.architecture,
        "os": "linux",
        "config": {
            "User": format!("{USER}:{USER}"),
            "Env": ["PATH=/", "SEAWALL_DATA_DIR=/data"],
            "Entrypoint": ["/seawall"],
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": "Seawall",
                "org.opencontainers.image.description": "Container security for Kubernetes: hub, agent and sensor",
                "org.opencontainers.image.version": VERSION,
                "org.opencontainers.image.licenses": "Apache-2.0",
                "org.opencontainers.image.created": created,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": created, "created_by": "cargo xtask image"}],
    })
}

/// A name without a registry is Docker Hub's, to containerd and Kubernetes alike.
fn full_name(name: &str) -> String {
    match name.split_once('/') {
        None => format!("docker.io/library/{name}"),
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
    }
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}

/// `sha256:` and hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn blob_path(bytes: &[u8]) -> String {
    format!("blobs/{}", digest(bytes).replace(':', "/"))
}

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// RFC 3339 in UTC. Source of the calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// civil_from_days, for days since 1970.
pub(crate) fn timestamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn binary() -> Binary {
        let libraries = vec![("/lib/x/libc.so.6".to_owned(), vec![2; 700])];
        Binary { bytes: b"\x7fELF".repeat(300), libraries }
    }

    fn about(name: &str) -> About {
        About { name: name.to_owned(), time: 1_700_000_000, architecture: "amd64" }
    }

    /// GNU tar's unpacking.
    fn unpack(archive: &Path, into: &Path) {
        std::fs::create_dir_all(into).unwrap();
        let status = Command::new("tar").arg("xf").arg(archive).arg("-C").arg(into).status();
        assert!(status.unwrap().success());
    }

    #[test]
    fn the_same_input_makes_the_same_bytes() {
        let (first, digest) = archive(&binary(), &about("seawall:1")).unwrap();
        assert_eq!(archive(&binary(), &about("seawall:1")).unwrap(), (first.clone(), digest));
        let mut other = binary();
        other.bytes.push(0);
        assert_ne!(archive(&other, &about("seawall:1")).unwrap().0, first);
    }

    #[test]
    fn every_digest_is_that_of_its_blob() {
        let dir = tempfile::tempdir().unwrap();
        let (bytes, image) = archive(&binary(), &about("r.test/seawall:1")).unwrap();
        std::fs::write(dir.path().join("image.tar"), bytes).unwrap();
        let layout = dir.path().join("layout");
        unpack(&dir.path().join("image.tar"), &layout);
        let json = |path: &str| -> Value {
            serde_json::from_slice(&std::fs::read(layout.join(path)).unwrap()).unwrap()
        };
        let blob = |descriptor: &Value| {
            let named = descriptor["digest"].as_str().unwrap();
            let path = format!("blobs/{}", named.replace(':', "/"));
            let bytes = std::fs::read(layout.join(&path)).unwrap();
            assert_eq!(
                (digest(&bytes).as_str(), Some(bytes.len() as u64)),
                (named, descriptor["size"].as_u64())
            );
            path
        };
        let index = json("index.json");
        assert_eq!(index["manifests"][0]["digest"], image);
        let manifest = json(&blob(&index["manifests"][0]));
        let (config, layer) = (blob(&manifest["config"]), blob(&manifest["layers"][0]));
        assert_eq!(
            json("manifest.json"),
            json!([{"Config": config, "RepoTags": ["r.test/seawall:1"], "Layers": [layer]}])
        );
        let config = json(&config);
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"]["Entrypoint"], json!(["/seawall"]));
        assert_eq!(config["created"], "2023-11-14T22:13:20Z");
        let root = dir.path().join("root");
        unpack(&layout.join(layer), &root);
        assert_eq!(std::fs::read(root.join("seawall")).unwrap(), binary().bytes);
        assert_eq!(std::fs::read(root.join("lib/x/libc.so.6")).unwrap(), vec![2; 700]);
    }

    #[test]
    fn names_are_completed_as_containerd_does() {
        for (name, full) in [
            ("seawall:1", "docker.io/library/seawall:1"),
            ("team/seawall:1", "docker.io/team/seawall:1"),
            ("registry.test/seawall:1", "registry.test/seawall:1"),
            ("localhost/seawall:1", "localhost/seawall:1"),
        ] {
            assert_eq!(full_name(name), full);
        }
    }

    #[test]
    fn times_are_calendar_dates() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_827_696), "2000-02-29T12:34:56Z");
    }
}
