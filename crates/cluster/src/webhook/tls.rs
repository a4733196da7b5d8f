//! Certificate, key and whom to believe on `/audit`.
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{Error, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use seawall_model::Millis;
use seawall_model::time::Clock;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the webhook's certificate chain is no PEM with a certificate in it")]
    Chain,
    #[error("the webhook's key is no PEM with a private key in it")]
    Key,
    #[error("the CA of audit clients is no PEM with a certificate in it")]
    AuditCa,
    #[error("the webhook's certificate and key do not fit together")]
    Mismatch(#[source] Error),
    #[error("cannot verify the API server's audit certificate by this CA")]
    Verifier(#[source] VerifierBuilderError),
    #[error("cannot set up TLS")]
    Setup(#[source] Error),
}

/// By which the API server's certificate on `/audit` is known.
#[derive(Clone, Debug)]
pub struct AuditTrust {
    /// One CA or, while it rotates, two.
    pub ca_pem: String,
    /// The common name it must carry: agents hold certificates of the same CA, with the same usage.
    pub client_name: String,
}

/// All that one certificate needs, set up and ready to be served.
#[derive(Clone)]
pub struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) audit_name: Option<String>,
    pub(super) clock: Arc<dyn Clock>,
    expires: Millis,
}

/// A verified client of `/audit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AuditPeer {
    /// A connection outlives a handshake, and must not outlive the certificate.
    pub(super) expires: Millis,
}

impl Tls {
    /// From PEM, leaf first. Without `audit` nobody may use `/audit`.
    pub fn new(
        chain_pem: &str,
        key_pem: &str,
        audit: Option<&AuditTrust>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let chain = certificates(chain_pem).ok_or(TlsError::Chain)?;
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| TlsError::Key)?;
        let (_, expires) = subject(&chain[0]).ok_or(TlsError::Chain)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let time = Arc::new(ServerTime(clock.clone()));
        let builder = ServerConfig::builder_with_details(provider.clone(), time)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        let builder = match audit {
            // Optional, as one port serves both paths: for `/admit` the API server has no certificate.
            Some(audit) => {
                let roots = roots(&audit.ca_pem)?;
                builder.with_client_cert_verifier(verifier(roots, provider)?)
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Mismatch)?;
        // API servers call admission webhooks by HTTP/1.1, which a Service balances, and audit webhooks by HTTP/2.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let audit_name = audit.map(|audit| audit.client_name.clone());
        Ok(Self { config: Arc::new(config), audit_name, clock, expires })
    }

    /// When the served certificate ends, epoch milliseconds.
    pub fn expires(&self) -> Millis {
        self.expires
    }

    /// Whether the certificate that TLS has verified is the API server's for `/audit`.
    pub(super) fn audit_peer(&self, certificate: &CertificateDer<'_>) -> Option<AuditPeer> {
        let (name, expires) = subject(certificate)?;
        (Some(&name) == self.audit_name.as_ref()).then_some(AuditPeer { expires })
    }
}

fn roots(ca_pem: &str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for ca in certificates(ca_pem).ok_or(TlsError::AuditCa)? {
        roots.add(ca).map_err(|_| TlsError::AuditCa)?;
    }
    Ok(roots)
}

/// Of certificates with the client usage; none at all is let in too.
fn verifier(
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsError> {
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .allow_unauthenticated()
        .build()
        .map_err(TlsError::Verifier)
}

/// At least one certificate.
fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let all = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

/// Common name, empty where there is none, and end of validity in epoch milliseconds.
fn subject(certificate: &CertificateDer<'_>) -> Option<(String, Millis)> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let name = certificate.subject().iter_common_name().next();
    let name = name.and_then(|name| name.as_str().ok()).unwrap_or_default().to_owned();
    Some((name, certificate.validity().not_after.timestamp() * 1000))
}

/// The agent's clock, as rustls asks it.
struct ServerTime(Arc<dyn Clock>);

impl fmt::Debug for ServerTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerTime")
    }
}

impl TimeProvider for ServerTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = self.0.now().try_into().ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}
