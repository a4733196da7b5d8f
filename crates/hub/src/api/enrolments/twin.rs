//! The alert about a second agent that shows the identity of a known cluster.
use crate::app::App;
use seawall_model::Severity;
use seawall_model::alert::{Action, ActionMode, ActionResult, Firing, Location, Why};
use seawall_model::attack::Tactic;
use seawall_model::event::Identity;
use seawall_store::{Alerts, NewAgent, Twin};
use std::net::IpAddr;

/// The hub's own detection: no rule of the content finds it.
const DETECTION: &str = "SW-H-0001";

/// Raises the alert where the cluster is that people know.
pub(super) async fn raise(
    app: &App,
    twin: &Twin,
    agent: &NewAgent,
    address: IpAddr,
) -> seawall_store::Result<()> {
    let firing = Firing {
        detection: DETECTION.to_owned(),
        title: "Second cluster shows a known identity".to_owned(),
        severity: Severity::High,
        tactics: vec![Tactic::InitialAccess],
        mitre: Vec::new(),
        parity: Vec::new(),
        source: "hub".to_owned(),
        time: app.now(),
        location: Location {
            cluster: twin.cluster.name.clone(),
            node: None,
            namespace: None,
            workload: None,
            pod: None,
            pod_uid: None,
            container: None,
            container_id: None,
            image: None,
            identity: Identity::Partial,
        },
        process: Vec::new(),
        actor: None,
        object: None,
        why: vec![Why {
            expression: "cluster_uid is known and this token did not bring it in".to_owned(),
            value: Some(twin.cluster.uid.clone()),
        }],
        output: format!(
            "Enrolment waits for acceptance (agent={} cluster={} address={address} enrolment={})",
            agent.name, agent.cluster_name, twin.enrolment
        ),
        remediation:
            "Ask who enrols an agent with this token; accept it where the cluster was set up anew, \
                      revoke the token where nobody knows it."
                .to_owned(),
        action: Action { mode: ActionMode::Block, result: ActionResult::Denied },
        lost_nearby: 0,
    };
    app.store.raise_alert(&twin.cluster, twin.enrolment, twin.refusal, firing).await?;
    Ok(())
}
