//! `pdm.lock`. Source: pdm-project/pdm `src/pdm/formats`, `src/pdm/project/lockfile`.
use super::python_lock;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "pdm-lock",
    title: "PDM lock file",
    route: Route::Locked(&["**/pdm.lock"]),
    max_bytes: python_lock::MAX_BYTES,
    extract: Extract::Text(extract),
};

/// What is installed from a folder is what is being built.
fn extract(text: &str, found: &mut Found) {
    let is_own = |package: &serde_json::Value| {
        package["editable"].as_bool() == Some(true) || package.get("path").is_some()
    };
    python_lock::packages(text, "package", is_own, found);
}

#[test]
fn table() {
    let lock = "[metadata]\ngroups = [\"default\", \"test\"]\nlock_version = \"4.4\"\n\n[[package]]\nname = \"certifi\"\nversion = \"2023.7.22\"\n\
        requires_python = \">=3.6\"\nfiles = [\n    {file = \"certifi-2023.7.22.tar.gz\", hash = \"sha256:539c\"},\n]\n\n\
        [[package]]\nname = \"member\"\nversion = \"0.1.0\"\neditable = true\npath = \"./member\"\n";
    check(&EXTRACTOR, lock, "certifi 2023.7.22");
    check(&EXTRACTOR, lock.replace("name = \"certifi\"", "name = certifi"), "problem at line 6");
    check(&EXTRACTOR, "", "");
}
