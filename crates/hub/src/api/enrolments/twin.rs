//! The alert about a second cluster or agent that shows an identity that is another's.
use crate::app::App;
use seawall_model::alert::{Action, ActionMode, ActionResult, Firing, Location, Why};
use seawall_model::asset::{Agent, Cluster};
use seawall_model::attack::Tactic;
use seawall_model::event::Identity;
use seawall_model::{Id, Millis, Severity};
use seawall_store::{Agents, Alerts, Clusters, NewAgent, Reads, Twin, Visible};
use std::net::IpAddr;

/// The hub's own detections: no rule of the content finds these.
const SECOND_CLUSTER: &str = "SW-H-0001";
const SECOND_AGENT: &str = "SW-H-0002";
/// An agent that was heard so shortly before another took its place was connected: its stream would have ended else.
const WAS_CONNECTED: Millis = 90 * 1000;
/// A pod that gives way to its successor ends within its grace period, 30 s; until then it dials again.
const GIVING_WAY: Millis = 60 * 1000;

/// Raises the alert where the cluster is that people know.
pub(super) async fn raise(
    app: &App,
    twin: &Twin,
    agent: &NewAgent,
    address: IpAddr,
) -> seawall_store::Result<()> {
    let finding = Finding {
        detection: SECOND_CLUSTER,
        title: "Second cluster shows a known identity",
        expression: "cluster_uid is known and this token did not bring it in",
        value: twin.cluster.uid.clone(),
        output: format!(
            "Enrolment waits for acceptance (agent={} cluster={} address={address} enrolment={})",
            agent.name, agent.cluster_name, twin.enrolment
        ),
        remediation: "Ask who enrols an agent with this token; accept it where the cluster was set up anew, \
                      revoke the token where nobody knows it.",
        action: Action { mode: ActionMode::Block, result: ActionResult::Denied },
    };
    let firing = finding.firing(&twin.cluster, app.now());
    app.store.raise_alert(&twin.cluster, twin.enrolment, twin.refusal, firing).await?;
    Ok(())
}

/// An agent that is revoked dials. Two live of one where another has joined in its place while it was connected, and it
/// still holds its key: a pod that was rescheduled has lost its key or ends, a cluster that was cloned with its
/// service-account keys goes on. Addresses would not tell: pods change theirs, and clones share one behind a gateway.
///
/// Once an hour and cluster: the two take each other's place again and again.
pub(crate) async fn came_back(app: &App, agent: Id) -> seawall_store::Result<()> {
    let everything = Visible::system();
    let Some(former) = app.store.get::<Agent>(&everything, agent).await? else { return Ok(()) };
    let Some(present) = app.store.successor(agent).await? else { return Ok(()) };
    let now = app.now();
    let displaced = present.first_seen;
    if displaced - former.last_seen > WAS_CONNECTED || now - displaced < GIVING_WAY {
        return Ok(());
    }
    let Some(cluster) = app.store.cluster_at(&present.scope).await? else { return Ok(()) };
    if app.twins.take(cluster.id, 1.0, now).is_err() {
        return Ok(());
    }
    let finding = Finding {
        detection: SECOND_AGENT,
        title: "Two agents share one identity",
        expression: "an agent dials after another joined in its place",
        value: former.name.clone(),
        output: format!(
            "An agent that was replaced is still there (name={} replaced={} by={})",
            former.name, former.id, present.id
        ),
        remediation: "Look whether the cluster or its node was cloned: a copy has the same service-account keys and \
                      reports into this cluster. Give the copy keys of its own and enrol it; else revoke both agents.",
        action: Action { mode: ActionMode::Alert, result: ActionResult::None },
    };
    let occasion = u64::try_from(now).unwrap_or_default();
    let firing = finding.firing(&cluster, now);
    app.store.raise_alert(&cluster, former.id, occasion, firing).await?;
    Ok(())
}

/// What differs between these alerts.
struct Finding {
    detection: &'static str,
    title: &'static str,
    expression: &'static str,
    value: String,
    output: String,
    remediation: &'static str,
    action: Action,
}

impl Finding {
    fn firing(self, cluster: &Cluster, time: Millis) -> Firing {
        let Self { detection, title, expression, value, output, remediation, action } = self;
        Firing {
            detection: detection.to_owned(),
            title: title.to_owned(),
            severity: Severity::High,
            tactics: vec![Tactic::InitialAccess],
            mitre: Vec::new(),
            parity: Vec::new(),
            source: seawall_model::record::HUB_SOURCE.to_owned(),
            time,
            location: Location::of_cluster(&cluster.name, Identity::Partial),
            process: Vec::new(),
            actor: None,
            object: None,
            why: vec![Why { expression: expression.to_owned(), value: Some(value) }],
            output,
            remediation: remediation.to_owned(),
            action,
            lost_nearby: 0,
        }
    }
}
