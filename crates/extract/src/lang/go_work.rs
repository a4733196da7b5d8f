//! `go.work`: Go modules that are built together. Source: Go Modules Reference, "Workspaces".
//!
//! It requires nothing itself: the `go.mod` of each module beside it is read on its own. What it replaces a module by is
//! linked; the module that goes stays listed, since no file of the tree knows of another here.
use super::go_mod::ModFile;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "go-work",
    title: "Go workspace",
    route: Route::Locked(&["**/go.work"]),
    max_bytes: 16 * MIB, // As go.mod.
    extract: Extract::Text(extract),
};

fn extract(text: &str, found: &mut Found) {
    let file = ModFile::read(text, found);
    file.standard_library(found);
    for replacement in &file.replaced {
        if let (path, Some(version)) = replacement.by {
            found.package(Ecosystem::Go, path, version);
        }
    }
}

#[test]
fn table() {
    let work = "go 1.21.0\n\ntoolchain go1.21.3\n\nuse (\n\t./app\n\t./library\n)\n\nuse ./tools\n\nreplace example.org/old v1.0.0 => example.org/new v1.2.0\n\nreplace example.org/own => ./own\n";
    check(&EXTRACTOR, work, "stdlib 1.21.3, example.org/new v1.2.0");
    check(
        &EXTRACTOR,
        "go 1.21\nuse ./a\n=======\n",
        "problem at line 3; note go-toolchain-not-named",
    );
    check(&EXTRACTOR, "", "note go-toolchain-not-named");
}
