//! One file per measurement, and what they share: how a row is printed, what a process holds, how times are summed up.
pub(crate) mod agent;
pub(crate) mod api;
mod child;
pub(crate) mod dump;
pub(crate) mod gator;
mod quantiles;
pub(crate) mod rescan;
pub(crate) mod reviews;
pub(crate) mod webhook;

use anyhow::Context;
use std::io::Write;

/// One row of a result.
fn row(what: &str, seen: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{what}: {seen}")?)
}

/// Resident and peak MB (10^6 bytes) of this process. Source: proc_pid_status(5), `VmRSS` and `VmHWM` in KiB.
fn memory() -> anyhow::Result<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").context("cannot read own status")?;
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        number
            .map(|kib| kib * 1_024 / 1_000_000)
            .with_context(|| format!("no {name} in own status"))
    };
    Ok((of("VmRSS:")?, of("VmHWM:")?))
}

/// Seconds of processor that this process has used. Source: proc_pid_stat(5), `utime` and `stime` in ticks of 10 ms.
fn processor() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("cannot read own stat")?;
    let (_, after) = stat.rsplit_once(')').context("no name in own stat")?;
    let ticks =
        after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Ok(ticks.sum::<u64>() as f64 / 100.0)
}
