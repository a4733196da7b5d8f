//! `pylock.toml` and `pylock.NAME.toml`, the lock file that Python's package managers agreed on. Source: PEP 751.
use super::python_lock;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "pylock",
    title: "Python lock file",
    route: Route::Locked(&["**/pylock.toml", "**/pylock.*.toml"]),
    max_bytes: python_lock::MAX_BYTES,
    extract: Extract::Text(extract),
};

/// A folder beside the project is part of it.
fn extract(text: &str, found: &mut Found) {
    let is_own = |package: &serde_json::Value| package.get("directory").is_some();
    python_lock::packages(text, "packages", is_own, found);
}

#[test]
fn table() {
    // The example of PEP 751, shortened.
    let lock = "lock-version = '1.0'\nenvironments = [\"sys_platform == 'win32'\"]\ncreated-by = 'mousebender'\n\n[[packages]]\nname = 'attrs'\nversion = '25.1.0'\n\
        wheels = [\n  {name = 'attrs-25.1.0-py3-none-any.whl', upload-time = 2025-01-25T11:30:10.164985+00:00, hashes = {sha256 = 'c75a'}},\n]\n[[packages.attestation-identities]]\nenvironment = 'release-pypi'\n\n\
        [[packages]]\nname = 'from-git'\nvcs = {type = 'git', url = 'https://example.org/a', commit-id = '0123'}\n\n[[packages]]\nname = 'own'\ndirectory = {path = '.'}\n";
    check(&EXTRACTOR, lock, "attrs 25.1.0; 1 unlocked");
    check(&EXTRACTOR, lock.replace("'25.1.0'", "'25.1.0"), "problem at line 7; 1 unlocked");
    check(&EXTRACTOR, "", "");
}
