//! `updateinfo.xml` of a repository: each update with the packages that were built. Source: createrepo_c, "updateinfo".
use super::xml::{Step, attribute, walk};
use super::{Bulletin, Package};
use crate::records::is_cve;
use crate::time::time;
use quick_xml::events::BytesStart;
use seawall_model::Millis;
use std::io::BufRead;

/// Updates in a file: the largest repository has 6,000.
const UPDATES: usize = 1_000_000;

/// The error says why the file as a whole cannot be trusted.
pub(super) fn parse(input: impl BufRead) -> Result<Vec<Bulletin>, String> {
    let (mut bulletins, mut own) = (Vec::new(), Bulletin::default());
    // Titles and the like stand in references and collections too.
    let mut nested = 0usize;
    walk(input, "updates", |step| match step {
        Step::Open("update", element) => {
            own = Bulletin {
                security: attribute(element, "type").as_deref() == Some("security"),
                ..Bulletin::default()
            };
        }
        Step::Open("references" | "pkglist", _) => nested += 1,
        Step::Open("reference", element) => reference(element, &mut own),
        Step::Open("package", element) => own.packages.extend(package(element)),
        Step::Open("issued", element) => own.issued = date(element),
        Step::Open("updated", element) => own.updated = date(element),
        Step::Close("references" | "pkglist", _) => nested = nested.saturating_sub(1),
        Step::Close("id", text) if nested == 0 => own.id = text.to_owned(),
        Step::Close("title", text) if nested == 0 => own.title = Some(text.to_owned()),
        Step::Close("severity", text) if nested == 0 => own.severity = text.parse().ok(),
        Step::Close("update", _) if bulletins.len() < UPDATES => {
            bulletins.push(std::mem::take(&mut own));
        }
        Step::Open(..) | Step::Close(..) => {}
    })?;
    Ok(bulletins)
}

fn reference(element: &BytesStart<'_>, own: &mut Bulletin) {
    let id = attribute(element, "id").unwrap_or_default();
    if is_cve(&id) {
        own.cves.push(id);
    }
    own.references.extend(attribute(element, "href").filter(|href| href.starts_with("http")));
}

fn package(element: &BytesStart<'_>) -> Option<Package> {
    let part = |name| attribute(element, name).filter(|text| !text.is_empty());
    let (version, release) = (part("version")?, part("release")?);
    let version = match part("epoch").filter(|epoch| epoch != "0") {
        Some(epoch) => format!("{epoch}:{version}-{release}"),
        None => format!("{version}-{release}"),
    };
    Some(Package { name: part("name")?, version, arch: part("arch")? })
}

/// `2023-03-07 00:29`, with seconds in newer files; UTC.
fn date(element: &BytesStart<'_>) -> Option<Millis> {
    let text = attribute(element, "date")?;
    let (day, clock) = text.split_once(' ')?;
    let seconds = if clock.matches(':').count() == 1 { ":00" } else { "" };
    time(&format!("{day}T{clock}{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the form of the repositories' files, written after the same advisory's page.
    const UPDATE: &str = r#"<?xml version="1.0" ?><updates><update author="a" from="a" status="final" type="security" version="1.4">
        <id>ALAS2023-2023-126</id><title>Amazon Linux 2023 - ALAS2023-2023-126: Important priority package update for device-mapper-multipath</title>
        <issued date="2023-03-07 00:29" /><updated date="2023-03-08 00:51:00" /><severity>important</severity><description>a &amp; b</description>
        <references><reference href="http://example.org/CVE-2022-3787" id="CVE-2022-3787" title="" type="cve" /></references>
        <pkglist><collection short="amazon-linux-2023"><name>Amazon Linux 2023</name>
        <package arch="x86_64" epoch="0" name="kpartx" release="16.amzn2023.0.1" version="0.8.7"><filename>f</filename></package>
        <package arch="noarch" epoch="1" name="bind-license" release="1.amzn2023" version="9"><filename>f</filename></package>
        </collection></pkglist></update></updates>"#;

    #[test]
    fn updates_are_read_whole_or_not_at_all() {
        let bulletins = parse(UPDATE.as_bytes()).unwrap();
        let [own] = bulletins.as_slice() else { panic!("{bulletins:?}") };
        assert!(
            own.security && own.title.as_deref().is_some_and(|text| text.starts_with("Amazon"))
        );
        assert_eq!(
            (own.id.as_str(), own.cves.as_slice()),
            ("ALAS2023-2023-126", &["CVE-2022-3787".to_owned()][..])
        );
        assert_eq!((own.issued, own.updated), (Some(1_678_148_940_000), Some(1_678_236_660_000)));
        let told: Vec<String> = own
            .packages
            .iter()
            .map(|own| format!("{} {} {}", own.name, own.version, own.arch))
            .collect();
        assert_eq!(
            told,
            ["kpartx 0.8.7-16.amzn2023.0.1 x86_64", "bind-license 1:9-1.amzn2023 noarch"]
        );
        for cut in [30, 200, UPDATE.len() - 12] {
            assert!(parse(&UPDATE.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(parse(&b"<html></html>"[..]).unwrap_err(), "it is no <updates>");
    }
}
