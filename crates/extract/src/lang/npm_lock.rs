//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3. Source: npm "package-lock.json".
//!
//! Development dependencies count, here as in every lock file: they run where the code is built and tested, with the
//! rights of whoever does so. What a lock file says of them is lost; trivy leaves them out unless asked, osv-scanner
//! and grype keep them. Members of a workspace are what is being built, not what it is built from.
use super::lenient::{self, line_of};
use crate::prelude::*;
use serde_json::{Map, Value};

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "npm-lock",
    title: "npm lock file",
    route: Route::Locked(&["**/package-lock.json", "**/npm-shrinkwrap.json"]),
    max_bytes: 64 * MIB, // 5,000 packages take 3 MiB.
    extract: Extract::Text(extract),
};

const FOLDER: &str = "node_modules/";

fn extract(text: &str, found: &mut Found) {
    let lock = lenient::json(text, found);
    // Version 2 has both forms, that of version 1 for older clients.
    if let Some(packages) = lock["packages"].as_object() {
        for (path, package) in packages {
            by_path(path, package, text, found);
        }
    } else if let Some(dependencies) = lock["dependencies"].as_object() {
        by_name(dependencies, text, found);
    }
}

/// Versions 2 and 3: paths from the root. One outside `node_modules` is the project's own.
fn by_path(path: &str, package: &Value, text: &str, found: &mut Found) {
    let Some(at) = path.rfind(FOLDER) else { return };
    if package["link"].as_bool() == Some(true) {
        return;
    }
    // A package under an alias says its name.
    let name = package["name"].as_str().unwrap_or(&path[at + FOLDER.len()..]);
    match package["version"].as_str() {
        Some(version) => found.package(Ecosystem::Npm, name, version),
        None => found.malformed(format!("`{path}` has no version"), line_of(text, path)),
    }
}

/// Version 1: a tree by name. The depth is bounded by that of JSON.
fn by_name(dependencies: &Map<String, Value>, text: &str, found: &mut Found) {
    for (name, package) in dependencies {
        match package["version"].as_str() {
            Some(version) => add(name, version, found),
            None => found.malformed(format!("`{name}` has no version"), line_of(text, name)),
        }
        if let Some(nested) = package["dependencies"].as_object() {
            by_name(nested, text, found);
        }
    }
}

fn add(name: &str, version: &str, found: &mut Found) {
    if let Some((real, version)) =
        version.strip_prefix("npm:").and_then(|spec| spec.rsplit_once('@'))
    {
        found.package(Ecosystem::Npm, real, version);
    } else if version.starts_with(|first: char| first.is_ascii_digit()) {
        found.package(Ecosystem::Npm, name, version);
    } else if !version.starts_with("file:") {
        // A commit or an address.
        found.unlocked(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As npm 9 writes it, without integrity.
    const V3: &str = r#"{
  "name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
  "packages": {
    "": {"name": "app", "version": "1.0.0", "dependencies": {"odd": "npm:is-odd@^3.0.1"}},
    "node_modules/odd": {
      "name": "is-odd",
      "version": "3.0.1",
      "resolved": "https://registry.example/is-odd/-/is-odd-3.0.1.tgz",
      "dependencies": {"is-number": "^6.0.0"}
    },
    "node_modules/odd/node_modules/is-number": {"version": "6.0.0"},
    "node_modules/@types/node": {"version": "20.1.0", "dev": true},
    "node_modules/member": {"resolved": "packages/member", "link": true},
    "packages/member": {"version": "0.0.1"}
  },
  "dependencies": {"not-read": {"version": "1.0.0"}}
}"#;
    const V1: &str = r#"{
  "lockfileVersion": 1,
  "dependencies": {
    "is-odd": {"version": "3.0.1", "requires": {"is-number": "^6.0.0"},
      "dependencies": {"is-number": {"version": "6.0.0"}}},
    "alias": {"version": "npm:@scope/real@1.2.3"},
    "commit": {"version": "git+ssh://git@example.org/a/b.git#0123abc", "from": "x"},
    "own": {"version": "file:../own"},
    "none": {}
  }
}"#;

    #[test]
    fn table() {
        check(&EXTRACTOR, V3, "is-odd 3.0.1, is-number 6.0.0, @types/node 20.1.0");
        check(
            &EXTRACTOR,
            V1,
            "is-odd 3.0.1, is-number 6.0.0, @scope/real 1.2.3; problem at line 9; 1 unlocked",
        );
        check(&EXTRACTOR, r#"{"lockfileVersion": 3, "packages": {}}"#, "");
    }

    #[test]
    fn broken() {
        let cut = &V3[..V3.find("20.1.0").unwrap()];
        let expected = "is-odd 3.0.1, is-number 6.0.0; problem at line 12; problem at line 12";
        check(&EXTRACTOR, cut, expected);
        check(&EXTRACTOR, "<<<<<<< HEAD\n{}", "problem at line 1");
        check(&EXTRACTOR, "", "problem at line 1");
        check(&EXTRACTOR, r#"{"packages": 3, "dependencies": []}"#, "");
    }
}
