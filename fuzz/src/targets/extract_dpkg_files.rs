//! dpkg's lists of owned files.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-dpkg-files", run, seeds, rounds: 10_000 };

fn run(bytes: &[u8]) {
    super::extract("dpkg-files", bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    super::texts([
        "/.\n/usr\n/usr/bin\n/usr/bin/a b\n",
        "d41d8cd98f00b204e9800998ecf8427e  usr/bin/x\nd41d8cd98f00b204e9800998ecf8427e  ./usr/bin/y",
    ])
}
