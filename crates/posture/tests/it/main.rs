//! Posture on real input: the content that ships, upstream's pods, manifests as people write them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod admission;
mod admission_sets;
mod admission_trials;
mod assigned;
mod content;
mod kinds;
mod live;
mod machines;
mod manifests;
mod objects;
mod report;
mod scores;
mod standards;
