//! Builders of what extraction would find.
use seawall_model::package::{Distro, Ecosystem, Inventory, Package, SourcePackage, Target};

pub(crate) fn package(ecosystem: Ecosystem, name: &str, version: &str) -> Package {
    Package {
        ecosystem,
        name: name.to_owned(),
        version: version.to_owned(),
        purl: format!("pkg:{}/{name}@{version}", ecosystem.purl_type()),
        arch: None,
        source: None,
        locations: vec!["opt/app".to_owned()],
        owner: None,
        layer: None,
        third_party: false,
        module: None,
    }
}

/// A binary package of a source package.
pub(crate) fn deb(name: &str, source: &str, version: &str) -> Package {
    let source = SourcePackage { name: source.to_owned(), version: version.to_owned() };
    Package { source: Some(source), ..package(Ecosystem::Debian, name, version) }
}

pub(crate) fn debian(release: &str) -> Option<Distro> {
    Some(Distro { id: "debian".to_owned(), version: Some(release.to_owned()), name: None })
}

pub(crate) fn inventory(distro: Option<Distro>, packages: Vec<Package>) -> Inventory {
    Inventory {
        target: Target::Directory { path: "/".to_owned() },
        distro,
        platform: None,
        layers: Vec::new(),
        packages,
        problems: Vec::new(),
        repositories: Vec::new(),
        extractor_version: 1,
    }
}
