//! The list of packages in Azure Linux' images without an rpm database.
//! Source: `rpm -qa --qf` in the recipes of Azure Linux' container images, columns as trivy's `rpmqa` reads them.
use super::{evr, source};
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "rpm-manifest",
    title: "rpm list of an image without database",
    route: Route::Files(&["**/rpmmanifest/container-manifest-2"]),
    max_bytes: 16 * MIB, // A line of 150 bytes per package.
    extract: Extract::Text(extract),
};

/// One line per package: name, version-release, install time, build time, vendor, a constant, size, architecture,
/// epoch, source package; separated by tabs. What is absent is `(none)`.
fn extract(text: &str, found: &mut Found) {
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() {
            continue;
        }
        let columns: Vec<_> = line.split('\t').collect();
        let [name, version, _, _, vendor, _, _, arch, epoch, file, ..] = columns.as_slice() else {
            found.malformed("line has fewer than ten columns", index + 1);
            continue;
        };
        if name.is_empty() || version.is_empty() {
            found.malformed("line has no name or no version", index + 1);
            continue;
        }
        let given = |text: &str| Some(text.to_owned()).filter(|text| text != "(none)");
        found.packages.push(FoundPackage {
            arch: given(arch),
            source: source(file),
            vendor: given(vendor),
            ..FoundPackage::new(Ecosystem::Rpm, *name, evr(epoch.parse().ok(), version))
        });
    }
}

#[test]
fn table() {
    let line = "openssl\t1.1.1k-15.cm2\t1653816591\t1653753130\tMicrosoft Corporation\t(none)\t1201\tx86_64\t0\t\
        openssl-src-1.1.1k-15.cm2.src.rpm\n";
    check(&EXTRACTOR, line, "openssl 1.1.1k-15.cm2");
    check(&EXTRACTOR, format!("\n{line}\n"), "openssl 1.1.1k-15.cm2");
    check(&EXTRACTOR, line.replace("\t0\t", "\t2\t"), "openssl 2:1.1.1k-15.cm2");
    check(
        &EXTRACTOR,
        format!("a\tb\n\t\t\t\t\t\t\t\t\t\n{line}"),
        "openssl 1.1.1k-15.cm2; problem at line 1; problem at line 2",
    );
    check(&EXTRACTOR, "", "");
    let found = EXTRACTOR.run(line.as_bytes());
    let [package] = found.packages.as_slice() else { panic!("{found:?}") };
    assert_eq!(package.source.as_ref().unwrap().name, "openssl-src");
    assert_eq!(
        (package.arch.as_deref(), package.vendor.as_deref()),
        (Some("x86_64"), Some("Microsoft Corporation"))
    );
}
