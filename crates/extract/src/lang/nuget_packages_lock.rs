//! `packages.lock.json`. Source: NuGet "Enable repeatable package restores", `PackagesLockFileFormat`.
use super::lenient::{self, line_of};
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "nuget-packages-lock",
    title: "NuGet lock file",
    route: Route::Locked(&["**/packages.lock.json", "**/packages.*.lock.json"]),
    max_bytes: 32 * MIB, // 500 packages for five frameworks take 500 KiB.
    extract: Extract::Text(extract),
};

/// Frameworks → packages. Projects that one builds on are its own.
fn extract(text: &str, found: &mut Found) {
    let lock = lenient::json(text, found);
    let frameworks = lock["dependencies"].as_object().into_iter().flatten();
    for (name, package) in frameworks.filter_map(|(_, packages)| packages.as_object()).flatten() {
        if package["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("project")) {
            continue;
        }
        match package["resolved"].as_str() {
            Some(version) => found.package(Ecosystem::NuGet, name, version),
            None => found.malformed(format!("`{name}` has no version"), line_of(text, name)),
        }
    }
}

#[test]
fn table() {
    let lock = r#"{
  "version": 1,
  "dependencies": {
    "net6.0": {
      "Newtonsoft.Json": {"type": "Direct", "requested": "[13.0.1, )", "resolved": "13.0.1", "contentHash": "x"},
      "System.Buffers": {"type": "Transitive", "resolved": "4.5.1"},
      "library": {"type": "Project", "dependencies": {"Newtonsoft.Json": "[13.0.1, )"}},
      "none": {"type": "Direct"}
    },
    "net8.0": {"Newtonsoft.Json": {"type": "Direct", "resolved": "13.0.1"}}
  }
}"#;
    let read = "Newtonsoft.Json 13.0.1, System.Buffers 4.5.1";
    check(&EXTRACTOR, lock, &format!("{read}; problem at line 8"));
    check(&EXTRACTOR, &lock[..lock.find("\"none").unwrap()], &format!("{read}; problem at line 8"));
    check(&EXTRACTOR, "", "problem at line 1");
}
