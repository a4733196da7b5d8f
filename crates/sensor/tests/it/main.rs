//! The sensor on the real kernel: real processes, real containers. Needs root; skipped by name without.
mod containers;
mod events;
mod flood;
mod rig;
mod shells;
