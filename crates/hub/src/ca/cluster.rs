//! The authority of what a cluster needs for itself: the certificate of its webhook and of its API server's audit client.
//!
//! It is not the hub's: agents take whoever shows a server certificate of the hub's authority for the hub, and a
//! webhook's has to have that usage too. Nobody trusts this one but an API server, for its webhook, and a cluster agent,
//! for its API server.
use super::{Authority, AuthorityPem, CaError, CertificateRequest, DAY, set_validity};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose};
use rustls_pki_types::CertificateDer;
use seawall_model::Millis;
use seawall_model::admission::{audit_client_name, webhook_name};
use std::time::Duration;

/// A webhook's certificate: its key stays in the cluster, where nobody renews by hand.
const WEBHOOK_CERTIFICATE_LIFE: Duration = DAY.saturating_mul(30);
/// The audit client's lives as long as the API server's own: its file is put there by hand.
const AUDIT_CERTIFICATE_LIFE: Duration = DAY.saturating_mul(365);
const CLUSTER_CA: &str = "Seawall cluster CA";

pub(crate) struct ClusterAuthority(Authority);

impl ClusterAuthority {
    pub(crate) fn create(now: Millis) -> Result<AuthorityPem, CaError> {
        Authority::create_named(CLUSTER_CA, now)
    }

    pub(crate) fn load(pem: &AuthorityPem) -> Result<Self, CaError> {
        Authority::load(pem).map(Self)
    }

    /// All that sign now, the newest first.
    pub(crate) fn certificates(&self) -> Vec<&CertificateDer<'static>> {
        vec![self.0.certificate()]
    }

    /// Signs the key by which the API server of a cluster shows its agent that audit events come from it.
    pub(crate) fn audit_client(
        &self,
        request: &CertificateRequest,
        cluster_uid: &str,
        now: Millis,
    ) -> Result<CertificateDer<'static>, CaError> {
        self.0.client(request, &audit_client_name(cluster_uid), AUDIT_CERTIFICATE_LIFE, now)
    }

    /// Signs a key of a cluster's admission webhook for `names`, the DNS names of its service.
    pub(crate) fn webhook(
        &self,
        request: &CertificateRequest,
        cluster_uid: &str,
        names: Vec<String>,
        now: Millis,
    ) -> Result<CertificateDer<'static>, CaError> {
        let mut params = CertificateParams::new(names).map_err(CaError::SignWebhook)?;
        params.distinguished_name.push(DnType::CommonName, webhook_name(cluster_uid));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, WEBHOOK_CERTIFICATE_LIFE);
        let (public_key, issuer) = (&request.0.public_key, &self.0.issuer);
        let signed = params.signed_by(public_key, issuer).map_err(CaError::SignWebhook)?;
        Ok(signed.der().clone())
    }
}
