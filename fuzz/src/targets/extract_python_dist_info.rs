//! `METADATA` of Python distributions.
use crate::Target;

pub(crate) const TARGET: Target =
    Target { name: "extract-python-dist-info", run, seeds, rounds: 10_000 };

fn run(bytes: &[u8]) {
    super::extract("python-dist-info", bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    super::texts([
        "Metadata-Version: 2.1\nName: Django\nVersion: 3.2.1\nLicense: x\n        Name: quoted\n\nName: not\n",
        "name: zope._-interface\r\nversion: 1!2.0+local\r\n\r\n",
        "Name: İ\nVersion:\nVersion: 1\n",
    ])
}
