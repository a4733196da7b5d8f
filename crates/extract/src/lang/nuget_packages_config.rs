//! `packages.config` of .NET Framework projects. Source: NuGet "packages.config reference".
use super::xml;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "nuget-packages-config",
    title: "NuGet packages of a project",
    route: Route::Locked(&["**/packages.config", "**/packages.*.config"]),
    max_bytes: 16 * MIB, // 500 packages take 60 KiB.
    extract: Extract::Text(extract),
};

/// Development dependencies count, see `npm_lock`.
fn extract(text: &str, found: &mut Found) {
    xml::elements(text, found, &mut |element, found| {
        if element.path != ["packages", "package"] {
            return;
        }
        match (element.attribute("id"), element.attribute("version")) {
            (Some(id), Some(version)) => found.package(Ecosystem::NuGet, id, version),
            _ => found.malformed("`<package>` has no `id` or no `version`", element.line),
        }
    });
}

#[test]
fn table() {
    let config = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<packages>\r\n  <package id=\"jQuery\" version=\"3.1.1\" targetFramework=\"net46\" />\r\n  \
        <package id=\"NLog\" version=\"4.3.10\" developmentDependency=\"true\"></package>\r\n  <package id=\"none\"/>\r\n  <!-- <package id=\"no\" version=\"1\"/> -->\r\n</packages>\r\n";
    check(&EXTRACTOR, config, "jQuery 3.1.1, NLog 4.3.10; problem at line 5");
    let cut = &config[..config.find("\"none").unwrap()];
    check(&EXTRACTOR, cut, "jQuery 3.1.1, NLog 4.3.10; problem at line 5");
    check(&EXTRACTOR, "<packages><package id='a' version='1'/></pack>", "a 1; problem at line 1");
    check(&EXTRACTOR, "", "");
}
