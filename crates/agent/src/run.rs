//! The agent's loop: events in, records out, within a quarter of a second.
mod kinds;

use crate::assess::{Assessor, is_workload};
use crate::assignments::Assignments;
use crate::following::{Followed, Following, Purpose};
use crate::policy_sets::PolicySets;
use crate::replicas::Agents;
use crate::sight::{Sight, Trouble};
use crate::trial::Trials;
use anyhow::Context;
use seawall_cluster::{
    ASK_EVERY, Asked, Connection, ObjectEvent, Replicas, Target, ask, connect, keep_asking,
};
use seawall_model::Problem;
use seawall_model::record::Record;
use seawall_model::time::{Clock, Millis};
use seawall_posture::policies::NEWEST_MINOR;
use seawall_posture::{Assigned, Catalogue, Request};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch as state};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Objects judged between two looks at the channel, so that stopping never waits for a whole cluster.
const BATCH: usize = 100;

/// How an agent runs.
#[derive(Clone)]
pub struct Config {
    pub target: Target,
    /// Which controls; the default is every stable one.
    pub request: Request,
    pub clock: Arc<dyn Clock>,
    /// Changes are gathered for this long.
    pub coalesce: Duration,
    /// A kind that could not be read for this long makes its objects unknown.
    pub stale_after: Duration,
    /// How often the cluster is asked which kinds it serves.
    pub ask_every: Duration,
    /// Where this agent and those beside it run: their ready pods are counted, and no policy is tried there. None
    /// outside a cluster.
    pub namespace: Option<String>,
}

impl Config {
    /// The product's own figures.
    pub fn new(target: Target, clock: Arc<dyn Clock>) -> Self {
        Self {
            target,
            request: Request::default(),
            clock,
            coalesce: Duration::from_millis(100),
            stale_after: Duration::from_secs(300),
            ask_every: ASK_EVERY,
            namespace: None,
        }
    }
}

/// The cluster an agent is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterInfo {
    /// UID of the `kube-system` namespace.
    pub uid: String,
    /// `v1.36.3`.
    pub version: String,
    /// Of the API server.
    pub url: String,
    /// What the kubeconfig calls the cluster.
    pub name: Option<String>,
}

/// How far the agent has come, and what it cannot see.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// Every kind has been listed, refused or given up for now, and all of it is told.
    pub synced: bool,
    pub objects: usize,
    /// Bytes of the stored objects.
    pub bytes: usize,
    /// Objects told of.
    pub assessed: usize,
    /// Kinds that may not be read, with the server's words.
    pub forbidden: Vec<(String, String)>,
    /// Kinds whose watch is broken, with the error.
    pub broken: Vec<(String, String)>,
    /// Objects that could not be taken.
    pub refused: u64,
    pub problems: Vec<Problem>,
}

/// A running agent; dropping it stops it at once, [`Agent::stop`] in order.
pub struct Agent {
    pub cluster: ClusterInfo,
    /// For what else the agent does with its cluster.
    pub connection: Connection,
    /// What the cluster serves, asked again and again.
    pub served: state::Receiver<Asked>,
    /// Users' policies, which the loop tries and the webhook judges by.
    pub policy_sets: Arc<PolicySets>,
    /// What people assigned, which the loop assesses by.
    pub assignments: Arc<Assignments>,
    /// Every control, as the webhook judges by them too.
    pub catalogue: Arc<Catalogue>,
    status: state::Receiver<Status>,
    replicas: state::Receiver<Option<Replicas>>,
    stop: state::Sender<bool>,
    task: JoinHandle<()>,
}

/// The controls and frameworks in the binary. A problem in them is an error: they are tested content.
pub fn content() -> anyhow::Result<Catalogue> {
    let pairs = |entries: Vec<seawall_content::Entry>| {
        entries.into_iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()
    };
    let (catalogue, problems) =
        Catalogue::load(pairs(seawall_content::controls()), pairs(seawall_content::frameworks()));
    match problems.first() {
        None => Ok(catalogue),
        Some(problem) => anyhow::bail!("built-in controls do not load: {problem}"),
    }
}

