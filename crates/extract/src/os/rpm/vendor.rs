//! Whose build an rpm is, by its `Vendor`.
use super::Ecosystem;

/// How the vendors begin that a distro's own packages name. Source: trivy, `osVendors` of its rpm analyzer, told apart
/// by distro here.
const OWN: &[(Ecosystem, &[&str])] = &[
    // CentOS is judged by Red Hat's advisories, and its streams are built by Red Hat.
    (Ecosystem::RedHat, &["Red Hat", "CentOS"]),
    (Ecosystem::AlmaLinux, &["AlmaLinux"]),
    (Ecosystem::Rocky, &["Rocky"]),
    (Ecosystem::Amazon, &["Amazon"]),
    (Ecosystem::Oracle, &["Oracle America"]),
    // Leap is built from packages of SLE, and Package Hub brings those of openSUSE to SLE.
    (Ecosystem::Suse, &["SUSE", "openSUSE"]),
    (Ecosystem::OpenSuse, &["SUSE", "openSUSE"]),
    // VMware is Broadcom's.
    (Ecosystem::Photon, &["VMware", "Broadcom"]),
    (Ecosystem::AzureLinux, &["Microsoft Corporation"]),
];

/// Whether `vendor` is another than the distro whose advisories are `ecosystem`. A package that names none is taken
/// for the distro's: Amazon's first line left it out, and what nobody can tell apart must not go unjudged.
pub(crate) fn is_third_party(ecosystem: Ecosystem, vendor: Option<&str>) -> bool {
    let own = OWN.iter().find(|(own, _)| *own == ecosystem).map(|(_, names)| *names);
    let (Some(own), Some(vendor)) = (own, vendor) else { return false };
    let begins = |name: &&str| {
        vendor.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    !vendor.is_empty() && vendor != "(none)" && !own.iter().any(begins)
}

#[test]
fn table() {
    #[track_caller]
    fn check(ecosystem: Ecosystem, vendor: &str, expected: bool) {
        assert_eq!(is_third_party(ecosystem, Some(vendor)), expected, "{vendor}");
    }
    check(Ecosystem::RedHat, "Red Hat, Inc.", false);
    check(Ecosystem::RedHat, "CentOS", false);
    check(Ecosystem::RedHat, "Fedora Project", true);
    check(Ecosystem::RedHat, "Docker <support@docker.com>", true);
    check(Ecosystem::AlmaLinux, "Red Hat, Inc.", true);
    check(Ecosystem::Amazon, "Amazon.com", false);
    check(Ecosystem::Suse, "SUSE LLC <https://www.suse.com/>", false);
    check(Ecosystem::OpenSuse, "obs://build.opensuse.org/home:somebody", true);
    check(Ecosystem::Rocky, "Rocky Enterprise Software Foundation", false);
    check(Ecosystem::Rocky, "", false);
    check(Ecosystem::Rocky, "(none)", false);
    check(Ecosystem::Rocky, "é", true);
    check(Ecosystem::Rpm, "Fedora Project", false);
    check(Ecosystem::Debian, "anybody", false);
    assert!(!is_third_party(Ecosystem::RedHat, None));
}
