//! Images made by hand: tars, archives of docker save, OCI layouts.
use seawall_model::package::Inventory;
use seawall_scan::{ImageOptions, scan_image};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::Path;

/// A tar under construction.
#[derive(Clone, Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(path, b'0', 0o644, "", content.as_ref())
    }

    pub(crate) fn program(self, path: &str, content: &[u8]) -> Self {
        self.entry(path, b'0', 0o755, "", content)
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.entry(path, b'2', 0o777, target, b"")
    }

    pub(crate) fn directory(self, path: &str) -> Self {
        self.entry(path, b'5', 0o755, "", b"")
    }

    pub(crate) fn entry(self, path: &str, kind: u8, mode: u32, link: &str, content: &[u8]) -> Self {
        self.raw(path.as_bytes(), kind, mode, link, content, content.len() as u64)
    }

    /// `size` is what the header claims.
    pub(crate) fn raw(
        mut self,
        path: &[u8],
        kind: u8,
        mode: u32,
        link: &str,
        content: &[u8],
        size: u64,
    ) -> Self {
        let mut block = [0_u8; 512];
        block[..path.len()].copy_from_slice(path);
        block[100..107].copy_from_slice(format!("{mode:07o}").as_bytes());
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        block[156] = kind;
        block[157..157 + link.len()].copy_from_slice(link.as_bytes());
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend(block);
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }

    pub(crate) fn unended(self) -> Vec<u8> {
        self.0
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn config(layers: &[Vec<u8>]) -> Value {
    let diff_ids: Vec<_> = layers.iter().map(|layer| sha256(layer)).collect();
    let history: Vec<_> =
        (1..=layers.len()).map(|step| json!({"created_by": format!("step {step}")})).collect();
    json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history})
}

/// What `docker save` writes: members in its order, the manifest last.
pub(crate) fn docker_archive(layers: &[Vec<u8>]) -> Vec<u8> {
    let config = config(layers).to_string();
    let config_name = format!("{}.json", &sha256(config.as_bytes())[7..]);
    let mut tar = Tar::default();
    let mut names = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let name = format!("{index}/layer.tar");
        tar = tar.file(&name, layer);
        names.push(name);
    }
    let manifest =
        json!([{"Config": config_name, "RepoTags": ["example.org/app:1"], "Layers": names}]);
    tar.file(&config_name, config).file("manifest.json", manifest.to_string()).end()
}

/// An OCI layout under construction, in a directory.
pub(crate) struct Layout<'a>(pub(crate) &'a Path);

impl Layout<'_> {
    pub(crate) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        let folder = self.0.join("blobs/sha256");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(&digest[7..]), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// A manifest of `layers`, each (uncompressed, as stored).
    pub(crate) fn manifest(&self, layers: &[(Vec<u8>, Vec<u8>)], config: &Value) -> Value {
        let config =
            self.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let stored: Vec<_> = layers
            .iter()
            .map(|(_, blob)| self.blob("application/vnd.oci.image.layer.v1.tar", blob))
            .collect();
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": stored});
        self.blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes())
    }

    pub(crate) fn index(&self, manifests: &[Value]) {
        fs::write(self.0.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
        fs::write(
            self.0.join("index.json"),
            json!({"schemaVersion": 2, "manifests": manifests}).to_string(),
        )
        .unwrap();
    }

    /// A layout of one image.
    pub(crate) fn image(&self, layers: &[(Vec<u8>, Vec<u8>)]) {
        let plain: Vec<_> = layers.iter().map(|(plain, _)| plain.clone()).collect();
        let manifest = self.manifest(layers, &config(&plain));
        self.index(&[manifest]);
    }

    /// The stored blob of layer `index` of the one image, by its file.
    pub(crate) fn layer_file(&self, blob: &[u8]) -> std::path::PathBuf {
        self.0.join("blobs/sha256").join(&sha256(blob)[7..])
    }
}

pub(crate) const STATUS: &str = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\n\
    Version: 2.31-13+deb11u3\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n";

/// Debian 11 with one package.
pub(crate) fn debian() -> Tar {
    Tar::default()
        .directory("etc/")
        .file(
            "usr/lib/os-release",
            "ID=debian\nVERSION_ID=\"11\"\nPRETTY_NAME=\"Debian GNU/Linux 11\"\n",
        )
        .link("etc/os-release", "../usr/lib/os-release")
        .file("var/lib/dpkg/status", STATUS)
}

/// An installed Python distribution.
pub(crate) fn python(tar: Tar, name: &str, version: &str) -> Tar {
    let path = format!("usr/local/lib/python3.9/site-packages/{name}-{version}.dist-info/METADATA");
    tar.file(&path, format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\ntext\n"))
}

/// Scans `bytes`, written to a file, without a cache.
pub(crate) fn scan_bytes(bytes: &[u8]) -> Inventory {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    scan(file.path().to_str().unwrap())
}

#[track_caller]
pub(crate) fn scan(reference: &str) -> Inventory {
    scan_image(reference, &ImageOptions::default()).unwrap()
}

/// `name version@layer`, comma-separated.
pub(crate) fn listed(inventory: &Inventory) -> String {
    let shown = inventory.packages.iter().map(|package| match package.layer {
        Some(layer) => format!("{} {}@{layer}", package.name, package.version),
        None => format!("{} {}", package.name, package.version),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// `kind code`, comma-separated.
pub(crate) fn problems(inventory: &Inventory) -> String {
    let shown =
        inventory.problems.iter().map(|problem| format!("{:?} {}", problem.kind, problem.code));
    shown.collect::<Vec<_>>().join(", ")
}

/// The chain of causes of why an image does not open.
pub(crate) fn error(reference: &str) -> String {
    let error = scan_image(reference, &ImageOptions::default()).expect_err("must not open");
    let mut shown = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        shown = format!("{shown}: {cause}");
        source = cause.source();
    }
    shown
}
