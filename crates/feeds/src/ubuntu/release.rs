//! Ubuntu's codenames and channels.

/// Codenames and what os-release calls them. Source: the distribution's `distro-info-data`.
const RELEASES: [(&str, &str); 25] = [
    ("resolute", "26.04"),
    ("questing", "25.10"),
    ("plucky", "25.04"),
    ("oracular", "24.10"),
    ("noble", "24.04"),
    ("mantic", "23.10"),
    ("lunar", "23.04"),
    ("kinetic", "22.10"),
    ("jammy", "22.04"),
    ("impish", "21.10"),
    ("hirsute", "21.04"),
    ("groovy", "20.10"),
    ("focal", "20.04"),
    ("eoan", "19.10"),
    ("disco", "19.04"),
    ("cosmic", "18.10"),
    ("bionic", "18.04"),
    ("artful", "17.10"),
    ("zesty", "17.04"),
    ("yakkety", "16.10"),
    ("xenial", "16.04"),
    ("wily", "15.10"),
    ("vivid", "15.04"),
    ("utopic", "14.10"),
    ("trusty", "14.04"),
];

/// Release and channel of `jammy`, `esm-infra/xenial`, `trusty/esm`, as purls write them in `distro`.
pub(crate) fn place(distro: &str) -> Option<(&'static str, Option<String>)> {
    let release = |codename: &str| {
        let mut known = RELEASES.into_iter();
        known.find(|(own, _)| *own == codename).map(|(_, number)| number)
    };
    match distro.split_once('/') {
        None => Some((release(distro)?, None)),
        // The first channel, before it had a name beside others.
        Some((codename, "esm")) => Some((release(codename)?, Some("esm-infra".to_owned()))),
        Some((channel, codename)) => Some((release(codename)?, Some(channel.to_lowercase()))),
    }
}

/// The channel that an OSV record's purl names.
pub(crate) fn channel(purl: &str) -> Option<String> {
    let distro = purl.split(['?', '&']).find_map(|part| part.strip_prefix("distro="))?;
    place(&distro.replace("%2F", "/"))?.1
}

#[test]
fn places_are_told_apart() {
    let told =
        |distro| place(distro).map(|(release, channel)| (release, channel.unwrap_or_default()));
    assert_eq!(told("jammy"), Some(("22.04", String::new())));
    assert_eq!(told("esm-infra/xenial"), Some(("16.04", "esm-infra".into())));
    assert_eq!(told("esm-infra-legacy/trusty"), Some(("14.04", "esm-infra-legacy".into())));
    assert_eq!(told("trusty/esm"), Some(("14.04", "esm-infra".into())));
    assert_eq!(told("buster"), None);
    let purl = "pkg:deb/ubuntu/netty@1:4.0.34-1ubuntu0.1~esm2?arch=source&distro=esm-apps/xenial";
    assert_eq!(channel(purl).as_deref(), Some("esm-apps"));
    assert_eq!(channel("pkg:deb/ubuntu/tpp@1?arch=source&distro=trusty"), None);
}
