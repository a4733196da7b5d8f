//! Package URLs of what was found. Source: package-url specification, PURL-TYPES.
use crate::facts::FoundPackage;
use packageurl::PackageUrl;
use seawall_model::package::{Distro, Ecosystem};

/// The purl of `package`. `distro` names the vendor and release of an OS package.
pub(crate) fn purl(package: &FoundPackage, distro: Option<&Distro>) -> String {
    let (namespace, name) = match package.ecosystem {
        Ecosystem::Debian => (distro.map_or("debian", |distro| &distro.id), package.name.as_str()),
        Ecosystem::Go => package.name.rsplit_once('/').unwrap_or(("", &package.name)),
        Ecosystem::PyPI => ("", package.name.as_str()),
    };
    build(package, namespace, name, distro).unwrap_or_else(|_| {
        // An empty name is the one refusal; the bare form still tells instances apart.
        format!("pkg:{}/{}@{}", package.ecosystem.purl_type(), package.name, package.version)
    })
}

fn build(
    package: &FoundPackage,
    namespace: &str,
    name: &str,
    distro: Option<&Distro>,
) -> packageurl::Result<String> {
    let mut purl = PackageUrl::new(package.ecosystem.purl_type(), name)?;
    if !namespace.is_empty() {
        purl.with_namespace(namespace)?;
    }
    purl.with_version(package.version.as_str())?;
    if let Some(arch) = &package.arch {
        purl.add_qualifier("arch", arch.as_str())?;
    }
    if let (Ecosystem::Debian, Some(distro)) = (package.ecosystem, distro) {
        let release = distro.version.as_deref().map(|version| format!("-{version}"));
        purl.add_qualifier("distro", format!("{}{}", distro.id, release.unwrap_or_default()))?;
    }
    Ok(purl.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ecosystem: Ecosystem, name: &str, version: &str, arch: Option<&str>, expected: &str) {
        let (name, version, arch) = (name.into(), version.into(), arch.map(str::to_owned));
        let package =
            FoundPackage { ecosystem, name, version, arch, source: None, third_party: false };
        let distro = Distro { id: "debian".into(), version: Some("12".into()), name: None };
        assert_eq!(purl(&package, Some(&distro)), expected);
    }

    #[test]
    fn table() {
        let curl = "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u1?arch=amd64&distro=debian-12";
        check(Ecosystem::Debian, "curl", "7.88.1-10+deb12u1", Some("amd64"), curl);
        check(Ecosystem::PyPI, "django", "3.2", None, "pkg:pypi/django@3.2");
        check(
            Ecosystem::Go,
            "golang.org/x/net",
            "v0.1.0",
            None,
            "pkg:golang/golang.org/x/net@v0.1.0",
        );
        check(Ecosystem::Go, "stdlib", "1.21.3", None, "pkg:golang/stdlib@1.21.3");
        check(Ecosystem::PyPI, "", "1", None, "pkg:pypi/@1");
    }
}
