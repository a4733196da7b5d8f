//! The hub's own certificate authority: it signs its server certificate and the certificates of agents.
//!
//! Agents' certificates carry the agent id as common name and the client usage alone, the hub's the server usage
//! alone: neither can stand in for the other. What clusters need beside that is signed by another authority.
mod cluster;

pub(crate) use cluster::ClusterAuthority;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};
use seawall_model::{Id, Millis};
use sha2::{Digest, Sha256};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// An agent's certificate. Short, because revocation rests on the hub's own list, not on the network's.
pub(crate) const AGENT_CERTIFICATE_LIFE: Duration = DAY.saturating_mul(7);
/// The hub's own server certificate; browsers refuse longer ones than 398 days.
const SERVER_CERTIFICATE_LIFE: Duration = DAY.saturating_mul(397);
const CA_LIFE: Duration = DAY.saturating_mul(3650);
/// Agents look for both in the certificate of whom they call (`uplink/src/pin.rs`).
const HUB_CA: &str = "Seawall hub CA";
const HUB: &str = "Seawall hub";
/// Certificates begin earlier than now, for agents whose clock is behind.
const CLOCK_SLACK: Duration = Duration::from_secs(60 * 60);

/// Key and certificate of the authority, as stored: PEM.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct AuthorityPem {
    pub(crate) key: String,
    pub(crate) certificate: String,
}

/// A certificate chain, leaf first, with its key.
pub(crate) struct Credentials {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum CaError {
    #[error("cannot make the certificate authority")]
    Create(#[source] rcgen::Error),
    #[error("the stored certificate authority cannot be read")]
    Load(#[source] rcgen::Error),
    #[error("cannot sign the server certificate")]
    SignServer(#[source] rcgen::Error),
    /// What the agent sent is no certificate request, or its signature does not fit its key.
    #[error("the certificate request cannot be used")]
    Request(#[source] rcgen::Error),
    #[error("cannot sign the agent's certificate")]
    SignAgent(#[source] rcgen::Error),
    #[error("cannot sign the webhook's certificate")]
    SignWebhook(#[source] rcgen::Error),
}

pub(crate) struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority; the key is P-256.
    pub(crate) fn create(now: Millis) -> Result<AuthorityPem, CaError> {
        Self::create_named(HUB_CA, now)
    }

    fn create_named(name: &str, now: Millis) -> Result<AuthorityPem, CaError> {
        let key = KeyPair::generate().map_err(CaError::Create)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        set_validity(&mut params, now, CA_LIFE);
        let certificate = params.self_signed(&key).map_err(CaError::Create)?;
        Ok(AuthorityPem { key: key.serialize_pem(), certificate: certificate.pem() })
    }

    pub(crate) fn load(pem: &AuthorityPem) -> Result<Self, CaError> {
        let key = KeyPair::from_pem(&pem.key).map_err(CaError::Load)?;
        let certificate = CertificateDer::from_pem_slice(pem.certificate.as_bytes())
            .map_err(|_| CaError::Load(rcgen::Error::CouldNotParseCertificate))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(CaError::Load)?;
        Ok(Self { certificate, issuer })
    }

    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A fresh key and certificate for `names`, DNS names or IP addresses.
    pub(crate) fn server(&self, names: Vec<String>, now: Millis) -> Result<Credentials, CaError> {
        let key = KeyPair::generate().map_err(CaError::SignServer)?;
        let mut params = CertificateParams::new(names).map_err(CaError::SignServer)?;
        params.distinguished_name.push(DnType::CommonName, HUB);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, SERVER_CERTIFICATE_LIFE);
        let certificate = params.signed_by(&key, &self.issuer).map_err(CaError::SignServer)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Ok(Credentials { chain: vec![certificate.der().clone(), self.certificate.clone()], key })
    }

    /// Signs an agent's key. Everything but the key is ours: names and usages that the request asks for are not
    /// looked at. `request` is PEM or DER.
    pub(crate) fn agent(
        &self,
        request: &CertificateRequest,
        agent: Id,
        now: Millis,
    ) -> Result<CertificateDer<'static>, CaError> {
        self.client(request, &agent.to_string(), AGENT_CERTIFICATE_LIFE, now)
    }

    fn client(
        &self,
        request: &CertificateRequest,
        name: &str,
        life: Duration,
        now: Millis,
    ) -> Result<CertificateDer<'static>, CaError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, life);
        let public_key = &request.0.public_key;
        let certificate = params.signed_by(public_key, &self.issuer).map_err(CaError::SignAgent)?;
        Ok(certificate.der().clone())
    }
}

/// A certificate request whose signature proves that the sender holds the key.
pub(crate) struct CertificateRequest(CertificateSigningRequestParams);

impl CertificateRequest {
    pub(crate) fn from_pem(pem: &str) -> Result<Self, CaError> {
        CertificateSigningRequestParams::from_pem(pem).map(Self).map_err(CaError::Request)
    }

    pub(crate) fn from_der(der: &[u8]) -> Result<Self, CaError> {
        let der = CertificateSigningRequestDer::from(der);
        CertificateSigningRequestParams::from_der(&der).map(Self).map_err(CaError::Request)
    }
}

/// Lower-case hex SHA-256 of the certificate: what enrolment tokens carry and `up` prints.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex::encode(Sha256::digest(certificate))
}

/// PEM text of one certificate.
pub(crate) fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}

/// What an agent's certificate says: whose it is and until when, epoch milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AgentCertificate {
    pub(crate) agent: Id,
    pub(crate) expires: Millis,
}

