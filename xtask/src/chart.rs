//! The Helm chart as `helm package` would pack it, but with the same bytes each time.
use crate::archive::{self, Entry};
use anyhow::{Context, Result};
use std::path::Path;

/// The chart's folder below the root.
const CHART: &str = "deploy/helm/seawall";

/// The `.tgz`: every file below a folder of the chart's name, `Chart.yaml` first as Helm's own packer has it.
pub(crate) fn pack(root: &Path, time: u64) -> Result<Vec<u8>> {
    let mut paths = crate::tidy::files(root, CHART, "")?;
    paths.sort_by_key(|path| (!path.ends_with("Chart.yaml"), path.clone()));
    let mut entries = Vec::new();
    for path in paths {
        let bytes = std::fs::read(root.join(&path))
            .with_context(|| format!("cannot read {}", path.display()))?;
        let inner = path.strip_prefix(CHART).expect("the walk began there");
        entries.push(Entry::file(format!("seawall/{}", inner.display()), 0o644, bytes));
    }
    archive::gzip(&archive::tar(&entries, time)?)
}

#[test]
fn the_chart_is_of_our_version() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join(CHART).join("Chart.yaml")).unwrap();
    let chart: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(chart["version"], crate::options::VERSION);
    assert_eq!(chart["appVersion"], crate::options::VERSION);
    assert_eq!(pack(root, 0).unwrap(), pack(root, 0).unwrap());
}
