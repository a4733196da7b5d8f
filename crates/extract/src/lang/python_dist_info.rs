//! Python distributions: `*.dist-info/METADATA`. Source: PyPA "Core metadata specifications", PEP 503.
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "python-dist-info",
    title: "Python distribution",
    route: Route::Files(&["**/*.dist-info/METADATA"]),
    max_bytes: 16 * MIB, // Licence texts and read-me files inflate it, to 1 MiB at worst.
    extract: Extract::Text(extract),
};

/// Reads the header block alone: the description that follows may quote other headers.
pub(super) fn extract(text: &str, found: &mut Found) {
    let header = |wanted: &str| {
        let headers = text.lines().take_while(|line| !line.trim_end().is_empty());
        headers.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
            (name.eq_ignore_ascii_case(wanted) && !value.trim().is_empty()).then(|| value.trim())
        })
    };
    match (header("Name"), header("Version")) {
        (Some(name), Some(version)) => found.package(Ecosystem::PyPI, normalise(name), version),
        (None, _) => found.unreadable("metadata has no Name"),
        (_, None) => found.unreadable("metadata has no Version"),
    }
}

/// PEP 503: lower case, runs of `-`, `_` and `.` are one `-`.
pub(super) fn normalise(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.extend(character.to_lowercase()),
        }
    }
    normal
}

#[test]
fn table() {
    check(
        &EXTRACTOR,
        "Metadata-Version: 2.1\nName: Django\nVersion: 3.2.1\n\nName: not\n",
        "django 3.2.1",
    );
    check(&EXTRACTOR, "Name: zope._-interface\r\nVersion: 1\r\n\r\n", "zope-interface 1");
    check(&EXTRACTOR, "name: a\nversion: 1!2.0+local\n", "a 1!2.0+local");
    check(&EXTRACTOR, "License: x\n        Name: quoted\nName: a\nVersion: 1\n", "a 1");
    check(&EXTRACTOR, "Name: a\n\nVersion: 1\n", "unreadable");
    check(&EXTRACTOR, "Version: 1\n", "unreadable");
    check(&EXTRACTOR, "", "unreadable");
    check(&EXTRACTOR, b"\xff\xfe\x00", "unreadable");
}
