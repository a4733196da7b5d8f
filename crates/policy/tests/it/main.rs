//! Gatekeeper's own verdict on our suites is ours.
mod gator;
