//! Packages of rpm: three kinds of database and the list of images without one, all of the same headers.
pub(crate) mod bdb;
mod header;
pub(crate) mod manifest;
pub(crate) mod ndb;
#[cfg(test)]
mod property;
pub(crate) mod sqlite;
mod vendor;

use crate::prelude::*;
use header::{Header, Tag};
use std::fmt::Display;
pub(crate) use vendor::is_third_party;

/// Where databases lie, in the order that says which counts: the folders of `%_dbpath` of RHEL and its kin, of Fedora
/// and SUSE, of rpm-ostree; in one folder the order in which rpm tries its formats (`lib/backend/dbi.c`). The list
/// of images without a database comes last.
pub(crate) const PLACES: [&str; 10] = [
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/Packages",
    "usr/share/rpm/rpmdb.sqlite",
    "usr/share/rpm/Packages.db",
    "usr/share/rpm/Packages",
    "var/lib/rpmmanifest/container-manifest-2",
];

/// Bytes. Berkeley DB never shrinks a file: those of long-lived machines take hundreds of MiB.
const MAX_DATABASE: u64 = GIB;
/// Bytes of one directory's name: more is no path, and would cost a hash for each file in it.
const MAX_DIRECTORY: usize = 4096;

/// Adds the package of one header. `place` is where in the file it stands.
fn add(blob: &[u8], place: impl Display, found: &mut Found) {
    let header = match Header::parse(blob) {
        Ok(header) => header,
        Err(reason) => return found.damaged(place, reason),
    };
    let (Some(name), Some(version), Some(release)) =
        (header.text(Tag::Name), header.text(Tag::Version), header.text(Tag::Release))
    else {
        return found.damaged(place, "a package without name, version or release");
    };
    // Keys that packages were signed with are kept as packages.
    if name == "gpg-pubkey" {
        return;
    }
    let epoch = header.numbers(Tag::Epoch).next();
    let mut package = FoundPackage {
        arch: header.text(Tag::Arch).map(|arch| arch.into_owned()),
        source: header.text(Tag::SourceRpm).and_then(|file| source(&file)),
        vendor: header.text(Tag::Vendor).map(|vendor| vendor.into_owned()),
        module: header.text(Tag::ModularityLabel).and_then(|label| module(&label)),
        ..FoundPackage::new(Ecosystem::Rpm, name, evr(epoch, &format!("{version}-{release}")))
    };
    if own_files(&header, &mut package, found).is_none() {
        found.damaged(place, "the file list of a package does not fit together");
    }
    found.packages.push(package);
}

/// Hashes of the files that the package owns; `None` where the three lists do not fit each other.
fn own_files(header: &Header<'_>, package: &mut FoundPackage, found: &mut Found) -> Option<()> {
    let directories: Vec<_> = header.texts(Tag::DirNames).collect();
    let (mut names, mut indexes) = (header.texts(Tag::BaseNames), header.numbers(Tag::DirIndexes));
    let count = header.count(Tag::BaseNames);
    if count != header.count(Tag::DirIndexes) {
        return None;
    }
    for _ in 0..count {
        let directory = directories.get(indexes.next()? as usize)?;
        if directory.len() > MAX_DIRECTORY {
            return None;
        }
        let Some(hash) = found.owned_by_package(directory, &names.next()?) else { break };
        package.owned.push(hash);
    }
    Some(())
}

/// `epoch:version-release`. An epoch of 0 is left out, as rpm's own tools do: absent and 0 are the same.
fn evr(epoch: Option<u32>, version: &str) -> String {
    match epoch {
        Some(epoch) if epoch > 0 => format!("{epoch}:{version}"),
        _ => version.to_owned(),
    }
}

/// `name-version-release.src.rpm`; it carries no epoch.
fn source(file: &str) -> Option<SourcePackage> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(SourcePackage { name: name.to_owned(), version: format!("{version}-{release}") })
}

/// `name:stream` of `name:stream:version:context`. Source: Fedora "Modularity", `ModularityLabel`.
fn module(label: &str) -> Option<String> {
    let mut parts = label.split(':');
    let (name, stream) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !stream.is_empty()).then(|| format!("{name}:{stream}"))
}