impl Agent {
    /// Connects, then watches in the background; `sink` gets the records and slows the agent when it is full.
    pub async fn start(config: Config, sink: mpsc::Sender<Record>) -> anyhow::Result<Self> {
        let catalogue = Arc::new(content()?);
        let selection = catalogue.select(&config.request);
        let selection = selection.map_err(|problem| anyhow::anyhow!("{problem}"))?;
        let connection = connect(&config.target).await.context("cannot reach the cluster")?;
        let cluster = ClusterInfo {
            uid: connection.uid.clone(),
            version: connection.version.clone(),
            url: connection.url.clone(),
            name: connection.name.clone(),
        };
        let served = ask(&connection.reached()).await;
        let served = served.context("cannot learn what the cluster serves")?;
        let served = keep_asking(&connection, Some(served), config.ask_every);
        let kubernetes = seawall_posture::minor(&cluster.version);
        let policy_sets = PolicySets::new(minor(kubernetes.as_deref()));
        let assessor = Assessor::new(selection, kubernetes);
        let (status_sender, status) = state::channel(Status::default());
        let (replicas_sender, replicas) = state::channel(None);
        let (stop, stopped) = state::channel(false);
        let watched = connection.clone();
        let assignments = Assignments::new(catalogue.clone());
        let assigned = assignments.follow();
        let trials = Trials::new(policy_sets.clone(), config.namespace.clone());
        let (shared, asked) = (policy_sets.clone(), served.clone());
        let task = tokio::spawn(async move {
            let mut runner = Runner::new(
                config,
                (&watched, asked),
                assessor,
                sink,
                status_sender,
                (shared, trials, assigned),
            );
            runner.replicas = replicas_sender;
            // An error means that the sink is gone: nobody listens any more.
            let _gone = runner.run(stopped).await;
        });
        Ok(Self {
            cluster,
            connection,
            served,
            policy_sets,
            assignments,
            catalogue,
            status,
            replicas,
            stop,
            task,
        })
    }

    /// Follows the status.
    pub fn status(&self) -> state::Receiver<Status> {
        self.status.clone()
    }

    /// Ready agents of this cluster; none while it is not known, and where the agent runs in no namespace.
    pub fn replicas(&self) -> state::Receiver<Option<Replicas>> {
        self.replicas.clone()
    }

    /// Stops watching and waits until the last record in hand is given to the sink.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if (&mut self.task).await.is_err() {
            tracing::error!("agent ended by a panic");
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Runner {
    config: Config,
    served: state::Receiver<Asked>,
    following: Following,
    assessor: Assessor,
    policy_sets: Arc<PolicySets>,
    trials: Trials,
    assigned: state::Receiver<Arc<Assigned>>,
    sink: mpsc::Sender<Record>,
    status: state::Sender<Status>,
    /// The agents among the pods; none where they are not counted.
    agents: Option<Agents>,
    replicas: state::Sender<Option<Replicas>>,
    sight: Sight,
    started: Millis,
    /// The first listing has been told whole.
    synced: bool,
    deadline: Option<Instant>,
}

/// What the hub wants, as the loop hears of it.
type Wishes = (Arc<PolicySets>, Trials, state::Receiver<Arc<Assigned>>);

type Sent = Result<(), mpsc::error::SendError<Record>>;

/// N of `1.N`; a server that does not say is taken for the newest that is known.
fn minor(kubernetes: Option<&str>) -> u32 {
    let minor = kubernetes.and_then(|version| version.strip_prefix("1."));
    minor.and_then(|minor| minor.parse().ok()).unwrap_or(NEWEST_MINOR)
}

impl Runner {
    fn new(
        config: Config,
        (connection, served): (&Connection, state::Receiver<Asked>),
        assessor: Assessor,
        sink: mpsc::Sender<Record>,
        status: state::Sender<Status>,
        (policy_sets, trials, assigned): Wishes,
    ) -> Self {
        let started = config.clock.now();
        let following = Following::new(connection);
        let agents = config.namespace.clone().map(Agents::new);
        Self {
            config,
            served,
            following,
            assessor,
            policy_sets,
            trials,
            assigned,
            sink,
            status,
            agents,
            replicas: state::Sender::new(None),
            sight: Sight::default(),
            started,
            synced: false,
            deadline: None,
        }
    }

