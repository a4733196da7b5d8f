//! The operating system behind the names that other tools give it.
use packageurl::PackageUrl;
use seawall_model::package::Distro;
use std::str::FromStr;

/// Families of trivy → `ID` of os-release. Source: trivy, `pkg/fanal/types/const.go`.
const FAMILIES: [(&str, &str); 9] = [
    ("redhat", "rhel"),
    ("alma", "almalinux"),
    ("amazon", "amzn"),
    ("oracle", "ol"),
    ("suse linux enterprise server", "sles"),
    ("slem", "sle-micro"),
    ("opensuse.leap", "opensuse-leap"),
    ("opensuse.tumbleweed", "opensuse-tumbleweed"),
    ("cbl-mariner", "mariner"),
];

/// The `ID` in os-release of what a tool calls so.
pub(super) fn os_release_id(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let known = FAMILIES.iter().find(|(family, _)| *family == name);
    known.map_or(name, |(_, id)| (*id).to_owned())
}

/// `pkg:deb/debian/curl@1?distro=debian-12` is of Debian 12; trivy's `distro=3.17.2` has the version alone.
pub(super) fn of_purl(purl: &str) -> Option<Distro> {
    let purl = PackageUrl::from_str(purl).ok()?;
    let of_distro = matches!(purl.ty(), "deb" | "rpm" | "apk");
    let distro = purl.qualifiers().get("distro").filter(|_| of_distro)?;
    let number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let (id, version) = match distro.rsplit_once('-') {
        Some((id, version)) if number(version) => (id, Some(version)),
        _ if number(distro) => (purl.namespace()?, Some(distro.as_ref())),
        _ => (distro.as_ref(), None),
    };
    Some(Distro { id: os_release_id(id), version: version.map(str::to_owned), name: None })
}

#[test]
fn distros_have_many_names() {
    #[track_caller]
    fn check(purl: &str, expected: Option<(&str, Option<&str>)>) {
        let found = of_purl(purl);
        let found = found.as_ref().map(|own| (own.id.as_str(), own.version.as_deref()));
        assert_eq!(found, expected, "{purl}");
    }
    check("pkg:deb/debian/curl@1?distro=debian-12", Some(("debian", Some("12"))));
    check("pkg:apk/alpine/curl@1?distro=3.17.2", Some(("alpine", Some("3.17.2"))));
    check("pkg:rpm/redhat/bash@1?distro=redhat-9.2", Some(("rhel", Some("9.2"))));
    check("pkg:rpm/opensuse/a@1?distro=opensuse-leap-15.5", Some(("opensuse-leap", Some("15.5"))));
    check("pkg:apk/wolfi/curl@1?distro=wolfi", Some(("wolfi", None)));
    check("pkg:pypi/django@1?distro=debian-12", None);
    check("pkg:deb/debian/curl@1", None);
    for (name, id) in
        [("redhat", "rhel"), ("Debian", "debian"), ("SUSE Linux Enterprise Server", "sles")]
    {
        assert_eq!(os_release_id(name), id);
        assert!(
            seawall_model::package::Ecosystem::on(
                if id == "debian" {
                    seawall_model::package::Format::Deb
                } else {
                    seawall_model::package::Format::Rpm
                },
                id
            )
            .is_some()
        );
    }
}
