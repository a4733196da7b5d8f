//! What Bitnami's images are made of: `opt/bitnami/COMPONENT/.spdx-COMPONENT.spdx`, SPDX in JSON.
//! Source: SPDX 2.3, "Package information"; bitnami/vulndb, which knows versions without the image's revision.
use super::lenient::{self, line_of};
use crate::prelude::*;
use serde_json::Value;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "bitnami-spdx",
    title: "Bitnami component",
    route: Route::Files(&["**/opt/bitnami/**/.spdx-*.spdx"]),
    max_bytes: 64 * MIB, // Lists of files inflate it, to 2 MiB at worst.
    extract: Extract::Text(extract),
};

/// Packages whose purl is of type `bitnami`. Others in the document are what a component was made from, and those that
/// are installed beside it leave evidence of their own.
fn extract(text: &str, found: &mut Found) {
    let document = lenient::json(text, found);
    for package in document["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        match purl(package).map(|purl| (purl.name().to_owned(), purl.version().map(str::to_owned)))
        {
            Some((name, Some(version))) => {
                found.package(Ecosystem::Bitnami, name, without_revision(&version));
            }
            Some((name, None)) => {
                found.malformed(format!("`{name}` has no version"), line_of(text, &name));
            }
            None if name.is_empty() => found.unreadable("a package has no name"),
            None => {}
        }
    }
}

fn purl(package: &Value) -> Option<packageurl::PackageUrl<'_>> {
    let references = package["externalRefs"].as_array()?;
    let locators = references.iter().filter_map(|reference| reference["referenceLocator"].as_str());
    locators.filter(|text| text.starts_with("pkg:bitnami/")).find_map(|text| text.parse().ok())
}

/// `2.4.57-1` is the second build of 2.4.57.
fn without_revision(version: &str) -> &str {
    match version.rsplit_once('-') {
        Some((bare, revision))
            if !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            bare
        }
        _ => version,
    }
}

#[test]
fn table() {
    let spdx = r#"{
  "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "SPDX document for Apache 2.4.57",
  "documentDescribes": ["SPDXRef-apache"],
  "packages": [
    {"SPDXID": "SPDXRef-apache", "name": "apache", "versionInfo": "2.4.57-2", "externalRefs": [
      {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:*:apache:http_server:2.4.57:*:*:*:*:*:*:*"},
      {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:bitnami/apache@2.4.57-2?arch=amd64&distro=debian-11"}]},
    {"name": "golang.org/x/net", "versionInfo": "v0.1.0", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:golang/golang.org/x/net@v0.1.0"}]},
    {"name": "odd", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:bitnami/odd"}]}
  ]
}"#;
    check(&EXTRACTOR, spdx, "apache 2.4.57; problem at line 9");
    check(
        &EXTRACTOR,
        &spdx[..spdx.find("golang.org").unwrap()],
        "apache 2.4.57; problem at line 8; unreadable",
    );
    check(&EXTRACTOR, "", "problem at line 1");
    assert_eq!(without_revision("1.2.3-rc.1"), "1.2.3-rc.1");
    assert_eq!(without_revision("1.2.3-rc.1-0"), "1.2.3-rc.1");
}
