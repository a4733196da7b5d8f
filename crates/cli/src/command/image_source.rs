//! Where images are read from, and how far that place is trusted.
use crate::exit::Failure;
use anyhow::Context;
use seawall_scan::{Containerd, OpenOptions, Platform, registry};
use std::path::PathBuf;

#[derive(Clone, clap::Args)]
pub(crate) struct ImageSource {
    /// Which image of several, such as linux/amd64
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    /// containerd's socket and namespace
    #[arg(long, value_name = "ADDRESS[,NAMESPACE]")]
    containerd: Option<String>,
    /// Registries whose certificate is not checked, and that may speak plain http
    #[arg(long, value_delimiter = ',', value_name = "HOST[:PORT]")]
    insecure_registry: Vec<String>,
    /// Certificates in PEM of CAs that registries are trusted by, beside the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl ImageSource {
    pub(crate) fn options(self) -> Result<OpenOptions, Failure> {
        let ca = self.ca.map(|path| {
            let read = std::fs::read_to_string(&path);
            read.with_context(|| format!("cannot read the CA {}", path.display()))
        });
        let containerd =
            self.containerd.as_deref().map_or_else(Containerd::default, Containerd::parse);
        let registry = registry::Options {
            ca: ca.transpose().map_err(Failure::usage)?,
            insecure: self.insecure_registry,
            ..registry::Options::default()
        };
        Ok(OpenOptions { platform: self.platform, containerd, registry })
    }
}

/// What `--offline` means for an image.
pub(crate) fn refuse_socket(reference: &str) -> Result<(), Failure> {
    match seawall_scan::opens_socket(reference) {
        Some(what) => {
            let message = format!("`--offline` opens no socket, and {what} is behind one");
            Err(Failure::usage(anyhow::anyhow!(message)).with_help("name an archive or a layout"))
        }
        None => Ok(()),
    }
}
