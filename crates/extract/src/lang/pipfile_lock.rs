//! `Pipfile.lock`. Source: pypa/pipfile, "Pipfile.lock"; categories beside `default` and `develop` since Pipenv 2022.
//! Development dependencies count, see `npm_lock`.
use super::lenient::{self, line_of};
use super::python_dist_info::normalise;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "pipfile-lock",
    title: "Pipenv lock file",
    route: Route::Locked(&["**/Pipfile.lock"]),
    max_bytes: 64 * MIB, // 1,000 packages with the hashes of all their files take 4 MiB.
    extract: Extract::Text(extract),
};

fn extract(text: &str, found: &mut Found) {
    let lock = lenient::json(text, found);
    let categories = lock.as_object().into_iter().flatten().filter(|(name, _)| *name != "_meta");
    for (name, package) in categories.filter_map(|(_, packages)| packages.as_object()).flatten() {
        match package["version"].as_str() {
            Some(version) => {
                let version = version.trim_start_matches('=').trim();
                found.package(Ecosystem::PyPI, normalise(name), version);
            }
            // The project itself, or a folder beside it.
            None if package.get("path").is_some() || package["editable"] == true => {}
            None if package.get("git").is_some() || package.get("file").is_some() => {
                found.unlocked(name);
            }
            None => found.malformed(format!("`{name}` has no version"), line_of(text, name)),
        }
    }
}

#[test]
fn table() {
    let lock = r#"{
    "_meta": {"hash": {"sha256": "x"}, "pipfile-spec": 6, "sources": [{"name": "pypi", "url": "https://pypi.example/simple"}]},
    "default": {
        "Django": {"hashes": ["sha256:a"], "index": "pypi", "markers": "python_version >= '3.8'", "version": "==4.2.1"},
        "app": {"editable": true, "path": "."},
        "from-git": {"git": "https://example.org/a.git", "ref": "0123abc"},
        "odd": {}
    },
    "develop": {"pytest": {"version": "==7.4.0"}},
    "docs": {"sphinx": {"version": "==7.0.1"}}
}"#;
    let expected = "django 4.2.1, pytest 7.4.0, sphinx 7.0.1; problem at line 7; 1 unlocked";
    check(&EXTRACTOR, lock, expected);
    let cut = &lock[..lock.find("7.4.0").unwrap()];
    check(
        &EXTRACTOR,
        cut,
        "django 4.2.1; problem at line 9; problem at line 7; problem at line 9; 1 unlocked",
    );
    check(&EXTRACTOR, "[]", "");
}
