//! Bills of materials: what was written is read again, and what others write is understood.
use crate::report::{index, inventory};
use seawall_model::Problem;
use seawall_model::image::Layer;
use seawall_model::package::{Ecosystem, Inventory, Target};
use seawall_model::problem::ProblemKind;
use seawall_scan::Report;
use seawall_scan::sbom::{SbomForm, read, write};

fn full() -> Inventory {
    let mut inventory = inventory();
    inventory.repositories = vec!["esm-apps".into(), "esm-infra".into()];
    inventory.layers[0].base = true;
    inventory.packages[0].module = Some("postgresql:12".into());
    inventory.packages[1].owner = Some("python3-django".into());
    inventory.packages[1].third_party = true;
    inventory.problems.push(Problem::gap("lost", "a layer").file("x: y").at(1, 2));
    inventory
}

#[test]
fn what_was_written_is_read_again() {
    for form in [SbomForm::CycloneDx, SbomForm::Spdx, SbomForm::Json] {
        for inventory in [inventory(), full()] {
            let text = write(&inventory, form, 0).unwrap();
            let mut back = read(text.as_bytes(), "name").unwrap();
            back.packages.sort_by_key(|own| inventory.packages.iter().position(|all| all == own));
            assert_eq!(back, inventory, "{form:?}");
            let findings = |inventory| Report::new(inventory, &index()).findings;
            assert_eq!(findings(back), findings(inventory), "{form:?}");
        }
    }
}

/// Reads `text`; `expected` is `ecosystem name version source`, and codes of problems that are at least gaps.
#[track_caller]
fn check(text: &str, packages: &[&str], gaps: &[&str]) -> Inventory {
    let found = read(text.as_bytes(), "bom.json").unwrap();
    let shown: Vec<String> = found
        .packages
        .iter()
        .map(|own| {
            let source = own.source.as_ref().map(|own| format!(" {} {}", own.name, own.version));
            format!("{} {} {}{}", own.ecosystem, own.name, own.version, source.unwrap_or_default())
        })
        .collect();
    assert_eq!(shown, packages);
    let codes = found.problems.iter().filter(|own| own.kind >= ProblemKind::Gap);
    assert_eq!(
        codes.map(|own| own.code.as_str()).collect::<Vec<_>>(),
        gaps,
        "{:?}",
        found.problems
    );
    found
}

#[test]
fn trivys_properties_are_understood() {
    let found = check(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"component": {"type": "container",
            "name": "debian:12", "purl": "pkg:oci/debian@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?arch=amd64",
            "properties": [{"name": "aquasecurity:trivy:DiffID", "value": "sha256:a"},
                {"name": "aquasecurity:trivy:DiffID", "value": "sha256:b"}]}},
        "components": [
            {"type": "operating-system", "name": "debian", "version": "12.1"},
            {"type": "library", "name": "libc6", "version": "2.36-9", "purl": "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12.1",
             "properties": [{"name": "aquasecurity:trivy:SrcName", "value": "glibc"},
                {"name": "aquasecurity:trivy:SrcVersion", "value": "2.36"}, {"name": "aquasecurity:trivy:SrcRelease", "value": "9"},
                {"name": "aquasecurity:trivy:LayerDiffID", "value": "sha256:b"}]},
            {"type": "library", "group": "org.example", "name": "core", "version": "1", "purl": "pkg:maven/org.example/core@1",
             "properties": [{"name": "aquasecurity:trivy:FilePath", "value": "app/core.jar"}]}]}"#,
        &["Debian libc6 2.36-9 glibc 2.36-9", "Maven org.example:core 1"],
        &[],
    );
    let Target::Image { image } = &found.target else { panic!("{:?}", found.target) };
    assert_eq!(image.digest.as_ref().unwrap().len(), 71);
    let layer = |diff_id: &str| Layer {
        diff_id: diff_id.into(),
        created_by: None,
        size: None,
        base: false,
    };
    assert_eq!(found.layers, [layer("sha256:a"), layer("sha256:b")]);
    assert_eq!(
        (found.packages[0].layer, &found.packages[1].locations),
        (Some(1), &vec!["app/core.jar".to_owned()])
    );
    assert_eq!(found.distro.unwrap().version.unwrap(), "12.1");
}

