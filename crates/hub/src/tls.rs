//! TLS of the two ports: a browser's, and the agents' with client certificates.
use crate::ca::{AgentCertificate, Authority, Credentials};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use seawall_model::Millis;
use seawall_model::time::Clock;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// An expired certificate may renew for this long; later the agent enrols again. Source: platform.md, "Enrolment".
const RENEWAL_GRACE: Millis = 30 * 24 * 60 * 60 * 1000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error(
        "cannot read {path}: give a readable PEM file, or leave --tls-cert and --tls-key away to use the hub's own CA"
    )]
    Read { path: PathBuf, source: rustls_pki_types::pem::Error },
    #[error("{path} holds no certificate: give the chain as PEM, the server's certificate first")]
    NoCertificate { path: PathBuf },
    #[error(
        "certificate and key do not fit together: --tls-key must be the key of the first certificate in --tls-cert"
    )]
    Mismatch(#[source] Error),
    #[error("cannot set up TLS")]
    Setup(#[source] Error),
}

/// Certificate chain and key from the files that `--tls-cert` and `--tls-key` name.
pub(crate) fn read_credentials(certificate: &Path, key: &Path) -> Result<Credentials, TlsError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Read { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .map_err(failed(certificate))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed(certificate))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: certificate.to_owned() });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(failed(key))?;
    Ok(Credentials { chain, key })
}

/// TLS 1.2 and 1.3 for browsers, HTTP/2 and HTTP/1.1.
pub(crate) fn browser_config(
    credentials: Credentials,
    clock: Arc<dyn Clock>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(HubTime(clock)))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_no_client_auth()
        .with_single_cert(credentials.chain, credentials.key)
        .map_err(TlsError::Mismatch)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// TLS 1.3 for agents: HTTP/2 and a certificate of `authority` are required.
pub(crate) fn agent_config(
    authority: &Authority,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
) -> Result<ServerConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).map_err(TlsError::Setup)?;
    let inner = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| TlsError::Setup(Error::General(error.to_string())))?;
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(HubTime(clock)))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Setup)?
        .with_client_cert_verifier(Arc::new(AgentVerifier(inner)))
        .with_single_cert(credentials.chain, credentials.key)
        .map_err(TlsError::Mismatch)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The hub's clock, as rustls asks it.
struct HubTime(Arc<dyn Clock>);

impl fmt::Debug for HubTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HubTime")
    }
}

impl TimeProvider for HubTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = self.0.now().try_into().ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}

/// Accepts certificates of the hub's CA, also those that expired within [`RENEWAL_GRACE`]: the service behind lets
/// such an agent renew and nothing else.
#[derive(Debug)]
struct AgentVerifier(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for AgentVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let outcome = self.0.verify_client_cert(end_entity, intermediates, now);
        let expired = matches!(
            outcome,
            Err(Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. }
            ))
        );
        if !expired {
            return outcome;
        }
        let Some(certificate) = AgentCertificate::read(end_entity) else { return outcome };
        let now_millis = Millis::try_from(now.as_secs()).unwrap_or(Millis::MAX / 1000) * 1000;
        if now_millis - certificate.expires > RENEWAL_GRACE {
            return outcome;
        }
        let last_second = u64::try_from(certificate.expires / 1000).unwrap_or_default();
        let then = UnixTime::since_unix_epoch(Duration::from_secs(last_second));
        self.0.verify_client_cert(end_entity, intermediates, then)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
