//! `seawall sensor`: kernel events of this node, to a hub or to stdout.
use crate::command::hub;
use crate::exit::{Exit, Failure, Outcome};
use crate::link;
use crate::node::{self, Node, Settings};
use crate::output::{self, Format};
use anyhow::Context;
use seawall_model::asset::CapabilityState;
use seawall_model::record::Record;
use seawall_model::time::SystemClock;
use seawall_sensor::{Outputs, Recorder, Sensor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// `https://HOST:PORT` of the hub; without one alerts are printed as JSON lines
    #[arg(long, env = "SEAWALL_HUB", requires = "token_file", value_name = "URL")]
    hub: Option<String>,
    /// File with an enrolment token, read at the first start
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where identity and spool lie [default: sensor/ in the data directory]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// containerd's socket [default: the usual places]
    #[arg(long, value_name = "ADDR")]
    containerd: Option<PathBuf>,
    /// Print what this kernel lets the sensor see, and end (exit 4 if anything is absent)
    #[arg(long, conflicts_with_all = ["hub", "record"])]
    probe: bool,
    /// Write every event to this file as JSON lines, for `seawall replay`
    #[arg(long, conflicts_with = "hub", value_name = "FILE.jsonl")]
    record: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        if self.probe {
            return probe(self.format);
        }
        let runtime = tokio::runtime::Runtime::new()?;
        match (&self.hub, &self.token_file) {
            (Some(hub), Some(token)) => runtime.block_on(self.report(hub, token)),
            _ => runtime.block_on(self.print()),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            state_dir: self.state_dir.clone().unwrap_or_else(|| output::data_dir().join("sensor")),
            cluster: link::machine(),
            node: link::host_name(),
            containerd: self.containerd.clone(),
        }
    }

    async fn report(&self, hub: &str, token: &Path) -> Outcome {
        let started = Node::start(self.settings(), hub, None, || async { link::read_token(token) });
        let (node, reason) = started.await?;
        if let Some(reason) = reason {
            node.stop().await;
            return Err(Failure::could_not_run(reason));
        }
        tokio::select! {
            ended = hub::ended() => ended?,
            () = node.count_losses() => {}
        }
        node.stop().await;
        Ok(Exit::Pass)
    }

    /// Alerts as JSON lines on stdout until Ctrl-C; with `--record` every event into the file as well.
    async fn print(&self) -> Outcome {
        let record = |record: Record| {
            if let Record::Firing(firing) = record
                && let Err(error) = output::print_json_line(&firing)
            {
                tracing::error!(%error, "alert not printed");
            }
        };
        let mut outputs = Outputs { record: Arc::new(record), event: None };
        if let Some(path) = &self.record {
            let recorder = Recorder::create(path)
                .with_context(|| format!("cannot write {}", path.display()))?;
            let mut recorder = Some(recorder);
            // Dropped with the sensor, which writes out what is buffered.
            outputs.event = Some(Box::new(move |event| {
                if let Some(open) = &mut recorder
                    && let Err(error) = open.add(event)
                {
                    tracing::error!(%error, "recording ended early");
                    recorder = None;
                }
            }));
        }
        let config = node::sensor_config(&self.settings());
        let sensor = Sensor::start(config, node::detections(), Arc::new(SystemClock), outputs)
            .map_err(Failure::could_not_run)?;
        eprintln!("sensor is running; Ctrl-C ends it");
        hub::ended().await?;
        let losses = sensor.losses();
        sensor.stop();
        let lost: u64 = losses.iter().map(|lost| lost.count).sum();
        for lost in losses.iter().filter(|lost| lost.count > 0) {
            eprintln!("lost {} records: {}", lost.count, lost.class);
        }
        Ok(if lost == 0 { Exit::Pass } else { Exit::Incomplete })
    }
}

fn probe(format: Format) -> Outcome {
    let capabilities = seawall_sensor::probe().map_err(Failure::could_not_run)?;
    match format {
        Format::Json => output::print_json(&capabilities)?,
        Format::Table => {
            let state = |state| format!("{state:?}").to_lowercase();
            let row = |capability: &seawall_model::asset::Capability| {
                vec![
                    capability.name.clone(),
                    state(capability.state),
                    capability.tier.clone().unwrap_or("-".to_owned()),
                    capability.reason.clone().unwrap_or_default(),
                ]
            };
            let rows: Vec<_> = capabilities.iter().map(row).collect();
            output::print(&output::table(&["CAPABILITY", "STATE", "TIER", "REASON"], &rows))?;
        }
    }
    let absent = capabilities.iter().any(|capability| capability.state == CapabilityState::Absent);
    Ok(if absent { Exit::Incomplete } else { Exit::Pass })
}
