//! One sensor for all tests of this binary, and what it saw.
use seawall_model::alert::Firing;
use seawall_model::event::Event;
use seawall_model::problem::ProblemKind;
use seawall_model::record::Record;
use seawall_model::time::SystemClock;
use seawall_rules::RuleSet;
use seawall_rules::attack::Attack;
use seawall_sensor::{Config, Detections, Outputs, Sensor};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{
    Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::{Duration, Instant};

/// The socket of the containerd that the container tests start.
pub(crate) static CONTAINERD_SOCKET: LazyLock<PathBuf> = LazyLock::new(|| {
    std::env::temp_dir().join(format!("seawall-sensor-{}/c.sock", std::process::id()))
});

const RULES: &str = "
- rule: Marked program
  desc: Fires on the argument a test puts there.
  condition: evt.type in (execve) and proc.args contains seawall-marked
  output: marked (command=%proc.cmdline)
  priority: WARNING
";

pub(crate) struct Rig {
    pub(crate) sensor: Sensor,
    events: Arc<Mutex<Vec<Event>>>,
    records: Arc<Mutex<Vec<Record>>>,
}

/// All processes of the host share one budget of opens and connects: a flood takes it from whoever else needs a record.
static FLOOD: RwLock<()> = RwLock::new(());

/// While it is held nobody floods.
pub(crate) fn calm() -> RwLockReadGuard<'static, ()> {
    FLOOD.read().unwrap_or_else(PoisonError::into_inner)
}

/// While it is held nobody counts on each of their opens and connects.
pub(crate) fn flooding() -> RwLockWriteGuard<'static, ()> {
    FLOOD.write().unwrap_or_else(PoisonError::into_inner)
}

static RIG: LazyLock<Option<Rig>> = LazyLock::new(|| {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let mut config = Config::new("test-node", "test-cluster", Path::new("/"));
    config.runtimes = vec![CONTAINERD_SOCKET.clone()];
    Some(Rig::start(config))
});

/// The running sensor, or a named skip.
pub(crate) fn rig(test: &str) -> Option<&'static Rig> {
    if RIG.is_none() {
        eprintln!("skipped: {test}: needs root");
    }
    RIG.as_ref()
}

impl Rig {
    /// A sensor of its own. Its thread stands still while the events are locked.
    pub(crate) fn start(config: Config) -> Self {
        let content = seawall_content::detections();
        let mut files: Vec<(&str, &str)> =
            content.iter().map(|entry| (entry.path, entry.text)).collect();
        files.push(("test.yaml", RULES));
        let (rules, problems) = RuleSet::load(&files);
        let broken = problems.iter().find(|problem| problem.kind == ProblemKind::Error);
        assert!(broken.is_none(), "{broken:?}");
        let (attack, _) = Attack::parse("attack.yaml", seawall_content::ATTACK);
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let records: Arc<Mutex<Vec<Record>>> = Arc::default();
        let outputs = Outputs {
            record: Arc::new({
                let records = Arc::clone(&records);
                move |record| records.lock().unwrap().push(record)
            }),
            event: Some(Box::new({
                let events = Arc::clone(&events);
                move |event: &Event| events.lock().unwrap().push(event.clone())
            })),
        };
        let detections = Detections { rules: Arc::new(rules), attack: Arc::new(attack) };
        let clock = Arc::new(SystemClock);
        let sensor =
            Sensor::start(config, detections, clock, outputs).expect("sensor starts as root");
        Self { sensor, events, records }
    }

    pub(crate) fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap()
    }

    /// What went to the sink.
    pub(crate) fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap()
    }

    /// Firings of a detection by `pid` or what it started.
    pub(crate) fn firings(&self, detection: &str, pid: u32) -> Vec<Firing> {
        let fits = |firing: &&Firing| {
            firing.detection == detection && firing.process.iter().any(|process| process.pid == pid)
        };
        let records = self.records();
        let firings = records.iter().filter_map(|record| match record {
            Record::Firing(firing) => Some(firing.as_ref()),
            _ => None,
        });
        firings.filter(fits).cloned().collect()
    }

    /// The first such firing; an event is seen a moment before it is judged.
    #[track_caller]
    pub(crate) fn fired(&self, detection: &str, pid: u32) -> Firing {
        let begin = Instant::now();
        loop {
            if let Some(firing) = self.firings(detection, pid).into_iter().next() {
                return firing;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(2),
                "{detection} did not fire within 2 s"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The first event that fits, waited for.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
        match self.within(Duration::from_secs(5), &fits) {
            Some(event) => event,
            None => panic!("no event within 5 s: {what}"),
        }
    }

    pub(crate) fn within(
        &self,
        patience: Duration,
        fits: impl Fn(&Event) -> bool,
    ) -> Option<Event> {
        let begin = Instant::now();
        loop {
            if let Some(found) = self.events().iter().find(|event| fits(event)) {
                return Some(found.clone());
            }
            if begin.elapsed() > patience {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Whether the event belongs to the process `pid` or to something it started.
pub(crate) fn below(event: &Event, pid: u32) -> bool {
    event.process.pid == pid || event.process.ancestors.iter().any(|ancestor| ancestor.pid == pid)
}

/// Runs a script of bash to its end.
#[track_caller]
pub(crate) fn bash(script: &str) -> u32 {
    let mut child = start(script);
    let pid = child.id();
    child.wait().unwrap();
    pid
}

pub(crate) fn start(script: &str) -> Child {
    Command::new("bash")
        .args(["-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("bash is installed")
}
