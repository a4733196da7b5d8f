//! The agent's key and certificate, kept in a folder that only it can read.
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use seawall_model::Millis;
use std::io;
use std::path::{Path, PathBuf};

mod files;

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} holds no usable {what}")]
    Parse { path: PathBuf, what: &'static str },
    #[error("cannot make a key or a certificate request")]
    Generate(#[from] rcgen::Error),
}

/// What proves who the agent is. The key is made here and never leaves the folder.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    pub agent_id: String,
    /// `host:port` of the hub's agent listener.
    pub hub: String,
    /// PKCS#8 PEM.
    pub key_pem: String,
    pub certificate_pem: String,
    /// One or, while the CA rotates, two certificates.
    pub ca_pem: String,
    /// The cluster by the hub's word, where the agent has no right to ask the API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<KnownCluster>,
    /// Fingerprints of the hub's CA as it was named to whoever joined: by others it is another hub.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined_by: Vec<String>,
}

/// A cluster that the hub knows.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KnownCluster {
    /// UID of its `kube-system` namespace.
    pub uid: String,
    /// As the hub's pages call it.
    pub name: String,
}

/// All of it in one file: key and certificate only fit together, so one rename has to change both.
const FILE: &str = "identity.json";

impl Identity {
    /// The identity in `dir`; none where the agent never enrolled.
    pub fn load(dir: &Path) -> Result<Option<Self>, IdentityError> {
        let path = dir.join(FILE);
        let Some(text) = read(&path)? else { return files::load(dir) };
        let identity = serde_json::from_str(&text);
        identity.map(Some).map_err(|_| IdentityError::Parse { path, what: "identity" })
    }

    /// Replaces the identity in `dir`: after a crash the old one or the new one is there, whole.
    pub fn save(&self, dir: &Path) -> Result<(), IdentityError> {
        std::fs::create_dir_all(dir)
            .map_err(|source| IdentityError::Write { path: dir.to_owned(), source })?;
        let path = dir.join(FILE);
        let text = serde_json::to_string(self).expect("strings serialise");
        write_private(&path, &text).map_err(|source| IdentityError::Write { path, source })?;
        files::remove(dir)
    }

    /// Removes the identity and what is in the spool: another hub's is not told to the next.
    pub fn forget(dir: &Path) -> Result<(), IdentityError> {
        for (path, removed) in [
            (dir.join("spool"), std::fs::remove_dir_all as fn(PathBuf) -> io::Result<()>),
            (dir.join(FILE), std::fs::remove_file),
        ] {
            match removed(path.clone()) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(IdentityError::Write { path, source });
                }
                _ => {}
            }
        }
        files::remove(dir)
    }

    /// Certificates, key and CA in the forms rustls takes.
    pub(crate) fn parts(&self) -> Result<Parts, IdentityError> {
        let parse = |what| IdentityError::Parse { path: PathBuf::from(FILE), what };
        let list = |pem: &str| {
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>()
        };
        Ok(Parts {
            chain: list(&self.certificate_pem).map_err(|_| parse("certificate"))?,
            ca: list(&self.ca_pem).map_err(|_| parse("CA certificate"))?,
            key: PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())
                .map_err(|_| parse("private key"))?,
        })
    }

    /// Epoch milliseconds (from, to) between which the certificate is valid.
    pub fn validity(&self) -> Option<(Millis, Millis)> {
        let der = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).ok()?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).ok()?;
        let validity = certificate.validity();
        Some((validity.not_before.timestamp() * 1000, validity.not_after.timestamp() * 1000))
    }
}

pub(crate) struct Parts {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) ca: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// A new key and a certificate request for it: (key PEM, request DER, request PEM).
pub(crate) fn key_and_request(name: &str) -> Result<(String, Vec<u8>, String), IdentityError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let request = params.serialize_request(&key)?;
    Ok((key.serialize_pem(), request.der().to_vec(), request.pem()?))
}

/// PEM text of one DER certificate. Source: RFC 7468, section 5.1.
pub(crate) fn certificate_pem(der: &[u8]) -> String {
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn read(path: &Path) -> Result<Option<String>, IdentityError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IdentityError::Read { path: path.to_owned(), source }),
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let temporary = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(temporary, path)?;
    // The rename itself outlives a power loss only once the folder is on disk.
    match path.parent() {
        Some(dir) => std::fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(generation: &str) -> Identity {
        let text = |part: &str| format!("{part} {generation}");
        Identity {
            agent_id: "0192d3a0".to_owned(),
            hub: "hub:8444".to_owned(),
            key_pem: text("key"),
            certificate_pem: text("certificate"),
            ca_pem: text("ca"),
            cluster: None,
            joined_by: Vec::new(),
        }
    }

    #[test]
    fn a_crash_while_saving_leaves_the_old_identity_whole() {
        let dir = tempfile::tempdir().unwrap();
        let load = || Identity::load(dir.path()).unwrap();
        assert!(load().is_none());
        identity("old").save(dir.path()).unwrap();
        // Before its rename the new one does not count, torn or whole.
        let new = serde_json::to_string(&identity("new")).unwrap();
        for length in 0..=new.len() {
            std::fs::write(dir.path().join("identity.new"), &new[..length]).unwrap();
            assert!(load() == Some(identity("old")), "after {length} bytes");
        }
        identity("new").save(dir.path()).unwrap();
        assert!(load() == Some(identity("new")));
        let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["identity.json"], "one rename changes everything");
    }

    #[test]
    fn an_identity_in_files_of_its_own_is_read_and_then_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let old = identity("old");
        let files = [
            ("agent.key", old.key_pem.as_str()),
            ("agent.crt", &old.certificate_pem),
            ("ca.crt", &old.ca_pem),
            ("agent.json", r#"{"agent_id":"0192d3a0","hub":"hub:8444"}"#),
        ];
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        assert!(Identity::load(dir.path()).unwrap() == Some(old.clone()));
        identity("new").save(dir.path()).unwrap();
        assert!(Identity::load(dir.path()).unwrap() == Some(identity("new")));
        for (name, _) in files {
            assert!(!dir.path().join(name).exists(), "{name}: an old key must not lie about");
        }
    }
}
