//! Which packages and images a purl speaks of.
use crate::report::ReportTarget;
use crate::sbom::repository_and_tag;
use packageurl::PackageUrl;
use seawall_model::package::Target;
use std::str::FromStr;

/// Whether `pattern` covers `purl`: type, namespace and name agree, and what it says of version and qualifiers holds.
/// Source: OpenVEX specification 0.2.0, "Product matching"; package-url specification.
pub(super) fn covers(pattern: &str, purl: &str) -> bool {
    if pattern == purl {
        return true;
    }
    let (Ok(pattern), Ok(purl)) = (PackageUrl::from_str(pattern), PackageUrl::from_str(purl))
    else {
        return false;
    };
    pattern.ty() == purl.ty()
        && pattern.namespace() == purl.namespace()
        && pattern.name() == purl.name()
        && pattern.version().is_none_or(|version| purl.version() == Some(version))
        && pattern.qualifiers().iter().all(|(key, value)| purl.qualifiers().get(key) == Some(value))
        && pattern.subpath().is_none_or(|path| purl.subpath() == Some(path))
}

/// Whether `id` names the target: its name, one of its digests, or a purl `pkg:oci/…`.
pub(super) fn is_target(id: &str, target: &ReportTarget) -> bool {
    let Target::Image { image } = &target.target else {
        return match &target.target {
            Target::Node { name } | Target::Directory { path: name } => name == id,
            Target::Image { .. } => false,
        };
    };
    if image.name == id || image.has_digest(id) {
        return true;
    }
    let Ok(purl) = PackageUrl::from_str(id) else { return false };
    let (repository, tag) = repository_and_tag(&image.name);
    let last = repository.rsplit('/').next().unwrap_or(repository);
    let qualifier = |key: &str, holds: &dyn Fn(&str) -> bool| {
        purl.qualifiers().get(key).is_none_or(|value| holds(value))
    };
    let arch = target.platform.as_deref().and_then(|platform| platform.split('/').nth(1));
    matches!(purl.ty(), "oci" | "docker")
        && purl.name().eq_ignore_ascii_case(last)
        && purl.version().is_none_or(|version| image.has_digest(version))
        && qualifier("repository_url", &|url| same_repository(url, repository))
        && qualifier("arch", &|own| arch == Some(own))
        // A tag moves: beside a digest it says nothing.
        && (purl.version().is_some() || qualifier("tag", &|own| tag == Some(own)))
}

/// Docker Hub has several names, and its own images a folder that nobody writes.
fn same_repository(a: &str, b: &str) -> bool {
    let plain = |name: &str| {
        let name = name.trim_start_matches("https://").trim_end_matches('/');
        let name = ["index.docker.io/", "docker.io/"]
            .iter()
            .find_map(|host| name.strip_prefix(host))
            .unwrap_or(name);
        name.strip_prefix("library/").unwrap_or(name).to_owned()
    };
    plain(a) == plain(b)
}

#[test]
fn purls_cover_what_they_say() {
    #[track_caller]
    fn check(pattern: &str, expected: bool) {
        let purl = "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u1?arch=amd64&distro=debian-12";
        assert_eq!(covers(pattern, purl), expected, "{pattern}");
    }
    check("pkg:deb/debian/curl", true);
    check("pkg:deb/debian/curl@7.88.1-10%2Bdeb12u1", true);
    check("pkg:deb/debian/curl@7.88.1-10+deb12u1?arch=amd64", true);
    check("pkg:deb/debian/curl?arch=arm64", false);
    check("pkg:deb/debian/curl@8", false);
    check("pkg:deb/ubuntu/curl", false);
    check("pkg:deb/debian/libcurl4", false);
    check("curl", false);
}

#[test]
fn images_have_names_digests_and_purls() {
    use seawall_model::image::ImageRef;
    #[track_caller]
    fn check(id: &str, expected: bool) {
        let image = ImageRef {
            name: "example.org/team/app:1".into(),
            digest: Some("sha256:aa".into()),
            ..ImageRef::default()
        };
        let target = ReportTarget {
            target: Target::Image { image },
            platform: Some("linux/amd64".into()),
            layers: Vec::new(),
            repositories: Vec::new(),
        };
        assert_eq!(is_target(id, &target), expected, "{id}");
    }
    check("example.org/team/app:1", true);
    check("sha256:aa", true);
    check("pkg:oci/app@sha256:aa", true);
    check("pkg:oci/app@sha256%3Aaa?repository_url=example.org/team/app&arch=amd64", true);
    check("pkg:oci/app", true);
    check("pkg:oci/app?tag=2", false);
    check("pkg:oci/app@sha256:bb", false);
    check("pkg:oci/app@sha256:aa?repository_url=other.org/app", false);
    check("pkg:oci/app@sha256:aa?arch=arm64", false);
    check("pkg:pypi/app", false);
    check("other", false);
    assert!(same_repository("docker.io/library/alpine", "alpine"));
}
