//! The source package of an OS package, as we, trivy and syft name it.
use super::component::Component;
use super::properties as own;
use packageurl::PackageUrl;
use seawall_model::package::{Ecosystem, SourcePackage};

pub(super) fn of(
    component: &Component,
    purl: &PackageUrl<'_>,
    ecosystem: Ecosystem,
    name: &str,
    version: &str,
) -> Option<SourcePackage> {
    if !ecosystem.is_of_distro() {
        return None;
    }
    let source = |source: &str, of: Option<String>| SourcePackage {
        name: source.to_owned(),
        version: of.unwrap_or_else(|| version.to_owned()),
    };
    if let Some(named) = component.one(&[own::SOURCE_NAME]) {
        return Some(source(named, component.one(&[own::SOURCE_VERSION]).map(str::to_owned)));
    }
    if component.one(&[own::ECOSYSTEM]).is_some() {
        return None;
    }
    if let Some(named) = component.one(&["aquasecurity:trivy:SrcName", "SrcName"]) {
        return Some(source(named, of_trivy(component)));
    }
    if let Some(upstream) = purl.qualifiers().get("upstream") {
        return Some(of_upstream(upstream, version));
    }
    if let Some(named) = component.one(&["syft:metadata:originPackage"]) {
        return Some(source(named, None));
    }
    if let Some(named) = component.one(&["syft:metadata:source"]).filter(|own| !own.is_empty()) {
        let of = component.one(&["syft:metadata:sourceVersion"]).map(str::to_owned);
        return Some(source(named, of.filter(|of| !of.is_empty())));
    }
    // syft names what differs alone.
    if component.properties.iter().any(|(name, _)| name.starts_with("syft:")) {
        return Some(source(name, None));
    }
    of_source_info(component.source_info.as_deref()?)
}

/// Epoch, version and release stand apart.
fn of_trivy(component: &Component) -> Option<String> {
    let part = |name: &str| {
        let full = format!("aquasecurity:trivy:{name}");
        component.one(&[&full, name]).filter(|part| !part.is_empty()).map(str::to_owned)
    };
    let version = part("SrcVersion")?;
    let epoch = part("SrcEpoch").filter(|epoch| epoch != "0").map(|epoch| format!("{epoch}:"));
    let release = part("SrcRelease").map(|release| format!("-{release}"));
    Some(epoch.unwrap_or_default() + &version + &release.unwrap_or_default())
}

/// `glibc`, `glibc@2.31-13`, `bash-5.1.8-6.el9.src.rpm`. Source: syft, `pkg/purl.go`.
fn of_upstream(upstream: &str, version: &str) -> SourcePackage {
    let (name, version) = match upstream.strip_suffix(".src.rpm") {
        Some(file) => {
            let mut parts = file.rsplitn(3, '-');
            let (release, number) = (parts.next(), parts.next());
            match (parts.next(), number, release) {
                (Some(name), Some(number), Some(release)) => (name, format!("{number}-{release}")),
                _ => (file, version.to_owned()),
            }
        }
        None => match upstream.split_once('@') {
            Some((name, of)) => (name, of.to_owned()),
            None => (upstream, version.to_owned()),
        },
    };
    SourcePackage { name: name.to_owned(), version }
}

/// `built package from: glibc 2.31-13+deb11u3`, as trivy writes into SPDX.
fn of_source_info(info: &str) -> Option<SourcePackage> {
    let (name, version) = info.strip_prefix("built package from: ")?.trim().split_once(' ')?;
    Some(SourcePackage { name: name.to_owned(), version: version.to_owned() })
}

#[test]
fn upstreams_name_the_source() {
    #[track_caller]
    fn check(upstream: &str, name: &str, version: &str) {
        let found = of_upstream(upstream, "1");
        assert_eq!((found.name.as_str(), found.version.as_str()), (name, version), "{upstream}");
    }
    check("glibc", "glibc", "1");
    check("glibc@2.31-13", "glibc", "2.31-13");
    check("bash-5.1.8-6.el9.src.rpm", "bash", "5.1.8-6.el9");
    check("odd.src.rpm", "odd", "1");
    let found = of_source_info("built package from: glibc 2.31-13").unwrap();
    assert_eq!((found.name.as_str(), found.version.as_str()), ("glibc", "2.31-13"));
    assert!(of_source_info("acquired package info from DPKG DB").is_none());
}
