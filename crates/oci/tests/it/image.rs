//! An image of two platforms as an OCI layout, and what is read of it.
use seawall_model::Problem;
use seawall_oci::{Entry, Image, LayerEnd, Meters, Visitor, Want, read_layer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Writes the layout with the tag `1`; each platform's only layer has a file of its name. The index's digest.
pub(crate) fn layout(dir: &Path) -> String {
    std::fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
    std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let manifests: Vec<Value> = ["amd64", "arm64"].map(|arch| platform(dir, arch)).into();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    let mut entry = blob(dir, INDEX, index.to_string().as_bytes());
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": "1"});
    let digest = entry["digest"].as_str().unwrap().to_owned();
    let top = json!({"schemaVersion": 2, "manifests": [entry]});
    std::fs::write(dir.join("index.json"), top.to_string()).unwrap();
    digest
}

fn platform(dir: &Path, arch: &str) -> Value {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    // Larger than what one read takes.
    let content: Vec<u8> =
        (0..400_000_u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, arch, content.as_slice()).unwrap();
    let tar = tar.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    let layer = blob(dir, "application/vnd.oci.image.layer.v1.tar+gzip", &gzip.finish().unwrap());
    let config = json!({
        "os": "linux", "architecture": arch, "config": {},
        "rootfs": {"type": "layers", "diff_ids": [sha256(&tar)]},
    });
    let config =
        blob(dir, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
    let manifest =
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
    let mut entry = blob(dir, MANIFEST, manifest.to_string().as_bytes());
    entry["platform"] = json!({"os": "linux", "architecture": arch});
    entry
}

fn blob(dir: &Path, media_type: &str, bytes: &[u8]) -> Value {
    let digest = sha256(bytes);
    std::fs::write(dir.join("blobs/sha256").join(&digest["sha256:".len()..]), bytes).unwrap();
    json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

struct Paths(Vec<String>);

impl Visitor for Paths {
    fn want(&mut self, entry: &Entry) -> Want {
        self.0.push(entry.path.clone());
        Want::Skip
    }
    fn head(&mut self, _: &Entry, _: &[u8]) -> Want {
        Want::Skip
    }
    fn whole(&mut self, _: &Entry, _: &[u8]) {}
    fn refused(&mut self, _: &Entry, _: Problem) {}
}

/// The paths of the only layer, read to its end and verified.
pub(crate) fn paths(image: &Image) -> Vec<String> {
    let mut paths = Paths(Vec::new());
    let (end, problems) = read_layer(image, 0, &mut paths, &Meters::default());
    assert_eq!((end, problems), (LayerEnd::Verified, Vec::new()));
    paths.0
}
