//! `composer.lock`. Source: Composer "Commit your `composer.lock` file"; `Composer\Package\Locker`.
//! Development dependencies count, see `npm_lock`.
use super::lenient::{self, line_of};
use crate::prelude::*;
use serde_json::Value;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "composer-lock",
    title: "Composer lock file",
    route: Route::Locked(&["**/composer.lock"]),
    max_bytes: 32 * MIB, // 500 packages take 1 MiB.
    extract: Extract::Text(extract),
};

fn extract(text: &str, found: &mut Found) {
    let lock = lenient::json(text, found);
    for list in ["packages", "packages-dev"] {
        packages(&lock[list], text, found);
    }
}

/// The packages of a list. A folder beside the project, of type `path`, is part of it. A branch, `dev-main`, is listed
/// as it stands: no order places it.
pub(super) fn packages(list: &Value, text: &str, found: &mut Found) {
    for package in list.as_array().into_iter().flatten() {
        if package["dist"]["type"].as_str() == Some("path") {
            continue;
        }
        match (package["name"].as_str(), package["version"].as_str()) {
            (Some(name), Some(version)) => {
                let version = without_v(version);
                found.package(Ecosystem::Packagist, name.to_lowercase(), version);
            }
            (Some(name), None) => {
                found.malformed(format!("`{name}` has no version"), line_of(text, name));
            }
            (None, _) => found.unreadable("a package has no name"),
        }
    }
}

/// Composer drops the `v` of a tag before it compares. Source: `Composer\Semver\VersionParser::normalize`.
fn without_v(version: &str) -> &str {
    let bare = version.strip_prefix(['v', 'V']).unwrap_or(version);
    if bare.starts_with(|first: char| first.is_ascii_digit()) { bare } else { version }
}

#[test]
fn table() {
    let lock = r#"{
    "_readme": ["This file locks the dependencies of your project to a known state"],
    "content-hash": "5b4f",
    "packages": [
        {"name": "Monolog/Monolog", "version": "2.9.1", "source": {"type": "git", "url": "https://example.org", "reference": "f259"}},
        {"name": "symfony/console", "version": "v5.4.21"},
        {"name": "acme/branch", "version": "dev-main"},
        {"name": "acme/own", "version": "dev-main", "dist": {"type": "path", "url": "../own"}},
        {"name": "acme/none"}
    ],
    "packages-dev": [{"name": "phpunit/phpunit", "version": "9.6.7"}],
    "minimum-stability": "stable"
}"#;
    let read = "monolog/monolog 2.9.1, symfony/console 5.4.21, acme/branch dev-main";
    check(&EXTRACTOR, lock, &format!("{read}, phpunit/phpunit 9.6.7; problem at line 9"));
    let cut = &lock[..lock.find("\"acme/none").unwrap()];
    check(&EXTRACTOR, cut, &format!("{read}; problem at line 9; unreadable"));
    check(&EXTRACTOR, "", "problem at line 1");
}
