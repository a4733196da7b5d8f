//! What the TOML lock files of Python's package managers share: an array of tables with name and version.
//!
//! Development dependencies count, see `npm_lock`.
use super::lenient::{self, line_of};
use super::python_dist_info::normalise;
use crate::prelude::*;
use serde_json::Value;

/// Bytes. 1,000 packages with the hashes of all their files take 4 MiB.
pub(super) const MAX_BYTES: u64 = 64 * MIB;

/// Adds the packages of `array` but those that are the project's own.
pub(super) fn packages(text: &str, array: &str, is_own: fn(&Value) -> bool, found: &mut Found) {
    let lock = lenient::toml(text, found);
    for package in lock[array].as_array().into_iter().flatten().filter(|package| !is_own(package)) {
        match (package["name"].as_str(), package["version"].as_str()) {
            (Some(name), Some(version)) => {
                found.package(Ecosystem::PyPI, normalise(name), version);
            }
            // A source distribution, from a commit or an archive, may leave its version to its build.
            (Some(name), None) if is_from_source(package) => found.unlocked(name),
            (Some(name), None) => {
                found.malformed(format!("`{name}` has no version"), line_of(text, name));
            }
            (None, _) => found.unreadable(format!("a `[[{array}]]` has no name")),
        }
    }
}

fn is_from_source(package: &Value) -> bool {
    let keys = ["git", "url", "path"];
    package.get("vcs").is_some()
        || package.get("archive").is_some()
        || keys.iter().any(|key| package["source"].get(key).is_some())
}
