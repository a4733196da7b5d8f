//! Repositories that DNF 4 installed packages from. Source: libdnf `libdnf/transaction`, table `repo` of its history.
use crate::os::sqlite::{Database, Value};
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "dnf-history",
    title: "DNF history",
    route: Route::Files(&["var/lib/dnf/history.sqlite"]),
    max_bytes: 512 * MIB, // Rows of every transaction, kept for the life of a machine.
    extract: Extract::Bytes(extract),
};

/// What DNF names where a package came from no repository.
const NONE: [&[u8]; 3] = [b"@System", b"@commandline", b""];

/// Rows of id and name. A history that cannot be read takes no package away, so it is a note.
fn extract(bytes: &[u8], found: &mut Found) {
    let mut database = match Database::open(bytes) {
        Ok(database) => database,
        Err(reason) => return found.note("unreadable-dnf-history", reason),
    };
    database.table("repo", &mut |page, columns| match columns {
        Ok([_, Value::Text(name), ..]) if !NONE.contains(name) => {
            found.repositories.push(String::from_utf8_lossy(name).into_owned());
        }
        Ok(_) => {}
        Err(reason) => found.note("unreadable-dnf-history", format!("page {page}: {reason}")),
    });
}

#[test]
fn table() {
    // Made by SQLite 3.40: the table `repo (id INTEGER PRIMARY KEY, repoid TEXT NOT NULL)` with three rows.
    let history = include_bytes!("fixtures/history.sqlite");
    let found = EXTRACTOR.run(history);
    assert_eq!(found.repositories, ["rhel-9-for-x86_64-baseos-rpms", "epel"]);
    assert_eq!(found.problems, []);
    check(&EXTRACTOR, b"", "note unreadable-dnf-history");
    check(&EXTRACTOR, &history[..512], "note unreadable-dnf-history");
}
