//! The agent's key and certificate, kept in a folder that only it can read.
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use seawall_model::Millis;
use std::io;
use std::path::{Path, PathBuf};

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
#[derive(Clone)]
pub struct Identity {
    pub agent_id: String,
    /// `host:port` of the hub's agent listener.
    pub hub: String,
    /// PKCS#8 PEM.
    pub key_pem: String,
    pub certificate_pem: String,
    /// One or, while the CA rotates, two certificates.
    pub ca_pem: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Named {
    agent_id: String,
    hub: String,
}

const NAME_FILE: &str = "agent.json";
const KEY_FILE: &str = "agent.key";
const CERTIFICATE_FILE: &str = "agent.crt";
const CA_FILE: &str = "ca.crt";

impl Identity {
    /// The identity in `dir`; none where the agent never enrolled.
    pub fn load(dir: &Path) -> Result<Option<Self>, IdentityError> {
        let name_path = dir.join(NAME_FILE);
        let text = match std::fs::read_to_string(&name_path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(IdentityError::Read { path: name_path, source }),
        };
        let named: Named = serde_json::from_str(&text)
            .map_err(|_| IdentityError::Parse { path: name_path, what: "agent name" })?;
        let read = |name| {
            let path = dir.join(name);
            std::fs::read_to_string(&path).map_err(|source| IdentityError::Read { path, source })
        };
        Ok(Some(Self {
            agent_id: named.agent_id,
            hub: named.hub,
            key_pem: read(KEY_FILE)?,
            certificate_pem: read(CERTIFICATE_FILE)?,
            ca_pem: read(CA_FILE)?,
        }))
    }

    /// Writes every file by rename, the name last: its presence means that the rest is whole.
    pub fn save(&self, dir: &Path) -> Result<(), IdentityError> {
        std::fs::create_dir_all(dir)
            .map_err(|source| IdentityError::Write { path: dir.to_owned(), source })?;
        let named = Named { agent_id: self.agent_id.clone(), hub: self.hub.clone() };
        let named = serde_json::to_string(&named).expect("two strings serialise");
        let files = [
            (KEY_FILE, &self.key_pem),
            (CERTIFICATE_FILE, &self.certificate_pem),
            (CA_FILE, &self.ca_pem),
            (NAME_FILE, &named),
        ];
        for (name, text) in files {
            let path = dir.join(name);
            write_private(&path, text).map_err(|source| IdentityError::Write { path, source })?;
        }
        Ok(())
    }

    /// Certificates, key and CA in the forms rustls takes.
    pub(crate) fn parts(&self) -> Result<Parts, IdentityError> {
        let parse = |what| IdentityError::Parse { path: PathBuf::from(KEY_FILE), what };
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
    std::fs::rename(temporary, path)
}
