//! What a restarted agent needs while its hub is away: the policies it was given last, and its certificate.
use crate::policy_sets::Tried;
use seawall_model::admission::Desired;
use seawall_uplink::Signed;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const FILE: &str = "admission.json";

/// Holds a key: the file is readable by this user alone.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    desired: Option<Desired>,
    /// Policy sets that have been tried in this cluster.
    tried: Tried,
    certificate: Option<Certificate>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Certificate {
    certificate_pem: String,
    key_pem: String,
    ca_pem: String,
}

/// The file and what it holds.
pub(crate) struct Keep {
    path: PathBuf,
    kept: Kept,
}

impl Keep {
    /// A file that cannot be read is as good as none: the hub gives both again.
    pub(crate) fn load(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let read = std::fs::read(&path);
        let kept = read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::from));
        let kept = kept.unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(path = %path.display(), %error, "kept policies not read");
            }
            Kept::default()
        });
        Self { path, kept }
    }

    pub(crate) fn desired(&self) -> Option<Desired> {
        self.kept.desired.clone()
    }

    pub(crate) fn tried(&self) -> Tried {
        self.kept.tried.clone()
    }

    pub(crate) fn certificate(&self) -> Option<Signed> {
        let Certificate { certificate_pem, key_pem, ca_pem } = self.kept.certificate.clone()?;
        Some(Signed { certificate_pem, key_pem, ca_pem })
    }

    pub(crate) fn set_desired(&mut self, desired: &Desired, tried: Tried) {
        if self.kept.desired.as_ref() != Some(desired) || self.kept.tried != tried {
            (self.kept.desired, self.kept.tried) = (Some(desired.clone()), tried);
            self.write();
        }
    }

    pub(crate) fn set_certificate(&mut self, signed: &Signed) {
        let Signed { certificate_pem, key_pem, ca_pem } = signed.clone();
        self.kept.certificate = Some(Certificate { certificate_pem, key_pem, ca_pem });
        self.write();
    }

    fn write(&self) {
        if let Err(error) = self.try_write() {
            tracing::warn!(path = %self.path.display(), %error, "policies not kept for a restart");
        }
    }

    /// By rename: a crash leaves the old file or the new one.
    fn try_write(&self) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(&self.kept)?)?;
        std::fs::rename(&new, &self.path)
    }
}

#[test]
fn what_is_kept_outlives_the_process_and_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mut keep = Keep::load(dir.path());
    assert!(keep.desired().is_none() && keep.certificate().is_none());
    let pem = |name: &str| name.to_owned();
    keep.set_desired(&Desired::default(), Tried::new());
    keep.set_certificate(&Signed {
        certificate_pem: pem("c"),
        key_pem: pem("k"),
        ca_pem: pem("a"),
    });
    let again = Keep::load(dir.path());
    assert_eq!(again.desired(), Some(Desired::default()));
    assert_eq!(again.certificate().unwrap().key_pem, "k");
    let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(dir.path().join(FILE), "{half").unwrap();
    assert!(Keep::load(dir.path()).desired().is_none());
}
