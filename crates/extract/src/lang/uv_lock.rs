//! `uv.lock`. Source: astral-sh/uv `crates/uv-resolver/src/lock`.
use super::python_lock;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "uv-lock",
    title: "uv lock file",
    route: Route::Locked(&["**/uv.lock"]),
    max_bytes: python_lock::MAX_BYTES,
    extract: Extract::Text(extract),
};

/// Members of the workspace and folders beside it are what is being built.
fn extract(text: &str, found: &mut Found) {
    let is_own = |package: &serde_json::Value| {
        let source = &package["source"];
        ["virtual", "editable", "directory"].iter().any(|kind| source.get(kind).is_some())
    };
    python_lock::packages(text, "package", is_own, found);
}

#[test]
fn table() {
    let lock = "version = 1\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"anyio\"\nversion = \"4.3.0\"\nsource = { registry = \"https://pypi.example/simple\" }\n\
        dependencies = [\n    { name = \"idna\" },\n]\nwheels = [\n    { url = \"https://files.example/anyio-4.3.0-py3-none-any.whl\", hash = \"sha256:048e\", size = 85584 },\n]\n\n\
        [[package]]\nname = \"app\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\n\n[package.metadata]\nrequires-dist = [{ name = \"anyio\" }]\n\n\
        [[package]]\nname = \"from-git\"\nsource = { git = \"https://example.org/a?rev=main#0123\" }\n\n[[package]]\nname = \"member\"\nsource = { editable = \"../member\" }\n";
    check(&EXTRACTOR, lock, "anyio 4.3.0; 1 unlocked");
    check(
        &EXTRACTOR,
        lock.replace("{ virtual", "{{ virtual"),
        "anyio 4.3.0; problem at line 18; 1 unlocked",
    );
    check(&EXTRACTOR, "", "");
}
