//! `seawall scan image|fs|sbom|manifests|cluster`: packages with their vulnerabilities, objects with their flaws.
mod age;
mod excuses;
mod forms;
mod judge;

use self::judge::Judge;
use crate::command::image_source::{self, ImageSource};
use crate::command::{cluster, manifests, target};
use crate::exit::{Failure, Outcome};
use seawall_scan::{BaseImage, TreeKind, mark_base};
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Scan an image: REGISTRY/NAME:TAG, docker-archive:FILE, oci-archive:FILE, oci-layout:DIR, containerd:IMAGE, a
    /// path, or - for stdin
    Image {
        reference: String,
        #[command(flatten)]
        source: ImageSource,
        /// Read every layer, also those read before
        #[arg(long)]
        no_cache: bool,
        /// The image it is built on (repeatable): layers of the longest that fits are marked
        #[arg(long, value_name = "REF")]
        base_image: Vec<String>,
        #[command(flatten)]
        judge: Box<Judge>,
    },
    /// Scan a root file system for what is installed, or a source tree for what its lock files fix
    Fs {
        dir: PathBuf,
        /// What the directory is; auto: a root file system if it has an os-release
        #[arg(long = "as", value_name = "auto|source|rootfs", default_value = "auto")]
        kind: TreeKind,
        #[command(flatten)]
        judge: Box<Judge>,
    },
    /// Scan a bill of materials: CycloneDX JSON, SPDX JSON or tag-value, our JSON, or - for stdin
    Sbom {
        file: PathBuf,
        #[command(flatten)]
        judge: Box<Judge>,
    },
    /// Judge Kubernetes manifests: files, directories, or - for stdin
    Manifests(Box<manifests::Args>),
    /// Judge a cluster, or a dump of one
    Cluster(Box<cluster::Args>),
}

impl Verb {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Image { reference, source, no_cache, base_image, judge } => {
                for reference in base_image.iter().chain([&reference]).filter(|_| judge.offline) {
                    image_source::refuse_socket(reference)?;
                }
                let mut prepared = judge.prepare(&beside_image(&reference))?;
                let options = target::image_options(source, no_cache)?;
                let bases = base_image.into_iter().map(|reference| {
                    let diff_ids = seawall_scan::diff_ids(&reference, &options.open);
                    diff_ids.map(|diff_ids| BaseImage { reference, diff_ids })
                });
                let bases: Vec<BaseImage> =
                    bases.collect::<Result<_, _>>().map_err(Failure::could_not_run)?;
                let mut inventory = seawall_scan::scan_image(&reference, &options)
                    .map_err(Failure::could_not_run)?;
                mark_base(&mut inventory, &bases);
                prepared.attach(&reference, &inventory.target, &options.open.registry)?;
                judge.finish(inventory, prepared)
            }
            Self::Fs { dir, kind, judge } => {
                let prepared = judge.prepare(std::slice::from_ref(&dir))?;
                prepared.refuse_attached()?;
                let inventory = target::directory(&dir, kind)?;
                judge.finish(inventory, prepared)
            }
            Self::Sbom { file, judge } => {
                let prepared = judge.prepare(std::slice::from_ref(&file))?;
                prepared.refuse_attached()?;
                let inventory = target::read_sbom(&file)?;
                judge.finish(inventory, prepared)
            }
            Self::Manifests(args) => args.run(),
            Self::Cluster(args) => args.run(),
        }
    }
}

/// The path in a reference to a file or folder, beside which an ignore file may lie.
fn beside_image(reference: &str) -> Vec<PathBuf> {
    let schemes = ["docker-archive:", "oci-archive:", "oci-layout:"];
    let path = schemes.iter().find_map(|scheme| reference.strip_prefix(scheme));
    let path = Path::new(path.unwrap_or(reference));
    if path.exists() { vec![path.to_owned()] } else { Vec::new() }
}
