//! Installed R packages: `DESCRIPTION`, a Debian-like control file. Source: Writing R Extensions, "The DESCRIPTION file".
//!
//! CRAN writes `Repository: CRAN` into what it publishes. R's own packages lack it, and so do those of Bioconductor, for
//! which no advisories are known.
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "r-description",
    title: "R package",
    route: Route::Files(&["**/DESCRIPTION"]),
    max_bytes: 4 * MIB, // Real ones stay under 64 KiB.
    extract: Extract::Text(extract),
};

fn extract(text: &str, found: &mut Found) {
    let field = |wanted: &str| {
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.filter(|(name, _)| *name == wanted).map(|(_, value)| value.trim()).next()
    };
    if field("Repository") != Some("CRAN") {
        return;
    }
    match (field("Package"), field("Version")) {
        (Some(name), Some(version)) if !name.is_empty() && !version.is_empty() => {
            found.package(Ecosystem::Cran, name, version);
        }
        _ => found.unreadable("R package has no `Package` or no `Version`"),
    }
}

#[test]
fn table() {
    let jsonlite = "Package: jsonlite\nVersion: 1.8.4\nTitle: A Simple and Robust JSON Parser and Generator for R\nDescription: A\n    Version: 9 of it.\nLicense: MIT + file LICENSE\n\
        Repository: CRAN\nDate/Publication: 2022-12-06 08:10:02 UTC\nBuilt: R 4.3.0; x86_64-pc-linux-gnu; 2023-05-01 10:00:00 UTC; unix\n";
    check(&EXTRACTOR, jsonlite, "jsonlite 1.8.4");
    check(&EXTRACTOR, "Package: base\nVersion: 4.3.0\nPriority: base\n", "");
    check(&EXTRACTOR, "Package: a\nVersion: 1\nRepository: Bioconductor\n", "");
    check(&EXTRACTOR, "Package: a\nRepository: CRAN\n", "unreadable");
    check(&EXTRACTOR, "Any text of that name: 1\n", "");
    check(&EXTRACTOR, "", "");
}
