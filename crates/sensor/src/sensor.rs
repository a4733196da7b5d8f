//! Starting and stopping a sensor.
use crate::config::Config;
use crate::identity::Worker;
use crate::judge::{Judge, Outputs, Place};
use crate::kernel::drops::Losses;
use crate::kernel::load::{Programs, Settings};
use crate::pipeline::{Parts, Pipeline};
use crate::probe::{CannotRun, chain, probe};
use seawall_model::asset::{Capability, Dropped};
use seawall_model::record::Record;
use seawall_model::time::Clock;
use seawall_rules::firing::Detections;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

/// A running sensor. It stops when this is dropped.
pub struct Sensor {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    losses: Arc<Losses>,
    capabilities: Vec<Capability>,
}

impl Sensor {
    /// Probes the kernel, attaches, learns what runs, and returns once events are being judged. Results go to
    /// `outputs`, capabilities first.
    pub fn start(
        config: Config,
        detections: Detections,
        clock: Arc<dyn Clock>,
        outputs: Outputs,
    ) -> Result<Self, CannotRun> {
        let capabilities = probe()?;
        (outputs.record)(Record::Capabilities(capabilities.clone()));
        let settings = Settings {
            own_tgid: std::process::id(),
            wanted: u32::MAX,
            budget: config.budget,
            watch: &config.watch,
        };
        let programs =
            Programs::load(&settings).map_err(|error| CannotRun::Refused(chain(&error)))?;
        let losses = Arc::new(Losses::default());
        let place = Place { cluster: config.cluster.clone(), node: config.node.clone() };
        let judge = Judge::new(detections, outputs, place, Arc::clone(&losses));
        let (sender, answers) = mpsc::channel();
        let worker = Worker::start(config.runtimes.clone(), sender).map_err(CannotRun::Thread)?;
        let parts =
            Parts { config, clock, programs, losses: Arc::clone(&losses), judge, worker, answers };
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, wait) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sensor".to_owned())
            .spawn({
                let stop = Arc::clone(&stop);
                move || {
                    Pipeline::new(parts).run(&stop, || {
                        let _starter_gone = ready.send(());
                    });
                }
            })
            .map_err(CannotRun::Thread)?;
        if wait.recv().is_err() {
            return Err(CannotRun::Refused("the sensor's thread ended at once".to_owned()));
        }
        Ok(Self { stop, thread: Some(thread), losses, capabilities })
    }

    /// What this kernel lets the sensor see.
    pub fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    /// Records lost since the start, by class.
    pub fn losses(&self) -> Vec<Dropped> {
        self.losses.by_class()
    }

    /// False where the thread died; the reason is in the log.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Detaches; events that have arrived are judged before this returns.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("sensor thread panicked");
        }
    }
}
