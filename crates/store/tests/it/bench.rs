//! What every case starts from: a store with a fixed clock and counted randomness, and builders of real values.
use futures::future::BoxFuture;
use seawall_model::access::{Principal, Role, RoleAssignment};
use seawall_model::alert::{
    Action, ActionMode, ActionResult, Alert, Firing, Location as Place, ProcessEvidence,
};
use seawall_model::asset::{Agent, AgentRole, ClusterKind, RunningContainer};
use seawall_model::event::Identity;
use seawall_model::facts::{NodeFacts, OsFacts};
use seawall_model::finding::{
    ControlFinding, FindingPackage, Fix, FixStatus, Match, ObjectAssessment, Resource, SeverityOf,
    State, VulnFinding,
};
use seawall_model::image::ImageRef;
use seawall_model::package::{Ecosystem, Inventory, Package, Target};
use seawall_model::record::Record;
use seawall_model::scope::{ScopeKind, ScopePath};
use seawall_model::time::FixedClock;
use seawall_model::{Id, Millis, Severity};
use seawall_store::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) type Case = for<'a> fn(&'a Bench) -> BoxFuture<'a, ()>;

/// 2026-11-24T00:00:00Z.
pub(crate) const NOW: Millis = 1_795_478_400_000;
pub(crate) const DAY: Millis = 86_400_000;

pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) location: Location,
    sequence: AtomicU64,
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub(crate) fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(NOW))
}

pub(crate) fn context(clock: &Arc<FixedClock>) -> Context {
    let counter = AtomicU64::new(0);
    let random = move || {
        let count = counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&count);
        bytes
    };
    Context { clock: Arc::clone(clock) as _, random: Arc::new(random) }
}

impl Bench {
    pub(crate) async fn open(location: Location) -> Self {
        let clock = clock();
        let store = Store::open(&location, context(&clock)).await.unwrap();
        Self { store, clock, location, sequence: AtomicU64::new(1) }
    }

    /// A statement behind the store's back; for what an intruder would do.
    pub(crate) async fn sql(&self, text: &'static str) {
        match &self.location {
            Location::Directory(directory) => {
                let url = format!("sqlite://{}", directory.join("seawall.db").display());
                let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
                sqlx::raw_sql(text).execute(&pool).await.unwrap();
                pool.close().await;
            }
            Location::Url(url) => {
                let pool = sqlx::PgPool::connect(url).await.unwrap();
                sqlx::raw_sql(text).execute(&pool).await.unwrap();
                pool.close().await;
            }
        }
    }

    /// A cluster directly below the organisation, with one agent.
    pub(crate) async fn agent(&self, cluster: &str, name: &str) -> Agent {
        self.agent_at(&ScopePath::root(), cluster, name).await
    }

    pub(crate) async fn agent_at(&self, scope: &ScopePath, cluster: &str, name: &str) -> Agent {
        let digest = format!("{cluster}/{name}");
        let new = NewEnrolment {
            digest: digest.clone(),
            scope: scope.clone(),
            expires: NOW + DAY,
            uses_allowed: 1,
            manual_accept: false,
            trusted: true,
        };
        self.store.create_enrolment(&new).await.unwrap();
        match self.store.redeem_enrolment(&digest, &new_agent(cluster, name)).await.unwrap() {
            Redeemed::Accepted { agent, .. } => agent,
            Redeemed::Refused { reason, .. } => panic!("{reason:?}"),
        }
    }

    pub(crate) async fn scope(&self, parent: &ScopePath, kind: ScopeKind, name: &str) -> ScopePath {
        let new = NewScope { parent: parent.clone(), kind, name: name.to_owned() };
        self.store.create_scope(&new).await.unwrap().path
    }

    /// Commits the records: those of the agent's role as its next batch, others as batches of a companion in the same
    /// cluster.
    pub(crate) async fn send(&self, agent: &Agent, records: Vec<Record>) -> Changed {
        let mut all = Changed::default();
        let mut records = records.into_iter().peekable();
        loop {
            let own = records.peek().is_none_or(|record| record.is_of(agent.role));
            let mut batch = Vec::new();
            while let Some(record) = records.next_if(|record| record.is_of(agent.role) == own) {
                batch.push(record);
            }
            let sent = match own {
                true => self.send_as(agent, batch).await,
                false => self.send_as(&self.companion(agent).await, batch).await,
            };
            all.scope = sent.scope;
            all.alerts.extend(sent.alerts);
            all.satisfied.extend(sent.satisfied);
            all.inventories.extend(sent.inventories);
            all.findings.extend(sent.findings);
            all.assets.extend(sent.assets);
            all.images.extend(sent.images);
            all.nodes.extend(sent.nodes);
            if records.peek().is_none() {
                return all;
            }
        }
    }

