//! Every measurement: `make bench [ARGS=FILTER]`.
mod access;
mod cel;
mod extract;
mod gatekeeper;
mod policies;
mod posture;
mod rules;
mod uplink;
mod vuln;

use criterion::Criterion;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Long enough for a spread of a few per cent, short enough to be run before and after each change.
const MEASURED: Duration = Duration::from_millis(1_500);
const WARM_UP: Duration = Duration::from_millis(500);
const SAMPLES: usize = 20;

fn main() -> anyhow::Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../target").into(), PathBuf::from);
    let results = target.join("criterion");
    seawall_bench::table::clear(&results)?;
    let mut criterion = Criterion::default()
        .output_directory(&results)
        .measurement_time(MEASURED)
        .warm_up_time(WARM_UP)
        .sample_size(SAMPLES)
        .configure_from_args();
    cel::measure(&mut criterion);
    rules::measure(&mut criterion);
    vuln::measure(&mut criterion);
    extract::measure(&mut criterion);
    posture::measure(&mut criterion);
    access::measure(&mut criterion);
    gatekeeper::measure(&mut criterion);
    policies::measure(&mut criterion);
    uplink::measure(&mut criterion);
    writeln!(std::io::stdout(), "\n{}", seawall_bench::table::render(&results)?)?;
    Ok(())
}
