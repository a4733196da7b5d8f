//! An installed package as advisories are asked about it.
use super::only::SOURCE;
use super::rhel;
use crate::name;
use seawall_model::package::{Ecosystem, Format, Inventory, Package};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Name and version as the ecosystem's advisories key them, and what else they ask about.
#[derive(Clone, Debug, Default)]
pub struct Subject<'a> {
    pub name: Cow<'a, str>,
    pub version: Cow<'a, str>,
    pub arch: Option<&'a str>,
    /// `name:stream` of an rpm module.
    pub module: Option<&'a str>,
    /// Another build than the normal one, `ksplice`, `fips`.
    pub flavour: Option<&'static str>,
    /// Channels that the target is subscribed to.
    pub channels: BTreeSet<&'a str>,
    /// CPE 2.2 URIs of the products that its packages come from; `None` where nothing tells.
    pub cpes: Option<&'a [String]>,
    /// The minor release of RHEL that the target is kept at: what later ones ship is out of reach.
    pub minor: Option<u32>,
}

impl<'a> Subject<'a> {
    pub fn of(package: &'a Package, inventory: &'a Inventory, cpes: Option<&'a [String]>) -> Self {
        let (name, version) = keyed_by(package);
        let products = || cpes.unwrap_or_default().iter();
        let supports = products().filter_map(|cpe| rhel::channel(cpe));
        Self {
            name,
            version: Cow::from(name::bound(package.ecosystem, &version).into_owned()),
            arch: package.arch.as_deref(),
            module: package.module.as_deref(),
            flavour: flavour(package),
            channels: inventory.repositories.iter().map(String::as_str).chain(supports).collect(),
            cpes,
            minor: products().filter_map(|cpe| rhel::kept_at(cpe)).max(),
        }
    }

    /// The source package, which some statements of feeds keyed by name are on; where nothing names it, most are named
    /// as their source. An rpm says its source without an epoch.
    pub(super) fn source_of(&self, package: &'a Package) -> Option<Self> {
        if !matches!(package.ecosystem, Ecosystem::RedHat | Ecosystem::Rocky) {
            return None;
        }
        let (name, version) = match &package.source {
            Some(source) => (source.name.as_str(), source.version.as_str()),
            None => (package.name.as_str(), package.version.as_str()),
        };
        let version = version.split_once(':').map_or(version, |(_, plain)| plain);
        let (name, version) = (Cow::from(name), Cow::from(version));
        Some(Self { name, version, arch: Some(SOURCE), ..self.clone() })
    }

    /// By name and version alone.
    pub fn plain(name: &'a str, version: &'a str) -> Self {
        Self { name: name.into(), version: version.into(), ..Self::default() }
    }
}

/// Of Oracle's builds, told by the release. Source: release strings in Oracle's OVAL, `…ksplice1.el8`, `…_fips`.
fn flavour(package: &Package) -> Option<&'static str> {
    if package.ecosystem != Ecosystem::Oracle {
        return None;
    }
    [("ksplice", "ksplice"), ("_fips", "fips")]
        .into_iter()
        .find_map(|(text, flavour)| package.version.contains(text).then_some(flavour))
}

/// The name and version that advisories are keyed by.
pub(crate) fn keyed_by(package: &Package) -> (Cow<'_, str>, Cow<'_, str>) {
    let Package { ecosystem, name, version, source, .. } = package;
    let by_source = match ecosystem.format() {
        Format::Deb | Format::Apk => true,
        Format::Rpm => matches!(ecosystem, Ecosystem::Photon | Ecosystem::AzureLinux),
        Format::Language => false,
    };
    match source {
        Some(source) if by_source => (Cow::from(&source.name), Cow::from(&source.version)),
        _ if *ecosystem == Ecosystem::Go && name == GO_STDLIB => {
            (Cow::from(GO_STDLIB), Cow::from(go_toolchain(version)))
        }
        _ => (Cow::from(name::normalize(*ecosystem, name)), Cow::from(version)),
    }
}

/// The name the Go vulnerability database gives the standard library.
pub(super) const GO_STDLIB: &str = "stdlib";

/// A toolchain version in SemVer: `go1.21rc2` is `1.21.0-rc.2`. Source: `GoTagToSemver` in golang.org/x/vuln, which
/// writes the bounds of the database.
fn go_toolchain(version: &str) -> String {
    let version = version.strip_prefix("go").unwrap_or(version);
    let Some(at) = ["rc", "beta", "alpha"].iter().find_map(|word| version.find(word)) else {
        return version.to_owned();
    };
    let (numbers, pre) = version.split_at(at);
    let digits = pre.find(|c: char| c.is_ascii_digit()).unwrap_or(pre.len());
    let (word, number) = pre.split_at(digits);
    let plain =
        numbers.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if plain && numbered && numbers.contains('.') {
        let patch = if numbers.matches('.').count() == 1 { ".0" } else { "" };
        format!("{numbers}{patch}-{word}.{number}")
    } else {
        version.to_owned()
    }
}

#[test]
fn toolchain_versions_become_semver() {
    for (go, semver) in [
        ("1.21.3", "1.21.3"),
        ("go1.21.3", "1.21.3"),
        ("1.21rc2", "1.21.0-rc.2"),
        ("1.21.0rc2", "1.21.0-rc.2"),
        ("go1.17beta1", "1.17.0-beta.1"),
        ("1.20", "1.20"),
        ("devel +abc", "devel +abc"),
        ("1.21rc2x", "1.21rc2x"),
        ("source", "source"),
    ] {
        assert_eq!(go_toolchain(go), semver, "{go}");
    }
}