    /// One of the other role in the agent's cluster, of the agent's name.
    pub(crate) async fn companion(&self, agent: &Agent) -> Agent {
        let role = match agent.role {
            AgentRole::Sensor => AgentRole::ClusterAgent,
            AgentRole::ClusterAgent => AgentRole::Sensor,
        };
        let agents =
            self.store.agents_of_cluster(&Visible::system(), &agent.scope, 1_000).await.unwrap();
        let found = agents.into_iter().find(|one| one.role == role && one.name == agent.name);
        if let Some(found) = found {
            return found;
        }
        let new = NewAgent { role, ..new_agent(&agent.cluster, &agent.name) };
        match self.store.join_agent(&new).await.unwrap() {
            Join::Joined(joined) => joined.agent,
            other => panic!("{other:?}"),
        }
    }

    async fn send_as(&self, agent: &Agent, records: Vec<Record>) -> Changed {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let batch = Batch { agent: agent.id, sequence, records, dropped: Vec::new() };
        match self.store.ingest(batch).await.unwrap() {
            Ingested::Committed(changed) => changed,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn all<N: Noun>(&self) -> Vec<N> {
        self.seen(&Visible::system(), "").await
    }

    pub(crate) async fn seen<N: Noun>(&self, visible: &Visible, filter: &str) -> Vec<N> {
        use futures::TryStreamExt;
        let query = Query { filter: filter.to_owned(), ..Query::default() };
        let stream = self.store.export::<N>(visible.clone(), query);
        stream.try_collect().await.unwrap()
    }

    pub(crate) async fn alert(&self, id: Id) -> Alert {
        self.store.get(&Visible::system(), id).await.unwrap().unwrap()
    }
}

pub(crate) fn new_agent(cluster: &str, name: &str) -> NewAgent {
    NewAgent {
        cluster_uid: format!("uid-{cluster}"),
        cluster_name: cluster.to_owned(),
        cluster_kind: ClusterKind::Kubernetes,
        name: name.to_owned(),
        role: AgentRole::Sensor,
        service_account: None,
        certificate_expires: NOW + 7 * DAY,
    }
}

/// What one grant shows.
pub(crate) fn grant(scope: &ScopePath, namespaces: Option<&[&str]>) -> Visible {
    Visible::of(&[assignment(scope, namespaces)])
}

pub(crate) fn assignment(scope: &ScopePath, namespaces: Option<&[&str]>) -> RoleAssignment {
    RoleAssignment {
        id: Id::new(NOW, [0; 10]),
        principal: Principal::Group { name: "g".to_owned() },
        role: Role::SecurityReader,
        scope: scope.clone(),
        namespaces: namespaces.map(|names| names.iter().map(|&name| name.to_owned()).collect()),
        created: NOW,
    }
}

pub(crate) fn firing(
    detection: &str,
    namespace: Option<&str>,
    workload: &str,
    time: Millis,
) -> Firing {
    Firing {
        detection: detection.to_owned(),
        title: format!("Title of {detection}"),
        severity: Severity::High,
        tactics: Vec::new(),
        mitre: Vec::new(),
        parity: Vec::new(),
        source: "syscall".to_owned(),
        time,
        location: Place {
            cluster: "some uid".to_owned(),
            node: Some("node-1".to_owned()),
            namespace: namespace.map(str::to_owned),
            workload: Some(workload.to_owned()),
            pod: Some(format!("{workload}-1")),
            pod_uid: None,
            container: Some("c".to_owned()),
            container_id: Some("0123".to_owned()),
            image: None,
            identity: Identity::Complete,
        },
        process: vec![ProcessEvidence {
            exec_id: "18446744073709551615".to_owned(),
            pid: 7,
            name: "cat".to_owned(),
            exe: "/bin/cat".to_owned(),
            args: vec!["cat".to_owned()],
            cwd: None,
            user: None,
            uid: 0,
            start: time,
        }],
        actor: None,
        object: None,
        why: Vec::new(),
        output: "Something happened".to_owned(),
        remediation: "Look".to_owned(),
        action: Action { mode: ActionMode::Alert, result: ActionResult::None },
        lost_nearby: 0,
    }
}

pub(crate) fn fired(firing: Firing) -> Record {
    Record::Firing(Box::new(firing))
}

pub(crate) fn control(
    rule: &str,
    state: State,
    kind: &str,
    namespace: &str,
    name: &str,
) -> ControlFinding {
    ControlFinding {
        control: rule.to_owned(),
        title: format!("Title of {rule}"),
        severity: Severity::High,
        state,
        reason: None,
        resource: resource(kind, namespace, name),
        source: None,
        message: None,
        frameworks: vec!["cis-k8s@1.12".to_owned()],
        evidence: Vec::new(),
        fix: Vec::new(),
        exemption: None,
        engine: "cel".to_owned(),
    }
}

fn resource(kind: &str, namespace: &str, name: &str) -> Resource {
    Resource {
        api_version: "apps/v1".to_owned(),
        kind: kind.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
        uid: Some(format!("uid-{namespace}-{name}")),
    }
}

/// A node's facts with one verdict per rule, as the hub hands them on.
pub(crate) fn node_facts(name: &str, verdicts: &[(&str, State)]) -> Record {
    let os =
        OsFacts { id: "debian".to_owned(), version: Some("12".to_owned()), ..OsFacts::default() };
    let facts = NodeFacts { node: name.to_owned(), os: Some(os), ..NodeFacts::default() };
    let whole = Resource { namespace: None, uid: None, ..resource("Node", "", name) };
    let verdict = |(rule, state): &(&str, State)| ControlFinding {
        resource: whole.clone(),
        ..control(rule, *state, "Node", "", name)
    };
    let mut assessment = ObjectAssessment::of(whole.clone(), NOW);
    assessment.take(verdicts.iter().map(verdict).collect());
    Record::Node { facts: Box::new(facts), assessment: Some(Box::new(assessment)) }
}

/// A Deployment with one verdict per rule.
pub(crate) fn assessed(
    namespace: &str,
    name: &str,
    verdicts: &[(&str, State)],
    observed: Millis,
) -> Record {
    Record::Assessment(Box::new(assessment(namespace, name, verdicts, observed)))
}

pub(crate) fn assessment(
    namespace: &str,
    name: &str,
    verdicts: &[(&str, State)],
    observed: Millis,
) -> ObjectAssessment {
    let verdict =
        |(rule, state): &(&str, State)| control(rule, *state, "Deployment", namespace, name);
    let mut assessment = ObjectAssessment {
        labels: vec![("app".to_owned(), name.to_owned())],
        images: vec!["reg/shop:1".to_owned()],
        ..ObjectAssessment::of(resource("Deployment", namespace, name), observed)
    };
    assessment.take(verdicts.iter().map(verdict).collect());
    assessment
}

pub(crate) fn image(name: &str, digest: &str) -> ImageRef {
    ImageRef {
        name: name.to_owned(),
        digest: Some(format!("sha256:{digest}")),
        ..ImageRef::default()
    }
}

pub(crate) fn package(name: &str, version: &str) -> Package {
    Package {
        ecosystem: Ecosystem::PyPI,
        name: name.to_owned(),
        version: version.to_owned(),
        purl: format!("pkg:pypi/{name}@{version}"),
        arch: None,
        source: None,
        locations: Vec::new(),
        owner: None,
        layer: None,
        third_party: false,
        module: None,
    }
}

pub(crate) fn inventory(target: Target, packages: Vec<Package>) -> Record {
    Record::Inventory(Box::new(Inventory {
        target,
        distro: None,
        platform: Some("linux/amd64".to_owned()),
        layers: Vec::new(),
        packages,
        problems: Vec::new(),
        repositories: Vec::new(),
        extractor_version: 1,
    }))
}

pub(crate) fn flaw(id: &str, package: &Package, severity: Severity, fix: FixStatus) -> VulnFinding {
    VulnFinding {
        id: id.to_owned(),
        aliases: vec![format!("GHSA-{id}")],
        state: State::Unhealthy,
        title: None,
        package: FindingPackage {
            purl: package.purl.clone(),
            name: package.name.clone(),
            version: package.version.clone(),
            origin: None,
            locations: Vec::new(),
            owner: None,
            layer: None,
        },
        fix: Fix { status: fix, versions: Vec::new() },
        disclosed_by: "osv".to_owned(),
        fixed_by: None,
        severity: SeverityOf { level: severity, source: None, score: None, vector: None },
        epss: None,
        kev: None,
        matched: Match {
            feed: "osv".to_owned(),
            record: id.to_owned(),
            segment: "pypi".to_owned(),
            rule: "range".to_owned(),
            scheme: "pep440".to_owned(),
            compared: Vec::new(),
            qualifiers: Vec::new(),
        },
        references: Vec::new(),
        exemption: None,
    }
}

pub(crate) fn container(id: &str, image: &ImageRef, namespace: &str) -> RunningContainer {
    RunningContainer {
        id: id.to_owned(),
        name: Some("c".to_owned()),
        image: image.clone(),
        namespace: Some(namespace.to_owned()),
        pod: None,
        pod_uid: None,
        workload: None,
    }
}

pub(crate) fn running(containers: Vec<RunningContainer>) -> Record {
    Record::Running { containers, observed: NOW }
}
