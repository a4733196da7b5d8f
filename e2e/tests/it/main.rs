//! What a user does, on real parts: the built binary, a real node with pods, a real browser.
//!
//! The scenarios need root and the rig's programs (`make e2e` builds them once); without either they say so and pass
//! by name. They run one at a time: there is one node.
#![expect(clippy::unwrap_used, reason = "a scenario fails by panicking")]

mod api;
mod audit;
mod browser;
mod chart;
mod chart_upgrade;
mod controls;
mod crash;
mod hardening;
mod helm;
mod idle;
mod nodes;
mod pod_security;
mod policies;
mod rbac;
mod rig;
mod runtime;
mod scan;
mod startup;
mod up;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The repository's root.
fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("e2e lies in the workspace")
}

/// Says how long something took. Machines that run tests are shared and noisy: only `make oracles`, which runs alone,
/// holds it to its bound.
#[track_caller]
fn timed(what: &str, took: Duration, bound: Duration) {
    eprintln!("{what}: {took:?}");
    if std::env::var_os("SEAWALL_TIMED").is_some() {
        assert!(took < bound, "{what}: {took:?}, at most {bound:?}");
    }
}

/// Held by one scenario at a time, each on a thread and runtime of its own: waiting for it stalls nothing else.
struct Turn {
    _node: MutexGuard<'static, ()>,
}

/// The scenario's turn on the one node; none where it cannot run here, which is said by name.
fn begin(name: &str) -> Option<Turn> {
    static NODE: Mutex<()> = Mutex::new(());
    let user = std::process::Command::new("id").arg("-u").output();
    let is_root = user.is_ok_and(|output| output.stdout == b"0\n");
    let reason = match (is_root, rig::programs()) {
        (false, _) => "needs root",
        (_, None) => "needs the rig's programs: run it by `make e2e`",
        // A scenario that failed leaves nothing behind that the next one would meet.
        _ => return Some(Turn { _node: NODE.lock().unwrap_or_else(PoisonError::into_inner) }),
    };
    eprintln!("skipped: {name}: {reason}");
    None
}
