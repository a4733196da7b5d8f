//! Tells the facts of this node: at the start, when they change, and every hour.
use super::versions::Versions;
use crate::config::Config;
use seawall_model::facts::{MAX_FACTS_BYTES, NodeFacts};
use seawall_model::record::Record;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Unchanged facts are told again after this long, so that a hub judges them by new controls.
const TELL_EVERY: Duration = Duration::from_secs(3600);
/// Below everything that answers a user.
const NICE: i32 = 10;

/// A running collection of facts. It ends when this is dropped.
pub struct FactsTask {
    stop: Option<Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl FactsTask {
    /// Needs no kernel events, and no right but to read the host's files.
    pub fn start(config: Config, sink: Arc<dyn Fn(Record) + Send + Sync>) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name("sensor-facts".to_owned()).spawn(move || {
                // Without the right to, it merely competes with the rest.
                let _nice = rustix::process::setpriority_process(None, NICE);
                run(&config, &stopped, &*sink);
            })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for FactsTask {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("facts thread panicked");
        }
    }
}

fn run(config: &Config, stopped: &Receiver<()>, sink: &(dyn Fn(Record) + Send + Sync)) {
    let mut versions = Versions::default();
    let mut told: Option<(NodeFacts, Instant)> = None;
    loop {
        let facts = super::node_facts(config, &mut versions);
        let known =
            told.as_ref().is_some_and(|(before, at)| *before == facts && at.elapsed() < TELL_EVERY);
        if !known {
            let bytes = facts.document().to_string().len();
            if bytes > MAX_FACTS_BYTES {
                tracing::error!(bytes, "facts of this node are too large to tell");
            } else {
                let record = Record::Node { facts: Box::new(facts.clone()), assessment: None };
                sink(record);
            }
            told = Some((facts, Instant::now()));
        }
        match stopped.recv_timeout(LOOK_EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
