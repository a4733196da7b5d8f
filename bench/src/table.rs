//! The results of one run as a table.
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders below criterion's own on the way to a result: group, measurement, `new`.
const DEPTH: usize = 4;

/// Where this run's results lie below `folder`: `GROUP/NAME/new/{benchmark,estimates}.json`, sorted.
fn results(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut level) = (Vec::new(), vec![folder.to_owned()]);
    for _ in 0..DEPTH {
        let entries = level.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
        level = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_dir())
            .collect();
        found.extend(level.iter().filter(|path| path.ends_with("new")).cloned());
    }
    found.sort();
    found
}

/// Removes what an earlier run left, so that the table shows this one alone; what it is compared with stays.
pub fn clear(folder: &Path) -> Result<()> {
    for result in results(folder) {
        fs::remove_dir_all(&result)
            .with_context(|| format!("cannot remove {}", result.display()))?;
    }
    Ok(())
}

/// One row a measurement: name, median, spread (median absolute deviation, per cent), rate.
pub fn render(folder: &Path) -> Result<String> {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["measurement", "median", "spread", "rate"]);
    for result in results(folder) {
        let read = |file: &str| -> Result<Value> {
            let path = result.join(file);
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            Ok(serde_json::from_str(&text)?)
        };
        let (benchmark, estimates) = (read("benchmark.json")?, read("estimates.json")?);
        let nanoseconds =
            |estimate: &str| estimates[estimate]["point_estimate"].as_f64().unwrap_or(f64::NAN);
        let (median, deviation) = (nanoseconds("median"), nanoseconds("median_abs_dev"));
        table.add_row([
            benchmark["full_id"].as_str().unwrap_or_default().to_owned(),
            duration(median),
            format!("{:.1} %", 100.0 * deviation / median),
            rate(&benchmark["throughput"], median),
        ]);
    }
    Ok(table.to_string())
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.1} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}

/// `{"Bytes": 5}` or `{"Elements": 5}` in `nanoseconds`.
fn rate(throughput: &Value, nanoseconds: f64) -> String {
    let per_second = |key: &str| throughput[key].as_f64().map(|amount| amount * 1e9 / nanoseconds);
    match (per_second("Bytes"), per_second("Elements")) {
        (Some(bytes), _) => format!("{:.1} MB/s", bytes / 1e6),
        (None, Some(elements)) if elements >= 1e6 => format!("{:.2} M/s", elements / 1e6),
        (None, Some(elements)) => format!("{elements:.0} /s"),
        (None, None) => String::new(),
    }
}

#[test]
fn a_row_shows_time_and_rate() {
    let throughput = |key: &str| serde_json::json!({key: 2_000});
    assert_eq!(duration(12.34), "12.3 ns");
    assert_eq!(duration(1_234_567.0), "1.23 ms");
    assert_eq!(rate(&throughput("Bytes"), 1_000.0), "2000.0 MB/s");
    assert_eq!(rate(&throughput("Elements"), 1e9), "2000 /s");
    assert_eq!(rate(&throughput("Elements"), 1e3), "2000.00 M/s");
    assert_eq!(rate(&Value::Null, 1.0), "");
}
