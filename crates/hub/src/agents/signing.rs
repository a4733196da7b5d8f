//! Certificates that a cluster needs beside those of its agents: who may have which signed.
use super::unavailable;
use crate::api::list::quoted;
use crate::app::App;
use crate::ca::{self, AgentCertificate, CertificateRequest};
use seawall_model::asset::{Agent, AgentRole, Cluster};
use seawall_store::{Audit, NewAuditEntry, Query, Reads, Visible};
use seawall_wire::v1;
use serde_json::json;
use tonic::Status;

/// Names of one webhook certificate: two forms of a service's name, and room for three more services.
const MAX_NAMES: usize = 8;
/// Source: RFC 1035, section 2.3.4.
const MAX_NAME_BYTES: usize = 253;

pub(super) async fn sign(
    app: &App,
    certificate: AgentCertificate,
    request: v1::SignRequest,
) -> Result<v1::SignReply, Status> {
    let agent = certificate.agent;
    let now = app.now();
    let known = app.store.get::<Agent>(&Visible::system(), agent).await.map_err(unavailable)?;
    let known = known.filter(|known| {
        !known.revoked && certificate.expires >= now && known.role == AgentRole::ClusterAgent
    });
    let known = known.ok_or_else(|| {
        Status::permission_denied("only a living cluster agent has certificates signed")
    })?;
    if let Err(wait) = app.signings.take(agent, 1.0, now) {
        let wait = wait.div_euclid(1_000) + 1;
        let reason = format!(
            "an agent has 30 certificates signed at once, then one every 2 s: wait {wait} s"
        );
        return Err(Status::resource_exhausted(reason));
    }
    let csr = CertificateRequest::from_der(&request.csr_der)
        .map_err(|error| Status::invalid_argument(error.to_string()))?;
    let uid = cluster_uid(app, &known).await?;
    let purpose = request.purpose();
    let signed = match purpose {
        v1::SignPurpose::Webhook => {
            check_names(&request.names)?;
            app.cluster_authority.webhook(&csr, &uid, request.names.clone(), now)
        }
        v1::SignPurpose::Audit => app.cluster_authority.audit_client(&csr, &uid, now),
        v1::SignPurpose::Unspecified => {
            return Err(Status::invalid_argument("the purpose is missing"));
        }
    };
    let signed = signed.map_err(|error| {
        tracing::error!(error = crate::api::extract::chain(&error), %agent, "certificate not signed");
        Status::internal("the certificate could not be signed")
    })?;
    let entry = NewAuditEntry {
        actor: format!("agent:{}", known.name),
        action: "agent.sign".to_owned(),
        target: known.cluster,
        detail: json!({"purpose": purpose.as_str_name(), "names": request.names}),
    };
    app.store.append_audit(&entry).await.map_err(unavailable)?;
    let authorities = app.cluster_authority.certificates();
    Ok(v1::SignReply {
        certificate_der: signed.to_vec(),
        ca_pem: authorities.iter().map(|certificate| ca::pem(certificate)).collect(),
        ca_der: authorities.into_iter().map(|certificate| certificate.to_vec()).collect(),
    })
}

/// UID of the cluster that an agent belongs to.
async fn cluster_uid(app: &App, agent: &Agent) -> Result<String, Status> {
    let filter = format!("scope:{}", quoted(agent.scope.as_str()));
    let query = Query { filter, limit: 1, ..Query::default() };
    let clusters = app.store.list::<Cluster>(&Visible::system(), &query).await;
    let cluster = clusters.map_err(unavailable)?.items.pop();
    cluster.map(|cluster| cluster.uid).ok_or_else(|| Status::not_found("the cluster is gone"))
}

fn check_names(names: &[String]) -> Result<(), Status> {
    if !(1..=MAX_NAMES).contains(&names.len()) {
        let reason = format!("a webhook's certificate is for 1 to {MAX_NAMES} names");
        return Err(Status::invalid_argument(reason));
    }
    match names.iter().find(|name| !is_service_name(name)) {
        Some(foreign) => {
            let reason = format!("`{foreign:.80}` is no name of a service in the cluster");
            Err(Status::invalid_argument(reason))
        }
        None => Ok(()),
    }
}

/// Names of a cluster's own services alone: the hub vouches for nothing else. `SERVICE.NAMESPACE` is none of them: it is
/// as good a name of a host out there, such as `example.org`, and no API server asks for it.
fn is_service_name(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let of_service = matches!(labels.as_slice(), [_, _, "svc"] | [_, _, "svc", "cluster", "local"]);
    of_service && name.len() <= MAX_NAME_BYTES && labels.iter().all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_services_are_vouched_for() {
        let long = format!("{}.{}.svc", "a".repeat(63), "b".repeat(64));
        let table = [
            ("seawall-agent.seawall", false),
            ("example.org", false),
            ("seawall-agent.seawall.svc", true),
            ("seawall-agent.seawall.svc.cluster.local", true),
            ("seawall-agent", false),
            ("hub.example.org", false),
            ("a.b.svc.example", false),
            ("a.b.c.svc", false),
            ("*.b.svc", false),
            ("-a.b.svc", false),
            ("A.b.svc", false),
            ("10.0.0.1", false),
            (".b.svc", false),
            (&long, false),
        ];
        for (name, expected) in table {
            assert_eq!(is_service_name(name), expected, "{name}");
        }
    }

    #[test]
    fn a_certificate_has_few_names() {
        let names = |count: usize| vec!["a.b.svc".to_owned(); count];
        assert!(check_names(&names(1)).is_ok() && check_names(&names(MAX_NAMES)).is_ok());
        assert!(check_names(&[]).is_err() && check_names(&names(MAX_NAMES + 1)).is_err());
    }
}
