//! `seawall scan image|fs|manifests|cluster`: packages with their vulnerabilities, objects with their flaws.
use crate::command::image_source::{self, ImageSource};
use crate::command::{cluster, db, manifests};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use crate::sink::{self, Sink};
use seawall_model::Severity;
use seawall_model::package::Inventory;
use seawall_scan::{Display, FactsCache, FailOn, ImageOptions, Report, RootfsOptions, TreeKind};
use seawall_vuln::IndexSet;
use std::path::PathBuf;

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
        #[command(flatten)]
        judge: Judge,
    },
    /// Scan a root file system for what is installed, or a source tree for what its lock files fix
    Fs {
        dir: PathBuf,
        /// What the directory is; auto: a root file system if it has an os-release
        #[arg(long = "as", value_name = "auto|source|rootfs", default_value = "auto")]
        kind: TreeKind,
        #[command(flatten)]
        judge: Judge,
    },
    /// Judge Kubernetes manifests: files, directories, or - for stdin
    Manifests(Box<manifests::Args>),
    /// Judge a cluster, or a dump of one
    Cluster(Box<cluster::Args>),
}

#[derive(clap::Args)]
pub(crate) struct Judge {
    /// Index directory [default: $SEAWALL_DB, else below the user's cache]
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// table or json, to stdout or a file (repeatable)
    #[arg(long, value_name = "F[=FILE]", default_value = "table")]
    format: Vec<Sink>,
    /// Show only these severities, such as critical,high
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    severity: Vec<Severity>,
    /// Exit 1 on a finding at or over a severity (`unknown`: on any), known exploited, or likely exploited, for which
    /// the index must hold EPSS scores
    #[arg(long, value_name = "LEVEL[,kev][,epss=0.5]")]
    fail_on: Option<FailOn>,
    /// Leave out findings that no available fix removes; they decide nothing then
    #[arg(long)]
    ignore_unfixed: bool,
    /// Open no socket
    #[arg(long)]
    offline: bool,
    /// Exit 0 although something could not be read
    #[arg(long)]
    allow_incomplete: bool,
}

impl Verb {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Image { reference, source, no_cache, judge } => {
                let cache = output::cache_dir().filter(|_| !no_cache);
                let facts = cache.map(|cache| FactsCache::new(&cache.join("layers")));
                if judge.offline {
                    image_source::refuse_socket(&reference)?;
                }
                let options = ImageOptions { open: source.options()?, facts };
                let index = judge.open()?;
                let inventory = seawall_scan::scan_image(&reference, &options)
                    .map_err(Failure::could_not_run)?;
                judge.finish(inventory, &index)
            }
            Self::Fs { dir, kind, judge } => {
                let index = judge.open()?;
                let scanned = if kind.is_source(&dir) {
                    seawall_scan::scan_source(&dir)
                } else {
                    seawall_scan::scan_rootfs(&dir, &RootfsOptions::default())
                };
                let inventory = scanned.map_err(Failure::could_not_run)?;
                judge.finish(inventory, &index)
            }
            Self::Manifests(args) => args.run(),
            Self::Cluster(args) => args.run(),
        }
    }
}

impl Judge {
    /// Before the scan: a missing or damaged index shall not be told after minutes of reading.
    fn open(&self) -> Result<IndexSet, Failure> {
        sink::check(&self.format)?;
        let directory = db::directory(self.db.clone())?;
        seawall_feeds::open(&directory).map_err(Failure::could_not_run)
    }

    fn finish(self, inventory: Inventory, index: &IndexSet) -> Outcome {
        let mut report = Report::new(inventory, index);
        if let Some(fail_on) = &self.fail_on {
            report.add(fail_on.gaps(&report.index));
        }
        if self.ignore_unfixed {
            report.ignore_unfixed();
        }
        let display = Display { severities: self.severity };
        sink::write(&self.format, |format| match format {
            Format::Table => Ok(seawall_scan::render_table(&report, &display)),
            Format::Json => Ok(seawall_scan::render_json(&report, &display)?),
        })?;
        output::print_problems(&report.problems, sink::of_problems(&self.format));
        match seawall_scan::exit_code(&report, self.fail_on.as_ref(), self.allow_incomplete) {
            0 => Ok(Exit::Pass),
            1 => Ok(Exit::Findings),
            4 => Ok(Exit::Incomplete),
            _ => Err(Failure::could_not_run(anyhow::anyhow!("a layer was refused; see above"))),
        }
    }
}
