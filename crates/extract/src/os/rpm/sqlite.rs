//! rpm's SQLite database, `rpmdb.sqlite`, as RHEL 9 and Fedora use it. Source: rpm `lib/backend/sqlite.c`.
use super::{MAX_DATABASE, add};
use crate::os::sqlite::{Database, Value};
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "rpm-sqlite",
    title: "rpm database, SQLite",
    // Any folder, since the name tells, and `var/lib/rpm` may be a link; the merge knows where it leads.
    route: Route::Files(&["**/rpmdb.sqlite"]),
    max_bytes: MAX_DATABASE,
    extract: Extract::Bytes(extract),
};

/// What a crash, or a snapshot taken while rpm ran, leaves beside the database.
pub(crate) static LOG: Extractor = Extractor {
    id: "rpm-sqlite-log",
    title: "rpm database, SQLite's write-ahead log",
    route: Route::Files(&["**/rpmdb.sqlite-wal"]),
    max_bytes: MAX_DATABASE,
    extract: Extract::Bytes(extract_log),
};

/// Bytes of a log without any change. Source: "WAL-mode File Format", section 1.
const LOG_HEADER: usize = 32;

fn extract(bytes: &[u8], found: &mut Found) {
    let mut database = match Database::open(bytes) {
        Ok(database) => database,
        Err(reason) => return found.unreadable(reason),
    };
    let missing = database.missing_pages();
    if missing > 0 {
        found.damaged("end of file", &format!("{missing} pages are cut off"));
    }
    let is_there = database.table("Packages", &mut |page, columns| {
        let place = format!("page {page}");
        match columns {
            Ok([_, Value::Blob(blob), ..]) => add(blob, place, found),
            Ok(_) => found.damaged(place, "a row holds no package header"),
            Err(reason) => found.damaged(place, reason),
        }
    });
    if !is_there {
        found.unreadable("the database has no table `Packages`");
    }
}

/// rpm empties the log when it ends as it should.
fn extract_log(bytes: &[u8], found: &mut Found) {
    if bytes.len() > LOG_HEADER {
        found.unreadable("changes that were not yet written to the rpm database are not read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers that rpm wrote, in its schema, on pages of 512 bytes: two packages in chains, and nine signing keys, so
    /// that the table has more than one page.
    const REAL: &[u8] = include_bytes!("fixtures/rpmdb.sqlite");

    #[test]
    fn a_database_that_sqlite_wrote() {
        check(&EXTRACTOR, REAL, "alpha 2:1.0-1, beta 2.0-3.el9");
        let [alpha, beta] = &EXTRACTOR.run(REAL).packages[..] else { panic!("two packages") };
        assert_eq!(beta.module.as_deref(), Some("nodejs:18"));
        assert_eq!((alpha.owned.len(), alpha.vendor.as_deref()), (2, Some("Seawall")));
    }

    #[test]
    fn damage_is_a_gap_and_the_rest_is_read() {
        const PAGE: usize = 512;
        let name = REAL.windows(13).position(|text| text == b"tablePackages").unwrap() + 5;
        #[track_caller]
        fn check(change: impl FnOnce(&mut Vec<u8>), expected: &str) {
            let mut bytes = REAL.to_vec();
            change(&mut bytes);
            crate::found::check(&EXTRACTOR, bytes, expected);
        }
        check(|bytes| bytes[0] = 0, "unreadable");
        check(|bytes| bytes[16] = 0x03, "unreadable");
        check(|bytes| bytes[20] = 0xff, "unreadable");
        check(|bytes| bytes.truncate(99), "unreadable");
        check(Vec::clear, "unreadable");
        check(|bytes| bytes[name] = b'X', "unreadable");
        // The table: page 2, its leaves 3, 4 and 11 to 14, the rest are chains.
        let both = "alpha 2:1.0-1, beta 2.0-3.el9";
        check(|bytes| bytes[PAGE] = 9, "damaged page 2");
        check(|bytes| bytes[PAGE + 3] = 9, "damaged page 2");
        check(|bytes| bytes[PAGE + 11] = 2, &format!("{both}; damaged page 2"));
        check(
            |bytes| bytes.truncate(13 * PAGE),
            &format!("{both}; damaged end of file; damaged page 14"),
        );
        check(|bytes| bytes[13 * PAGE + 9] = bytes[13 * PAGE + 11], both);
    }

    #[test]
    fn a_log_with_changes_is_a_gap() {
        check(&LOG, b"", "");
        check(&LOG, [0; LOG_HEADER], "");
        check(&LOG, [0; LOG_HEADER + 1], "unreadable");
    }
}
