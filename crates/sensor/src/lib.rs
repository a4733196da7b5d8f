//! The node sensor: kernel events with the process, its ancestors and its container, judged by rules on the node.
//!
//! ```text
//! bpf/*.bpf.c ─rings─► kernel ─Record─► pipeline ─Event─► judge ─Firing─► sink
//!                                        │  ▲
//!             processes, streams, drift ─┘  └─ identity ◄─gRPC─ containerd, CRI
//! node, images ─scan─► inventory ─Inventory─► sink
//! node's files, /proc ─reduce─► facts ─Node─► sink
//! ```
//!
//! The pipeline thread owns all state; identity asks the runtime from a thread of its own. Nothing here knows the hub:
//! results are records into a sink.
mod config;
mod drift;
mod facts;
mod identity;
mod inventory;
mod judge;
mod kernel;
mod pipeline;
mod probe;
mod processes;
mod recorder;
mod sensor;
mod streams;

pub use config::{Config, RUNTIME_SOCKETS, Watch};
pub use facts::{FactsTask, Versions, node_facts};
pub use inventory::{InventoryTask, images};
pub use judge::{EventTap, Outputs};
pub use probe::{CannotRun, probe};
pub use recorder::Recorder;
pub use seawall_rules::firing::Detections;
pub use sensor::Sensor;
