//! The sensor on the real kernel: real processes, real containers. Needs root; skipped by name without.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod containers;
mod events;
mod flood;
mod rig;
mod shells;