#[test]
fn syfts_properties_are_understood() {
    let found = check(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
            {"type": "library", "name": "bash", "version": "5.1-6", "purl": "pkg:rpm/rhel/bash@5.1-6?arch=x86_64&distro=rhel-9.2&epoch=1&upstream=bash-5.1-6.src.rpm",
             "properties": [{"name": "syft:location:0:path", "value": "/var/lib/rpm/rpmdb.sqlite"}]},
            {"type": "library", "name": "github.com/Masterminds/semver", "version": "v1.0.0", "purl": "pkg:golang/github.com/masterminds/semver@v1.0.0"},
            {"type": "operating-system", "name": "rhel", "version": "9.2",
             "properties": [{"name": "syft:distro:id", "value": "rhel"}, {"name": "syft:distro:versionID", "value": "9.2"}]}]}"#,
        &["Go github.com/Masterminds/semver v1.0.0", "Red Hat bash 1:5.1-6 bash 5.1-6"],
        &[],
    );
    let bash = found.packages.iter().find(|own| own.ecosystem == Ecosystem::RedHat).unwrap();
    assert_eq!(bash.locations, ["var/lib/rpm/rpmdb.sqlite"]);
    assert_eq!(bash.arch.as_deref(), Some("x86_64"));
    assert_eq!(found.target, Target::Directory { path: "bom.json".into() });
}

#[test]
fn what_nobody_can_judge_is_a_gap() {
    check(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.4", "components": [
            {"type": "library", "name": "a"},
            {"type": "library", "name": "b", "purl": "pkg:npm/b"},
            {"type": "application", "name": "package-lock.json"},
            {"type": "library", "name": "c", "version": "1", "purl": "pkg:swift/c@1"},
            {"type": "library", "name": "curl", "version": "1", "purl": "pkg:deb/debian/curl@1?distro=debian-12"}],
            "compositions": [{"aggregate": "incomplete"}]}"#,
        &["Debian curl 1"],
        &["sbom-incomplete", "sbom-no-purl", "sbom-no-source", "sbom-no-version"],
    );
}

#[test]
fn spdx_comes_as_json_and_as_tags() {
    let json = r#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "debian",
        "packages": [
            {"SPDXID": "SPDXRef-Root", "name": "debian", "versionInfo": "sha256:aa", "primaryPackagePurpose": "CONTAINER"},
            {"SPDXID": "SPDXRef-OS", "name": "debian", "versionInfo": "12", "primaryPackagePurpose": "OPERATING-SYSTEM"},
            {"SPDXID": "SPDXRef-1", "name": "libc6", "versionInfo": "2.36-9", "sourceInfo": "built package from: glibc 2.36-9",
             "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/libc6@2.36-9?arch=amd64"}]},
            {"SPDXID": "SPDXRef-2", "name": "none", "versionInfo": "1"}],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-Root"}]}"#;
    let expected = "Debian libc6 2.36-9 glibc 2.36-9";
    let found = check(json, &[expected], &["sbom-no-purl"]);
    assert!(matches!(found.target, Target::Image { .. }));
    let tags = "SPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: debian\n\n\
        Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-Root\n\nPackageName: debian\nSPDXID: SPDXRef-Root\nPackageVersion: 1\n\
        PrimaryPackagePurpose: CONTAINER\n\nPackageName: debian\nSPDXID: SPDXRef-OS\nPackageVersion: 12\nPrimaryPackagePurpose: OPERATING-SYSTEM\n\n\
        PackageName: libc6\nSPDXID: SPDXRef-1\nPackageVersion: 2.36-9\nPackageComment: <text>two\nlines</text>\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libc6@2.36-9?arch=amd64\n\n\
        Annotator: Tool: x\nAnnotationDate: 2026-01-31T00:00:00Z\nAnnotationType: OTHER\nSPDXREF: SPDXRef-1\nAnnotationComment: <text>SrcName: glibc</text>\n";
    let found = check(tags, &[expected], &[]);
    assert!(matches!(found.target, Target::Image { .. }));
    assert_eq!(found.distro.unwrap().version.as_deref(), Some("12"));
}

#[test]
fn what_is_no_sbom_is_refused() {
    #[track_caller]
    fn check(text: &str, said: &str) {
        let error = read(text.as_bytes(), "x").expect_err(text).to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    check("", "neither CycloneDX");
    check("hello\nworld\n", "neither CycloneDX");
    check("<bom/>", "neither CycloneDX");
    check("{}", "neither CycloneDX");
    check("{", "no valid JSON");
    check(r#"{"bomFormat": "CycloneDX", "specVersion": "9.0"}"#, "CycloneDX 9.0");
    check(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": {}}"#,
        "no valid CycloneDX",
    );
    check(r#"{"spdxVersion": "SPDX-3.0"}"#, "SPDX SPDX-3.0");
    check("SPDXVersion: SPDX-1.2\n", "SPDX SPDX-1.2");
    check("SPDXVersion: SPDX-2.3\nnone\n", "line 2");
    check(r#"{"schema": "seawall/sbom/v9"}"#, "seawall/sbom/v9");
}
