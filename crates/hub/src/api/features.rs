//! `/features`: what this version can do where, and whether it works in the caller's clusters.
use super::agents;
use super::problem::Refusal;
use crate::app::App;
use crate::auth::Caller;
use axum::extract::State;
use seawall_model::asset::{Agent, AgentRole, Capability, CapabilityState, Cluster};
use seawall_model::{Id, Millis};
use seawall_store::{Query, Reads};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Audit events that arrive say that they arrive: an API server that is asked anything, as its own controllers do all the
/// time, makes some every minute.
const AUDIT_SILENCE: Millis = 60 * 60 * 1000;
/// Clusters whose agents' probes are looked at.
const MAX_CLUSTERS: u32 = 500;

#[derive(Serialize, ToSchema)]
pub(crate) struct Features {
    /// The hub's version.
    version: &'static str,
    environments: Vec<String>,
    features: Vec<Feature>,
    /// What agents' probes report, by capability: a feature that is claimed but does not work is seen here.
    capabilities: Vec<CapabilityCount>,
    /// Whether each feature works in each cluster that the caller may see.
    clusters: Vec<ClusterFeatures>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Feature {
    id: String,
    title: String,
    /// `hardening`, `vulnerability` or `runtime`.
    pillar: String,
    description: String,
    /// By environment.
    support: BTreeMap<String, Support>,
    os: Vec<String>,
    /// Capabilities of sensors, or `agent`, `sensor`, `audit`.
    needs: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Support {
    state: SupportState,
    /// The first version that has it.
    since: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SupportState {
    Ga,
    Preview,
    Planned,
    Unsupported,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CapabilityCount {
    name: String,
    full: u64,
    partial: u64,
    absent: u64,
    /// Of agents that are not connected.
    unknown: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ClusterFeatures {
    cluster: String,
    id: Id,
    /// By feature id: `working`, `partial`, `not working` or `unknown`. What needs nothing of a cluster is `unknown`
    /// where none of its agents is connected.
    working: BTreeMap<String, &'static str>,
    /// Why it is not working, by feature id.
    reasons: BTreeMap<String, Vec<String>>,
}

/// The matrix as it lies in `content/features.yaml`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matrix {
    environments: Vec<String>,
    features: Vec<Feature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    environments: Vec<String>,
    features: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    title: String,
    pillar: String,
    description: String,
    support: BTreeMap<String, SupportState>,
    since: Option<String>,
    os: Vec<String>,
    needs: Vec<String>,
}

impl Matrix {
    /// Reads the file's text; its errors name the place.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let feature = |row: Row| Feature {
            support: row
                .support
                .into_iter()
                .map(|(environment, state)| {
                    let claimed = matches!(state, SupportState::Ga | SupportState::Preview);
                    let since = row.since.clone().filter(|_| claimed);
                    (environment, Support { state, since })
                })
                .collect(),
            id: row.id,
            title: row.title,
            pillar: row.pillar,
            description: row.description,
            os: row.os,
            needs: row.needs,
        };
        let features = file.features.into_iter().map(feature).collect();
        Ok(Self { environments: file.environments, features })
    }
}

/// What this version can do where, and what the probes of the caller's agents say of it.
#[utoipa::path(get, path = "/api/v1/features", tag = "features",
    responses((status = 200, body = Features)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
) -> Result<axum::Json<Features>, Refusal> {
    let query = Query { limit: MAX_CLUSTERS, ..Query::default() };
    let visible = caller.visible_here();
    let matrix = app.content.features();
    let (mut capabilities, mut clusters) = (BTreeMap::new(), Vec::new());
    for cluster in app.store.list::<Cluster>(&visible, &query).await?.items {
        let agents = agents::of_cluster(&app, &visible, &cluster).await?;
        let present = agents::present(&agents, app.now());
        count(&mut capabilities, &present);
        clusters.push(of_cluster(&matrix.features, cluster, &present, app.now()));
    }
    Ok(axum::Json(Features {
        version: env!("CARGO_PKG_VERSION"),
        environments: matrix.environments.clone(),
        features: matrix.features.clone(),
        capabilities: capabilities.into_values().collect(),
        clusters,
    }))
}

fn count(counts: &mut BTreeMap<String, CapabilityCount>, agents: &[&Agent]) {
    for agent in agents {
        for capability in &agent.capabilities {
            let name = capability.name.clone();
            let new = CapabilityCount { name, full: 0, partial: 0, absent: 0, unknown: 0 };
            let count = counts.entry(capability.name.clone()).or_insert(new);
            *match capability.state {
                _ if !agent.connected => &mut count.unknown,
                CapabilityState::Full => &mut count.full,
                CapabilityState::Partial => &mut count.partial,
                CapabilityState::Absent => &mut count.absent,
            } += 1;
        }
    }
}

fn of_cluster(
    features: &[Feature],
    cluster: Cluster,
    agents: &[&Agent],
    now: Millis,
) -> ClusterFeatures {
    let (mut working, mut reasons) = (BTreeMap::new(), BTreeMap::new());
    for feature in features {
        // Worst first: one need that is not met is enough.
        let (mut state, mut why) = without_needs(feature, agents);
        for (position, need) in feature.needs.iter().enumerate() {
            let (met, reason) = met(need, agents, now);
            state = if position == 0 { met } else { worse(state, met) };
            why.extend(reason.map(|reason| format!("{need}: {reason}")));
        }
        working.insert(feature.id.clone(), state);
        if !why.is_empty() {
            reasons.insert(feature.id.clone(), why);
        }
    }
    ClusterFeatures { cluster: cluster.name, id: cluster.id, working, reasons }
}

/// What a feature is before its needs are looked at: without any, it works wherever it ships, but of a cluster that is
/// silent nobody knows a thing.
fn without_needs(feature: &Feature, agents: &[&Agent]) -> (&'static str, Vec<String>) {
    if !feature.needs.is_empty() {
        return ("unknown", Vec::new());
    }
    let ships = feature.support.values().any(|support| support.since.is_some());
    let connected = agents.iter().any(|agent| agent.connected);
    match (ships, connected) {
        (true, true) => ("working", Vec::new()),
        (true, false) => ("unknown", vec!["no agent of the cluster is connected".to_owned()]),
        (false, _) => ("unknown", vec!["this version does not have it".to_owned()]),
    }
}

fn worse(one: &'static str, other: &'static str) -> &'static str {
    const WORST_FIRST: [&str; 4] = ["not working", "unknown", "partial", "working"];
    let rank = |state| WORST_FIRST.iter().position(|known| *known == state);
    if rank(other) < rank(one) { other } else { one }
}

/// Whether a need is met, and the reason where it is not. Only who is connected says that something works.
fn met(need: &str, agents: &[&Agent], now: Millis) -> (&'static str, Option<String>) {
    let connected =
        |role: AgentRole| agents.iter().any(|agent| agent.connected && agent.role == role);
    let (there, lacking) = match need {
        "agent" => (connected(AgentRole::ClusterAgent), "no cluster agent is connected"),
        "sensor" => (connected(AgentRole::Sensor), "no sensor is connected"),
        "audit" => return audit_met(agents, now),
        capability => return capability_met(capability, agents),
    };
    match there {
        true => ("working", None),
        false => ("unknown", Some(lacking.to_owned())),
    }
}

fn audit_met(agents: &[&Agent], now: Millis) -> (&'static str, Option<String>) {
    let heard = |agent: &&Agent| agent.last_audit_event;
    let Some(last) = agents.iter().filter_map(heard).max() else {
        return ("unknown", Some("no audit events received".to_owned()));
    };
    let connected = agents.iter().filter(|agent| agent.connected).filter_map(heard).max();
    if connected.is_some_and(|last| now - last <= AUDIT_SILENCE) {
        return ("working", None);
    }
    let at = jiff::Timestamp::from_millisecond(last / 1_000 * 1_000).unwrap_or_default();
    let reason = match connected {
        Some(_) => format!("no audit event for over an hour, the last at {at}"),
        None => format!("the agent that received audit events is not connected, the last at {at}"),
    };
    ("unknown", Some(reason))
}

fn capability_met(name: &str, agents: &[&Agent]) -> (&'static str, Option<String>) {
    let told = |agent: &&Agent| -> Option<Capability> {
        agent.capabilities.iter().find(|capability| capability.name == name).cloned()
    };
    let (connected, away): (Vec<&Agent>, Vec<&Agent>) =
        agents.iter().filter(|agent| told(agent).is_some()).partition(|agent| agent.connected);
    let told: Vec<Capability> = connected.iter().filter_map(told).collect();
    let all = |state| told.iter().all(|capability| capability.state == state);
    let silent = match away.len() {
        0 => None,
        1 => Some(format!("{} is not connected", away[0].name)),
        count => Some(format!("{count} that reported it are not connected")),
    };
    let reason = told.iter().find_map(|capability| capability.reason.clone());
    if told.is_empty() {
        ("unknown", silent.or_else(|| Some("no sensor has reported".to_owned())))
    } else if all(CapabilityState::Absent) {
        ("not working", reason.or(silent))
    } else if all(CapabilityState::Full) && silent.is_none() {
        ("working", None)
    } else {
        ("partial", reason.or(silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_that_ships_is_whole() {
        let matrix = Matrix::read(seawall_content::FEATURES).unwrap();
        assert!(!matrix.features.is_empty());
        for feature in &matrix.features {
            let environments: Vec<&String> = feature.support.keys().collect();
            assert_eq!(
                environments,
                matrix.environments.iter().collect::<Vec<_>>(),
                "{}",
                feature.id
            );
            let claimed = feature.support.values().any(|support| support.since.is_some());
            let supported = |support: &Support| {
                matches!(support.state, SupportState::Ga | SupportState::Preview)
            };
            assert_eq!(claimed, feature.support.values().any(supported), "{}", feature.id);
            assert!(["hardening", "vulnerability", "runtime"].contains(&feature.pillar.as_str()));
        }
    }

    /// Both shipped, and the matrix still called them planned.
    #[test]
    fn what_ships_is_claimed_where_it_can_work() {
        let matrix = Matrix::read(seawall_content::FEATURES).unwrap();
        let state = |id: &str, environment: &str| {
            let feature = matrix.features.iter().find(|feature| feature.id == id).unwrap();
            let support = &feature.support[environment];
            (support.state, support.since.is_some())
        };
        for environment in ["aks", "eks", "gke", "on-prem"] {
            assert_eq!(state("admission", environment), (SupportState::Preview, true));
        }
        assert_eq!(state("audit-events", "on-prem"), (SupportState::Preview, true));
        // The flags of those API servers are their owners'.
        for environment in ["aks", "eks", "gke"] {
            assert_eq!(state("audit-events", environment), (SupportState::Planned, false));
        }
    }

    #[test]
    fn unknown_is_no_pass() {
        assert_eq!(worse("working", "unknown"), "unknown");
        assert_eq!(worse("unknown", "not working"), "not working");
        assert_eq!(worse("partial", "working"), "partial");
        assert_eq!(capability_met("exec", &[]).0, "unknown");
    }

    /// How `exec` works where each agent told `state`, connected or not.
    #[track_caller]
    fn check(agents: &[(&str, bool)], expected: &str, reason: Option<&str>) {
        let agent = |&(state, connected): &(&str, bool)| -> Agent {
            serde_json::from_value(serde_json::json!({
                "id": "01a21cbe-8d16-7894-afc9-69628cfcda86", "scope": "/org/", "cluster": "c", "role": "sensor",
                "name": "node-1", "version": "1", "dropped": [], "last_sequence": 0, "certificate_expires": 0,
                "capabilities": [{"name": "exec", "state": state, "tier": null, "reason": null}],
                "revoked": false, "connected": connected, "first_seen": 0, "last_seen": 0}))
            .unwrap()
        };
        let agents: Vec<Agent> = agents.iter().map(agent).collect();
        let agents: Vec<&Agent> = agents.iter().collect();
        let (state, why) = met("exec", &agents, 0);
        assert_eq!((state, why.as_deref()), (expected, reason));
    }

    /// One audit event, however old, counted for ever.
    #[test]
    fn audit_events_have_to_be_recent() {
        const NOW: Millis = 1_795_478_400_000;
        let agent = |connected: bool, ago: Option<Millis>| -> Agent {
            serde_json::from_value(serde_json::json!({
                "id": "01a21cbe-8d16-7894-afc9-69628cfcda86", "scope": "/org/", "cluster": "c",
                "role": "cluster_agent", "name": "pod", "version": "1", "dropped": [], "last_sequence": 0,
                "certificate_expires": 0, "capabilities": [], "revoked": false, "connected": connected,
                "last_audit_event": ago.map(|ago| NOW - ago), "first_seen": 0, "last_seen": 0}))
            .unwrap()
        };
        let check = |agents: &[Agent], expected: &str, reason: Option<&str>| {
            let agents: Vec<&Agent> = agents.iter().collect();
            let (state, why) = met("audit", &agents, NOW);
            assert_eq!((state, why.as_deref()), (expected, reason));
        };
        let hour = AUDIT_SILENCE;
        check(&[], "unknown", Some("no audit events received"));
        check(&[agent(true, None)], "unknown", Some("no audit events received"));
        check(&[agent(true, Some(hour))], "working", None);
        let late = Some("no audit event for over an hour, the last at 2026-11-23T22:59:59Z");
        check(&[agent(true, Some(hour + 1_000))], "unknown", late);
        let away = Some(
            "the agent that received audit events is not connected, the last at 2026-11-24T00:00:00Z",
        );
        check(&[agent(true, None), agent(false, Some(0))], "unknown", away);
        check(&[agent(true, Some(9)), agent(false, Some(0))], "working", None);
    }

    /// A scan of files was said to work in clusters that nobody had heard of for weeks.
    #[test]
    fn nothing_works_in_a_silent_cluster() {
        let matrix = Matrix::read(seawall_content::FEATURES).unwrap();
        let of = |id: &str| matrix.features.iter().find(|feature| feature.id == id).unwrap();
        assert_eq!(without_needs(of("manifest-scan"), &[]).0, "unknown");
        let agent: Agent = serde_json::from_value(serde_json::json!({
            "id": "01a21cbe-8d16-7894-afc9-69628cfcda86", "scope": "/org/", "cluster": "c", "role": "sensor",
            "name": "node-1", "version": "1", "dropped": [], "last_sequence": 0, "certificate_expires": 0,
            "capabilities": [], "revoked": false, "connected": true, "first_seen": 0, "last_seen": 0}))
        .unwrap();
        assert_eq!(without_needs(of("manifest-scan"), &[&agent]).0, "working");
        assert_eq!(without_needs(of("registry-scan"), &[&agent]).0, "unknown");
        assert_eq!(without_needs(of("processes"), &[&agent]).0, "unknown");
    }

    #[test]
    fn who_is_not_connected_says_nothing() {
        check(&[("full", true)], "working", None);
        let away = Some("node-1 is not connected");
        check(&[("full", false)], "unknown", away);
        check(&[("absent", false)], "unknown", away);
        check(&[("full", true), ("full", false)], "partial", away);
        check(&[("absent", true), ("full", false)], "not working", away);
        let both = Some("2 that reported it are not connected");
        check(&[("full", false), ("full", false)], "unknown", both);
    }
}