impl AgentCertificate {
    /// `None` for a certificate without an agent id as common name. The signature is checked by TLS.
    pub(crate) fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
        let expires = certificate.validity().not_after.timestamp() * 1000;
        Some(Self { agent: name.parse().ok()?, expires })
    }
}

fn set_validity(params: &mut CertificateParams, now: Millis, life: Duration) {
    let now = Duration::from_millis(now.try_into().unwrap_or_default());
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(CLOCK_SLACK);
    params.not_after = epoch + now + life;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::{Entropy, SystemEntropy};

    const NOW: Millis = 1_795_000_000_000;

    fn authority() -> Authority {
        Authority::load(&Authority::create(NOW).unwrap()).unwrap()
    }

    #[test]
    fn an_agent_gets_its_id_and_seven_days_whatever_it_asks_for() {
        let agent = (&SystemEntropy as &dyn Entropy).id(NOW);
        let key = KeyPair::generate().unwrap();
        let mut asked = CertificateParams::new(vec!["hub.example".to_owned()]).unwrap();
        asked.distinguished_name.push(DnType::CommonName, "someone else");
        asked.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let request = asked.serialize_request(&key).unwrap();
        let request = CertificateRequest::from_pem(&request.pem().unwrap()).unwrap();
        let certificate = authority().agent(&request, agent, NOW).unwrap();
        let week = AGENT_CERTIFICATE_LIFE.as_millis() as Millis;
        let expected = AgentCertificate { agent, expires: NOW + week };
        assert_eq!(AgentCertificate::read(&certificate), Some(expected));
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).unwrap();
        let usage = parsed.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth);
        assert!(parsed.subject_alternative_name().unwrap().is_none());
        let from_pem = CertificateDer::from_pem_slice(pem(&certificate).as_bytes()).unwrap();
        assert_eq!(from_pem, certificate);
    }

    #[test]
    fn a_request_signed_by_another_key_is_refused() {
        let request = CertificateParams::default().serialize_request(&KeyPair::generate().unwrap());
        let mut der = request.unwrap().der().to_vec();
        let last = der.len() - 1;
        der[last] ^= 1;
        assert!(matches!(CertificateRequest::from_der(&der), Err(CaError::Request(_))));
        assert!(matches!(CertificateRequest::from_pem("no PEM"), Err(CaError::Request(_))));
    }

    #[test]
    fn the_server_certificate_leads_to_the_authority() {
        let authority = authority();
        let server = authority.server(vec!["localhost".into(), "127.0.0.1".into()], NOW).unwrap();
        assert_eq!(server.chain[1], *authority.certificate());
        let (_, leaf) = x509_parser::parse_x509_certificate(&server.chain[0]).unwrap();
        let (_, ca) = x509_parser::parse_x509_certificate(&server.chain[1]).unwrap();
        leaf.verify_signature(Some(ca.public_key())).unwrap();
        assert_eq!(AgentCertificate::read(&server.chain[0]), None, "the hub is no agent");
    }
}
