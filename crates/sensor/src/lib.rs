//! The node sensor: kernel events with the process, its ancestors and its container, judged by rules on the node.
mod config;
mod identity;
mod kernel;
mod processes;
mod streams;

pub use config::{CONTAINERD_SOCKETS, Config, Watch};
