//! Bills of materials of any form: refused, or read into packages that every form of ours brings back.
use super::texts;
use crate::Target;
use seawall_scan::sbom::{SbomForm, read, write};

pub(crate) const TARGET: Target = Target { name: "scan-sbom", run, seeds, rounds: 2_000 };

fn run(bytes: &[u8]) {
    let Ok(inventory) = read(bytes, "bom") else { return };
    for form in [SbomForm::CycloneDx, SbomForm::Spdx, SbomForm::Json] {
        let text = write(&inventory, form, 0).expect("an inventory is JSON");
        let back = read(text.as_bytes(), "bom").expect("what we write is read");
        assert_eq!(back.packages.len(), inventory.packages.len(), "{form:?}: {text}");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"container","name":"a:1","purl":"pkg:oci/a@sha256:00"}},"components":[{"type":"operating-system","name":"debian","version":"12"},{"type":"library","name":"b","version":"1","purl":"pkg:deb/debian/b@1?arch=amd64&epoch=1&upstream=c%402","properties":[{"name":"aquasecurity:trivy:SrcName","value":"c"},{"name":"seawall:layer:index","value":"0"}],"evidence":{"occurrences":[{"location":"/x"}]},"components":[{"type":"library","group":"g","name":"d","purl":"pkg:maven/g/d@1"}]}],"compositions":[{"aggregate":"incomplete"}]}"#,
        r#"{"spdxVersion":"SPDX-2.3","name":"a","documentDescribes":["SPDXRef-R"],"packages":[{"SPDXID":"SPDXRef-R","name":"r"},{"SPDXID":"SPDXRef-1","name":"b","versionInfo":"1","sourceInfo":"built package from: c 2","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:rpm/rhel/b@1?distro=rhel-9"}],"annotations":[{"comment":"seawall:arch: x86_64"}]}]}"#,
        "SPDXVersion: SPDX-2.2\nDocumentName: a\nPackageName: b\nSPDXID: SPDXRef-1\nPackageVersion: 1\nExternalRef: PACKAGE-MANAGER purl pkg:apk/alpine/b@1?distro=3.18\nSPDXREF: SPDXRef-1\nAnnotationComment: <text>SrcName: c\n</text>\n",
        r#"{"schema":"seawall/sbom/v1","target":{"kind":"directory","path":"a"},"distro":null,"platform":null,"layers":[],"packages":[],"problems":[],"extractor_version":1}"#,
    ])
}
