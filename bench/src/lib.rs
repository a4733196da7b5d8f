//! What `make bench` measures with: generated inputs, equal on every machine, and the table of results.
//!
//! The measurements stand in `benches/seawall`, one file per room. They say how fast a room is on this machine; no
//! test fails by time.
pub mod access;
pub mod cluster;
mod dice;
pub mod events;
pub mod gatekeeper;
pub mod image;
pub mod index;
pub mod objects;
pub mod records;
pub mod reviews;
pub mod table;