    async fn run(&mut self, mut stopped: state::Receiver<bool>) -> Sent {
        self.served.mark_changed();
        self.follow(self.config.clock.now()).await?;
        loop {
            // Without a deadline there is nothing to do but to check now and then what waits or grows stale.
            let deadline =
                self.deadline.unwrap_or_else(|| Instant::now() + Duration::from_millis(500));
            tokio::select! {
                biased;
                changed = stopped.changed() => {
                    if changed.is_err() || *stopped.borrow() {
                        return self.flush().await;
                    }
                }
                () = tokio::time::sleep_until(deadline) => self.tick().await?,
                event = self.following.watch.events.recv() => match event {
                    Some(event) => self.event(event).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    async fn event(&mut self, event: ObjectEvent) -> Sent {
        let now = self.config.clock.now();
        let index = event.kind();
        // Of a watch that has ended.
        let Some(followed) = self.following.get(index).cloned() else { return Ok(()) };
        self.count(&event);
        let Followed { kind, purpose } = followed;
        match (event, purpose) {
            (ObjectEvent::Applied { bytes, .. }, Purpose::Judged) => {
                if let Some(object) = self.assessor.apply(&bytes, now) {
                    self.policy_sets.known.apply(object, bytes.len());
                }
            }
            (ObjectEvent::Deleted { uid, .. }, Purpose::Judged) => {
                if let Some(object) = self.assessor.object(&uid) {
                    self.policy_sets.known.remove(&object);
                }
                if let Some(record) = self.assessor.remove(&uid, now) {
                    self.sink.send(record).await?;
                }
            }
            (ObjectEvent::Applied { bytes, .. }, Purpose::LookedUp) => {
                self.policy_sets.known.apply_alone(&bytes);
            }
            (ObjectEvent::Deleted { uid, .. }, Purpose::LookedUp) => {
                self.policy_sets.known.remove_uid(&kind.api_version, &kind.kind, &uid);
            }
            (ObjectEvent::Synced { .. }, _) => self.listed(index, &kind, purpose, now).await?,
            (ObjectEvent::Restored { .. }, _) => self.readable(index, now),
            (ObjectEvent::Forbidden { message, .. }, _) => {
                if purpose == Purpose::Judged {
                    self.assessor.forbidden(&kind.api_version, &kind.kind);
                }
                self.policy_sets.known.refuse(&kind);
                self.sight.lost(index, Trouble::Forbidden, message, Instant::now());
            }
            (ObjectEvent::Broken { message, .. }, _) => {
                self.sight.lost(index, Trouble::Broken, message, Instant::now());
            }
        }
        if self.deadline.is_none() {
            self.deadline = Some(Instant::now() + self.config.coalesce);
        }
        Ok(())
    }

    /// Follows the agents among the pods, whatever else they are judged for.
    fn count(&mut self, event: &ObjectEvent) {
        let following = &self.following;
        let is_pods = |kind: usize| {
            let kind = following.get(kind).map(|followed| &followed.kind);
            kind.is_some_and(|kind| kind.kind == "Pod" && kind.api_version == "v1")
        };
        let Some(agents) = &mut self.agents else { return };
        match event {
            ObjectEvent::Applied { kind, bytes } if is_pods(*kind) => agents.apply(bytes),
            ObjectEvent::Deleted { kind, uid } if is_pods(*kind) => agents.remove(uid),
            ObjectEvent::Synced { kind } | ObjectEvent::Restored { kind } if is_pods(*kind) => {
                agents.set_known(true);
            }
            ObjectEvent::Forbidden { kind, .. } | ObjectEvent::Broken { kind, .. }
                if is_pods(*kind) =>
            {
                agents.set_known(false);
            }
            _ => return,
        }
        let replicas = agents.replicas();
        self.replicas.send_if_modified(|current| std::mem::replace(current, replicas) != replicas);
    }

    fn readable(&mut self, index: usize, now: Millis) {
        if self.sight.found(index)
            && let Some(Followed { kind, purpose }) = self.following.get(index)
        {
            if *purpose == Purpose::Judged {
                self.assessor.set_stale(&kind.api_version, &kind.kind, None, now);
            }
            self.policy_sets.known.set_listed(&kind.api_version, &kind.kind, true);
        }
    }

    async fn tick(&mut self) -> Sent {
        self.deadline = None;
        let now = self.config.clock.now();
        self.follow(now).await?;
        for (index, reason) in self.sight.grown_stale(Instant::now(), self.config.stale_after) {
            let Some(Followed { kind, purpose }) = self.following.get(index) else { continue };
            if *purpose == Purpose::Judged {
                self.assessor.set_stale(&kind.api_version, &kind.kind, Some(reason), now);
            }
            self.policy_sets.known.set_listed(&kind.api_version, &kind.kind, false);
        }
        if self.assigned.has_changed().unwrap_or(false) {
            self.assessor.assign(&self.assigned.borrow_and_update(), now);
        }
        self.flush().await?;
        self.try_sets(now).await?;
        self.publish();
        Ok(())
    }

    /// A slice of a policy set's trial, once all is seen that can be.
    async fn try_sets(&mut self, now: Millis) -> Sent {
        if self.sight.complete(Instant::now())
            && self.sight.settled(Instant::now())
            && self.trials.has_work()
        {
            if let Some(record) = self.trials.step(self.assessor.objects(), now) {
                self.sink.send(record).await?;
            }
            self.deadline = Some(Instant::now());
        }
        Ok(())
    }

    async fn flush(&mut self) -> Sent {
        if !self.sight.complete(Instant::now()) {
            return Ok(());
        }
        loop {
            let now = self.config.clock.now();
            for record in self.assessor.flush(BATCH, now) {
                self.sink.send(record).await?;
            }
            if !self.assessor.has_work() {
                break;
            }
            tokio::task::yield_now().await;
        }
        // Objects that wait for their controller are told later; they must not be taken for gone.
        if !self.synced && self.assessor.next_due().is_none() && !self.workloads_unreadable() {
            self.synced = true;
            self.sink.send(Record::Sync { since: self.started }).await?;
        }
        Ok(())
    }

    fn workloads_unreadable(&self) -> bool {
        let unreadable = self.sight.unreadable().filter_map(|(kind, ..)| self.following.get(kind));
        unreadable.map(|of| &of.kind).any(|kind| is_workload(&kind.api_version, &kind.kind))
    }

    fn publish(&self) {
        let counts = self.assessor.counts();
        let told = |wanted: Trouble| -> Vec<(String, String)> {
            let of = self.sight.unreadable().filter(|(_, trouble, _)| *trouble == wanted);
            let named = of.filter_map(|(kind, _, message)| {
                Some((self.following.get(kind)?.kind.kind.clone(), message.to_owned()))
            });
            named.collect()
        };
        let status = Status {
            synced: self.sight.is_complete() && !self.assessor.has_work(),
            objects: counts.objects,
            bytes: counts.bytes,
            assessed: counts.assessed,
            forbidden: told(Trouble::Forbidden),
            broken: told(Trouble::Broken),
            refused: self.assessor.refused,
            problems: self.assessor.problems.clone(),
        };
        self.status.send_if_modified(|current| {
            let changed = *current != status;
            *current = status;
            changed
        });
    }
}
