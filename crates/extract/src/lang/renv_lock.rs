//! `renv.lock` of R. Source: renv "Lockfiles".
//!
//! Only packages from CRAN have advisories here; those of Bioconductor or a commit are told as a note.
use super::lenient::{self, line_of};
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "renv-lock",
    title: "renv lock file",
    route: Route::Locked(&["**/renv.lock"]),
    max_bytes: 32 * MIB, // With the descriptions of renv 1.1, 300 packages take 1 MiB.
    extract: Extract::Text(extract),
};

fn extract(text: &str, found: &mut Found) {
    let lock = lenient::json(text, found);
    let mut elsewhere = 0;
    for (name, package) in lock["Packages"].as_object().into_iter().flatten() {
        if package["Repository"].as_str() != Some("CRAN") {
            elsewhere += 1;
            continue;
        }
        let name = package["Package"].as_str().unwrap_or(name);
        match package["Version"].as_str() {
            Some(version) => found.package(Ecosystem::Cran, name, version),
            None => found.malformed(format!("`{name}` has no version"), line_of(text, name)),
        }
    }
    if elsewhere > 0 {
        let message =
            format!("{elsewhere} R packages are not from CRAN, so no advisories are known");
        found.note("r-package-not-from-cran", message);
    }
}

#[test]
fn table() {
    let lock = r#"{
  "R": {"Version": "4.3.0", "Repositories": [{"Name": "CRAN", "URL": "https://cran.example"}]},
  "Packages": {
    "jsonlite": {"Package": "jsonlite", "Version": "1.8.4", "Source": "Repository", "Repository": "CRAN", "Hash": "x"},
    "Biobase": {"Package": "Biobase", "Version": "2.60.0", "Source": "Bioconductor"},
    "none": {"Package": "none", "Repository": "CRAN"}
  }
}"#;
    check(&EXTRACTOR, lock, "jsonlite 1.8.4; problem at line 6; note r-package-not-from-cran");
    check(
        &EXTRACTOR,
        &lock[..lock.find("\"Biobase").unwrap()],
        "jsonlite 1.8.4; problem at line 5",
    );
    check(&EXTRACTOR, "", "problem at line 1");
}
