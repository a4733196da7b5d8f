//! `PKG-INFO` of setuptools' eggs.
use crate::Target;

pub(crate) const TARGET: Target =
    Target { name: "extract-python-egg-info", run, seeds, rounds: 10_000 };

fn run(bytes: &[u8]) {
    super::extract("python-egg-info", bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    super::texts(["Metadata-Version: 1.1\nName: PyYAML\nVersion: 5.3\nSummary: x\n", "Name: cut"])
}
