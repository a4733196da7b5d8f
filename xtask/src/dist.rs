//! The release artifacts, in one folder with their checksums. The same sources and binary make the same bytes.
use crate::archive::{self, Entry};
use crate::image::{self, About};
use crate::options::{self, Options, VERSION};
use crate::{binary, chart, deb, sbom};
use anyhow::{Context, Result};
use std::path::Path;

/// Answers with the checksums, one line per artifact.
pub(crate) fn run(root: &Path, options: &Options) -> Result<String> {
    let binary = binary::load(root, options.binary.as_deref())?;
    let (time, architecture) = (options::epoch()?, binary::architecture());
    let read =
        |path: &str| std::fs::read(root.join(path)).with_context(|| format!("cannot read {path}"));
    let folder = format!("seawall-{VERSION}");
    let tree = vec![
        Entry::file(format!("{folder}/seawall"), 0o755, binary.bytes.clone()),
        Entry::file(format!("{folder}/LICENSE"), 0o644, read("LICENSE")?),
        Entry::file(format!("{folder}/README.md"), 0o644, read("README.md")?),
        Entry::file(format!("{folder}/CHANGELOG.md"), 0o644, read("CHANGELOG.md")?),
    ];
    let about = About { name: options.image_name(), time, architecture };
    let (image, digest) = image::archive(&binary, &about)?;
    let artifacts = [
        (
            format!("{folder}-linux-{architecture}.tar.gz"),
            archive::gzip(&archive::tar(&archive::with_folders(tree), time)?)?,
        ),
        (
            format!("seawall_{VERSION}_{architecture}.deb"),
            deb::pack(root, &binary, architecture, time)?,
        ),
        (format!("{folder}-image-{architecture}.tar"), image),
        (format!("{folder}.tgz"), chart::pack(root, time)?),
        (format!("{folder}.cdx.json"), sbom::make(root, &binary::target())?),
        // What to pin as `image.digest`.
        (format!("{folder}-image-{architecture}.digest"), format!("{digest}\n").into_bytes()),
    ];
    let out = options.out.clone().unwrap_or_else(|| root.join("dist"));
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut sums = String::new();
    for (name, bytes) in artifacts {
        sums += &format!("{}  {name}\n", image::digest(&bytes).trim_start_matches("sha256:"));
        write(&out.join(name), &bytes)?;
    }
    write(&out.join("SHA256SUMS"), sums.as_bytes())?;
    Ok(sums)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