#[cfg(test)]
mod tests {
    use super::header::{Value, build};
    use super::*;
    use crate::hash::path_hash;

    fn found(extra: Vec<(Tag, Value)>) -> Found {
        let mut values = vec![
            (Tag::Name, Value::Text("bash")),
            (Tag::Version, Value::Text("5.1.8")),
            (Tag::Release, Value::Text("6.el9")),
        ];
        values.extend(extra);
        let mut found = Found::default();
        add(&build(&values), "row 1", &mut found);
        found
    }

    #[test]
    fn fields() {
        let all = found(vec![
            (Tag::Epoch, Value::Numbers(&[1])),
            (Tag::Arch, Value::Text("x86_64")),
            (Tag::SourceRpm, Value::Text("bash-src-5.1.8-6.el9.src.rpm")),
            (Tag::Vendor, Value::Text("Red Hat, Inc.")),
            (Tag::ModularityLabel, Value::Text("shells:5:820190711:aa")),
        ]);
        let [package] = all.packages.as_slice() else { panic!("{all:?}") };
        let source = SourcePackage { name: "bash-src".into(), version: "5.1.8-6.el9".into() };
        let expected = FoundPackage {
            arch: Some("x86_64".into()),
            source: Some(source),
            vendor: Some("Red Hat, Inc.".into()),
            module: Some("shells:5".into()),
            ..FoundPackage::new(Ecosystem::Rpm, "bash", "1:5.1.8-6.el9")
        };
        assert_eq!((package, &all.problems[..]), (&expected, &[][..]));
        let none = found(Vec::new());
        let expected = FoundPackage::new(Ecosystem::Rpm, "bash", "5.1.8-6.el9");
        assert_eq!(none.packages, [expected]);
        assert_eq!(found(vec![(Tag::Epoch, Value::Numbers(&[0]))]).packages, none.packages);
        let key = found(vec![(Tag::Name, Value::Text("gpg-pubkey"))]);
        assert!(key.packages.is_empty() && key.problems.is_empty());
    }

    #[test]
    fn file_lists() {
        #[track_caller]
        fn check(
            names: &'static [&'static str],
            indexes: &'static [u32],
            owned: &[&str],
            whole: bool,
        ) {
            let found = found(vec![
                (Tag::DirNames, Value::Texts(&["/usr/bin/", "/etc/"])),
                (Tag::BaseNames, Value::Texts(names)),
                (Tag::DirIndexes, Value::Numbers(indexes)),
            ]);
            let hashes: Vec<_> = owned.iter().map(|path| path_hash(path)).collect();
            assert_eq!((&found.packages[0].owned, found.problems.is_empty()), (&hashes, whole));
        }
        check(&["a", "b"], &[0, 1], &["usr/bin/a", "etc/b"], true);
        check(&[], &[], &[], true);
        check(&["a", "b"], &[0, 2], &["usr/bin/a"], false);
        check(&["a", "b"], &[0], &[], false);
        check(&["a"], &[0, 1], &[], false);
    }

    #[test]
    fn sources_and_modules() {
        assert_eq!(source("a-b-1.0-2.el9.nosrc.rpm").unwrap().name, "a-b");
        for broken in ["a-1.src.rpm", "a-1-2", "(none)", ""] {
            assert_eq!(source(broken), None, "{broken}");
        }
        assert_eq!(module("nodejs:18").as_deref(), Some("nodejs:18"));
        for broken in ["nodejs", "", ":", "nodejs::1", "(none)"] {
            assert_eq!(module(broken), None, "{broken}");
        }
    }

    #[test]
    fn broken_headers_are_gaps() {
        #[track_caller]
        fn check(blob: &[u8], expected: &str) {
            let mut found = Found::default();
            add(blob, "row 1", &mut found);
            assert_eq!(found.problems[0].message, expected);
        }
        check(b"", "row 1: the header of a package is cut short");
        let nameless = build(&[(Tag::Version, Value::Text("1"))]);
        check(&nameless, "row 1: a package without name, version or release");
    }
}
