//! What a user does, on real parts: the built binary, a real node with pods, a real browser.
//!
//! The scenarios need root and the rig's programs (`make e2e` builds them once); without either they say so and pass
//! by name. They run one at a time: there is one node.

mod api;
mod crash;
mod hardening;
mod rig;
mod runtime;
mod startup;
mod up;

/// The repository's root.
fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("e2e lies in the workspace")
}

/// Why the scenario cannot run here; prints it.
fn skipped(name: &str) -> bool {
    let root = std::process::Command::new("id").arg("-u").output();
    let is_root = root.is_ok_and(|output| output.stdout == b"0\n");
    let reason = match (is_root, rig::programs()) {
        (false, _) => "needs root",
        (_, None) => "needs the rig's programs: run it by `make e2e`",
        _ => return false,
    };
    eprintln!("skipped: {name}: {reason}");
    true
}
