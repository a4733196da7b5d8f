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

/// Common names of a hub's own CA and of the certificate that it makes for itself.
const HUB_CA: &str = "Seawall hub CA";
const HUB: &str = "Seawall hub";

/// Accepts a server chain that leads to the anchor. Under the hub's own CA DNS names are not compared: agents know their
/// hub by any address, and only the hub holds a certificate of that name. Any other CA, of `--tls-cert`, certifies others
/// too, so the name that was dialled must be the certificate's.
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
        let holder = holder(end_entity);
        if holder == Holder::Other {
            return Err(Error::InvalidCertificate(CertificateError::NotValidForName));
        }
        let webpki = WebPkiServerVerifier::builder_with_provider(roots, self.provider.clone())
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        // The name is the last thing webpki looks at: chain, dates and usage have held when it complains of it.
        match webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if holder == Holder::Hub => Ok(ServerCertVerified::assertion()),
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

/// Whose certificate it is, as far as its CA's name tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// The hub, by its own CA.
    Hub,
    /// Somebody else, by the hub's own CA.
    Other,
    /// Whoever has that name, by another CA.
    Named,
}

fn holder(end_entity: &CertificateDer<'_>) -> Holder {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(end_entity) else {
        return Holder::Other;
    };
    let is = |name: &x509_parser::x509::X509Name<'_>, expected: &str| {
        name.iter_common_name().any(|name| name.as_str() == Ok(expected))
    };
    match (is(certificate.issuer(), HUB_CA), is(certificate.subject(), HUB)) {
        (true, true) => Holder::Hub,
        (true, false) => Holder::Other,
        (false, _) => Holder::Named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    };

    /// Whether an agent that trusts the CA `ca` takes the holder of its server certificate `name` for the hub.
    #[track_caller]
    fn check(ca: &str, name: &str, dialled: &str, expected: bool) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, ca);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(params, key);
        let mut params = CertificateParams::new(vec!["a.b.svc".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let dialled = ServerName::try_from(dialled).unwrap();
        for anchor in [Anchor::Roots(Arc::new(roots)), Anchor::Sha256(Sha256::digest(&root).into())]
        {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let verifier = HubVerifier::new(anchor, provider);
            let now = UnixTime::now();
            let sent = std::slice::from_ref(&root);
            let verified = verifier.verify_server_cert(leaf.der(), sent, &dialled, &[], now);
            assert_eq!(verified.is_ok(), expected, "{ca}, {name}: {verified:?}");
        }
    }

    #[test]
    fn only_the_hub_is_taken_for_the_hub() {
        for dialled in ["a.b.svc", "hub.example"] {
            check("Seawall hub CA", "Seawall hub", dialled, true);
            check("Seawall hub CA", "Seawall webhook", dialled, false);
        }
        check("Corporate CA", "whatever", "a.b.svc", true);
        check("Corporate CA", "Seawall hub", "hub.example", false);
    }
}
