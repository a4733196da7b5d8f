//! What watching costs when nothing happens.
use crate::begin;
use crate::rig::Rig;
use crate::up::Up;
use anyhow::{Context, Result};
use std::time::Duration;

/// Memory of its own that everything `up` runs holds; the pages of the program's file are the kernel's to take back,
/// and a debug build has three times those of a release.
const MAX_OWN_MIB: u64 = 150;
/// Clock ticks a second in `/proc/PID/stat`. Source: proc_pid_stat(5), `sysconf(_SC_CLK_TCK)` on Linux.
const TICKS: u64 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn idle_stays_small() -> Result<()> {
    let Some(_turn) = begin("idle stays small") else { return Ok(()) };
    // `make oracles` asks for 600 seconds and 20 containers.
    let number = |name: &str, short: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(short)
    };
    let (seconds, containers) =
        (number("SEAWALL_IDLE_SECONDS", 15), number("SEAWALL_IDLE_CONTAINERS", 3));
    let rig = Rig::up()?;
    for pod in 0..containers {
        rig.pod(&format!("idle-{pod}"), "seawall.test/busybox:1")?;
    }
    let dir = tempfile::tempdir()?;
    let kubeconfig = rig.kubeconfig().display().to_string();
    let containerd = rig.containerd().display().to_string();
    let up = Up::start(dir.path(), &["--kubeconfig", &kubeconfig, "--containerd", &containerd])?;
    // The scans of the first start are work, not idling: the node's own takes longest.
    tokio::time::sleep(Duration::from_secs(if seconds > 60 { 120 } else { 5 })).await;
    let before = ticks(up.child.id())?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let used = (ticks(up.child.id())? - before) as f64 / TICKS as f64;
    let (resident, peak) = (memory(up.child.id(), "VmRSS")?, memory(up.child.id(), "VmHWM")?);
    let own = memory(up.child.id(), "RssAnon")?;
    eprintln!(
        "{containers} containers, {seconds} s: {resident} MiB resident, {own} MiB of its own, {peak} MiB peak, {:.2} % of a core",
        100.0 * used / seconds as f64
    );
    assert!(own <= MAX_OWN_MIB, "{own} MiB of its own");
    Ok(())
}

/// CPU time so far, user and system. Source: proc_pid_stat(5), fields 14 and 15.
fn ticks(pid: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; fields are counted after it.
    let (_, fields) = stat.rsplit_once(')').context("stat has a name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}

/// MiB of a line of `/proc/PID/status`.
fn memory(pid: u32, name: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name)).context("status has the line")?;
    let kib: u64 = line.split_whitespace().nth(1).context("the line has a number")?.parse()?;
    Ok(kib / 1024)
}
