//! The tar walk: as given, and with the checksums of its headers made right.
use super::{tar, with_checksums};
use crate::Target;
use seawall_oci::parse_for_fuzzing;

pub(crate) const TARGET: Target = Target { name: "oci-tar", run, seeds, rounds: 2_000 };

fn run(bytes: &[u8]) {
    parse_for_fuzzing(bytes);
    parse_for_fuzzing(&with_checksums(bytes));
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let long = "d/".repeat(120) + "file";
    let mut special = tar::Builder::new(Vec::new());
    let mut entry = |kind: tar::EntryType, path: &str, link: Option<&str>| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(0);
        match link {
            Some(link) => special.append_link(&mut header, path, link),
            None => special.append_data(&mut header, path, std::io::empty()),
        }
        .expect("a vector takes every write");
    };
    entry(tar::EntryType::Directory, "etc/", None);
    entry(tar::EntryType::Symlink, "var/lib", Some("../real"));
    entry(tar::EntryType::Link, "hard", Some("etc/os-release"));
    entry(tar::EntryType::Fifo, "pipe", None);
    entry(tar::EntryType::GNUSparse, "sparse", None);
    entry(tar::EntryType::Symlink, "far", Some(&long));
    let special = special.into_inner().expect("a vector takes every write");
    let mut pax = tar::Builder::new(Vec::new());
    pax.append_pax_extensions([
        ("path", b"a/b".as_slice()),
        ("size", b"3"),
        ("GNU.sparse.name", b"s"),
        ("linkpath", b"l"),
    ])
    .expect("a vector takes every write");
    let mut header = tar::Header::new_ustar();
    header.set_size(3);
    pax.append_data(&mut header, "x", b"abc".as_slice()).expect("a vector takes every write");
    vec![
        tar(&[("etc/os-release", b"ID=debian\nVERSION_ID=12\n"), ("etc/.wh.gone", b"")]),
        tar(&[(&long, b"content")]),
        special,
        pax.into_inner().expect("a vector takes every write"),
    ]
}
