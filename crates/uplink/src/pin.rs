//! Trust in the hub: first by the hash of its CA, which the enrolment token carries, then by the CA itself.
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What the hub's chain must lead to.
#[derive(Debug)]
pub(crate) enum Anchor {
    /// The certificate with this SHA-256, sent in the chain; a self-signed server certificate is its own CA.
    Sha256([u8; 32]),
    /// The CAs that enrolment returned.
    Roots(Arc<RootCertStore>),
}

/// Accepts a server chain that leads to the anchor. Names are not compared: agents know their hub by any address,
/// and only the hub holds a certificate of its CA with the server usage; agents' have the client usage alone.
#[derive(Debug)]
pub(crate) struct HubVerifier {
    anchor: Anchor,
    provider: Arc<CryptoProvider>,
}

impl HubVerifier {
    pub(crate) fn new(anchor: Anchor, provider: Arc<CryptoProvider>) -> Self {
        Self { anchor, provider }
    }

    /// The roots to verify against; none if the end entity itself is pinned.
    fn roots(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Result<Option<Arc<RootCertStore>>, Error> {
        let pin = match &self.anchor {
            Anchor::Roots(roots) => return Ok(Some(roots.clone())),
            Anchor::Sha256(pin) => pin,
        };
        let is_pinned = |certificate: &CertificateDer<'_>| {
            <[u8; 32]>::from(Sha256::digest(certificate)) == *pin
        };
        if is_pinned(end_entity) {
            return Ok(None);
        }
        let ca = intermediates.iter().find(|certificate| is_pinned(certificate));
        let ca = ca.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(ca.clone().into_owned())?;
        Ok(Some(Arc::new(roots)))
    }
}

impl ServerCertVerifier for HubVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(roots) = self.roots(end_entity, intermediates)? else {
            return Ok(ServerCertVerified::assertion());
        };
        let webpki = WebPkiServerVerifier::builder_with_provider(roots, self.provider.clone())
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        // The name is the last thing webpki looks at: chain, dates and usage have held when it complains of it.
        match webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
