//! `pnpm-lock.yaml`, lock file versions 5 to 9. Source: pnpm/spec `lockfile/`.
//!
//! Keys of `packages` are `/name/1.0.0_peers` to version 5, `/name@1.0.0(peers)` in 6, `name@1.0.0` in 9, always with the
//! real name. Development dependencies count, see `npm_lock`.
use super::lenient;
use crate::prelude::*;
use serde_json::Value;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "pnpm-lock",
    title: "pnpm lock file",
    route: Route::Locked(&["**/pnpm-lock.yaml"]),
    max_bytes: 64 * MIB, // 5,000 packages take 2 MiB.
    extract: Extract::Text(extract),
};

fn extract(text: &str, found: &mut Found) {
    let lock = lenient::yaml(text, found);
    // The parser reads an unquoted `5.4` as a number.
    let version = &lock["lockfileVersion"];
    let version = version.as_f64().or_else(|| version.as_str()?.parse().ok());
    let is_old = version.is_some_and(|version| version < 6.0);
    for (key, package) in lock["packages"].as_object().into_iter().flatten() {
        match identity(key, package, is_old) {
            Some((name, version)) => found.package(Ecosystem::Npm, name, version),
            None if key.contains("file:") || key.contains("link:") => {}
            None => found.unlocked(key),
        }
    }
}

/// Name and version that the entry states, which it does where the key is an address; else those of the key.
fn identity<'a>(key: &'a str, package: &'a Value, is_old: bool) -> Option<(&'a str, &'a str)> {
    if let (Some(name), Some(version)) = (package["name"].as_str(), package["version"].as_str()) {
        return Some((name, version));
    }
    let key = key.split('(').next()?;
    let key = key.strip_prefix('/').unwrap_or(key);
    let (name, version) = if is_old {
        let (name, version) = key.rsplit_once('/')?;
        (name, version.split('_').next()?)
    } else {
        // The `@` of a scope comes first, so the last one is that of the version; an address has a `/` behind it.
        key.rsplit_once('@')?
    };
    // `name@https://…` states its version in the entry.
    let version = package["version"].as_str().unwrap_or(version);
    let is_version = version.starts_with(|first: char| first.is_ascii_digit());
    (is_version && !name.is_empty() && !name.contains(':')).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_5() {
        let lock = "lockfileVersion: 5.4\n\nspecifiers:\n  is-odd: ^3.0.1\n\npackages:\n\n  /is-odd/3.0.1:\n    resolution: {integrity: sha512-x}\n    \
            dependencies:\n      is-number: 6.0.0\n    dev: false\n\n  /@babel/core/7.22.0_abc123:\n    resolution: {integrity: sha512-y}\n    dev: true\n\n  \
            github.com/a/b/0123abc:\n    resolution: {tarball: https://example.org/a}\n    name: from-git\n    version: 1.1.0\n";
        check(&EXTRACTOR, lock, "is-odd 3.0.1, @babel/core 7.22.0, from-git 1.1.0");
    }

    #[test]
    fn versions_6_and_9() {
        let six = "lockfileVersion: '6.0'\n\npackages:\n\n  /is-odd@3.0.1:\n    resolution: {integrity: sha512-x}\n\n  \
            /@a/b@1.0.0(react@18.2.0)(x@1.0.0):\n    resolution: {integrity: sha512-y}\n";
        check(&EXTRACTOR, six, "is-odd 3.0.1, @a/b 1.0.0");
        let nine = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      odd:\n        specifier: npm:is-odd@^3.0.1\n        \
            version: is-odd@3.0.1\n\npackages:\n\n  is-odd@3.0.1:\n    resolution: {integrity: sha512-x}\n\n  '@a/b@1.0.0':\n    resolution: {integrity: sha512-y}\n\n  \
            own@file:../own:\n    resolution: {directory: ../own, type: directory}\n\n  tar@https://example.org/t.tgz:\n    resolution: {tarball: x}\n    version: 2.0.0\n\n  \
            open@https://example.org/t.tgz:\n    resolution: {tarball: x}\n\nsnapshots:\n\n  is-odd@3.0.1: {}\n\n  '@a/b@1.0.0(react@18.2.0)': {}\n";
        check(&EXTRACTOR, nine, "is-odd 3.0.1, @a/b 1.0.0, tar 2.0.0; 1 unlocked");
    }

    #[test]
    fn broken() {
        let cut = "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {}\n  b@2.0.0:\n    resolution: {integrity: \"sha";
        check(&EXTRACTOR, cut, "a 1.0.0; problem at line 6");
        check(&EXTRACTOR, "", "");
        check(&EXTRACTOR, "packages: [x]", "");
    }
}
