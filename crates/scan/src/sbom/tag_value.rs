//! SPDX 2 as lines `Tag: value`. Source: SPDX specification 2.3, clause 6 and annex C.
use super::SbomError;
use super::bom::Bom;
use super::spdx::{self, Annotation, Document, ExternalRef, Relationship, SpdxPackage};

const OPEN: &str = "<text>";
const CLOSE: &str = "</text>";

pub(super) fn read(bytes: &[u8]) -> Result<Bom, SbomError> {
    let text = String::from_utf8_lossy(bytes);
    let tags = tags(&text)?;
    let version = tags.iter().find(|(tag, _)| *tag == "SPDXVersion");
    let (_, version) = version.ok_or(SbomError::UnknownForm)?;
    spdx::check_version(version)?;
    Ok(document(&tags).bom())
}

/// Tags with their values; a value in `<text>` may have several lines.
fn tags(text: &str) -> Result<Vec<(&str, String)>, SbomError> {
    let mut tags = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((tag, value)) = line.split_once(':') else {
            // Text of another kind altogether has no tags from its first line on.
            return Err(match tags.is_empty() {
                true => SbomError::UnknownForm,
                false => SbomError::InvalidTag { line: index + 1 },
            });
        };
        let value = value.trim();
        let Some(first) = value.strip_prefix(OPEN) else {
            tags.push((tag.trim(), value.to_owned()));
            continue;
        };
        let mut value = first.to_owned();
        while !value.contains(CLOSE) {
            let (_, next) = lines.next().ok_or(SbomError::OpenText { line: index + 1 })?;
            value.push('\n');
            value.push_str(next);
        }
        value.truncate(value.find(CLOSE).unwrap_or(value.len()));
        tags.push((tag.trim(), value));
    }
    Ok(tags)
}

fn document(tags: &[(&str, String)]) -> Document {
    let mut document = Document::default();
    // Comments of annotations come before or after what they are of is named.
    let mut annotations: Vec<(String, String)> = Vec::new();
    let mut in_package = false;
    for (tag, value) in tags {
        let package = document.packages.last_mut().filter(|_| in_package);
        match (*tag, package) {
            ("DocumentName", _) => document.name = Some(value.clone()),
            ("PackageName", _) => {
                in_package = true;
                document
                    .packages
                    .push(SpdxPackage { name: value.clone(), ..SpdxPackage::default() });
            }
            ("FileName" | "SnippetSPDXID" | "LicenseID", _) => in_package = false,
            ("SPDXID", Some(package)) => package.id = value.clone(),
            ("PackageVersion", Some(package)) => package.version_info = Some(value.clone()),
            ("PackageSourceInfo", Some(package)) => package.source_info = Some(value.clone()),
            ("PrimaryPackagePurpose", Some(package)) => {
                package.primary_package_purpose = Some(value.clone());
            }
            ("PackageAttributionText", Some(package)) => {
                package.attribution_texts.push(value.clone());
            }
            ("ExternalRef", Some(package)) => package.external_refs.extend(external_ref(value)),
            ("Relationship", _) => document.relationships.extend(relationship(value)),
            ("SPDXREF", _) => annotations.push((value.clone(), String::new())),
            ("AnnotationComment", _) => {
                if let Some((_, comment)) = annotations.last_mut() {
                    comment.clone_from(value);
                }
            }
            _ => {}
        }
    }
    for (of, comment) in annotations {
        let annotation = Annotation { comment };
        match document.packages.iter_mut().find(|package| package.id == of) {
            Some(package) => package.annotations.push(annotation),
            None => document.annotations.push(annotation),
        }
    }
    document
}

/// `PACKAGE-MANAGER purl pkg:deb/…`.
fn external_ref(value: &str) -> Option<ExternalRef> {
    let mut words = value.split_whitespace().skip(1);
    let reference_type = words.next()?.to_owned();
    Some(ExternalRef { reference_type, reference_locator: words.next()?.to_owned() })
}

/// `SPDXRef-DOCUMENT DESCRIBES SPDXRef-Package`.
fn relationship(value: &str) -> Option<Relationship> {
    let mut words = value.split_whitespace().map(str::to_owned);
    Some(Relationship {
        spdx_element_id: words.next()?,
        relationship_type: words.next()?,
        related_spdx_element: words.next()?,
    })
}

#[test]
fn texts_have_lines() {
    let read = tags("A: b\n# no\nB: <text>one\ntwo</text>\nC: <text>x</text>\n").unwrap();
    let expected = [("A", "b"), ("B", "one\ntwo"), ("C", "x")];
    assert!(read.iter().map(|(tag, value)| (*tag, value.as_str())).eq(expected), "{read:?}");
    assert!(matches!(tags("A: <text>x\n"), Err(SbomError::OpenText { line: 1 })));
    assert!(matches!(tags("A: b\nnone\n"), Err(SbomError::InvalidTag { line: 2 })));
}
