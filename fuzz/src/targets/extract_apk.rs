//! apk's `installed`.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-apk", run, seeds, rounds: 10_000 };

fn run(bytes: &[u8]) {
    super::extract("apk", bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    super::texts([
        "C:Q1abc=\nP:busybox-binsh\nV:1.36.1-r5\nA:x86_64\no:busybox\nm:Somebody <a@example.org>\nF:bin\nR:sh\na:0:0:777\n\
         Z:Q1pc=\nF:\nR:.dot\n\nP:musl\nV:1.2.4-r2\n\n",
        "P:a\r\nV:1\r\nrubbish\r\n\r\nV:2\r\n",
    ])
}
