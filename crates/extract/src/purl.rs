//! Package URLs of what was found. Source: package-url specification, PURL-TYPES.
use crate::facts::FoundPackage;
use packageurl::PackageUrl;
use seawall_model::package::{Distro, Ecosystem, Format};

/// The purl of `package`. `distro` names the vendor and release of an OS package.
pub(crate) fn purl(package: &FoundPackage, distro: Option<&Distro>) -> String {
    let name = package.name.as_str();
    let vendor = |fallback: &'static str| distro.map_or(fallback, |distro| &distro.id);
    let (namespace, name) = match package.ecosystem.format() {
        Format::Deb => (vendor("debian"), name),
        Format::Rpm | Format::Apk => (vendor(""), name),
        Format::Language => match package.ecosystem {
            Ecosystem::Go | Ecosystem::Npm | Ecosystem::Packagist => {
                name.rsplit_once('/').unwrap_or(("", name))
            }
            Ecosystem::Maven => name.split_once(':').unwrap_or(("", name)),
            _ => ("", name),
        },
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
    let format = package.ecosystem.format();
    let mut purl = PackageUrl::new(package.ecosystem.purl_type(), name)?;
    if !namespace.is_empty() {
        purl.with_namespace(namespace)?;
    }
    // The epoch of an rpm is a qualifier of its own.
    let (epoch, version) = match package.version.split_once(':') {
        Some((epoch, rest)) if format == Format::Rpm => (Some(epoch), rest),
        _ => (None, package.version.as_str()),
    };
    purl.with_version(version)?;
    if let Some(arch) = &package.arch {
        purl.add_qualifier("arch", arch.as_str())?;
    }
    if let (true, Some(distro)) = (format != Format::Language, distro) {
        let release = distro.version.as_deref().map(|version| format!("-{version}"));
        purl.add_qualifier("distro", format!("{}{}", distro.id, release.unwrap_or_default()))?;
    }
    if let Some(epoch) = epoch {
        purl.add_qualifier("epoch", epoch.to_owned())?;
    }
    if let Some(module) = &package.module {
        purl.add_qualifier("rpmmod", module.as_str())?;
    }
    Ok(purl.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ecosystem: Ecosystem, name: &str, version: &str, arch: Option<&str>, expected: &str) {
        let arch = arch.map(str::to_owned);
        let package = FoundPackage { arch, ..FoundPackage::new(ecosystem, name, version) };
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
        let bash = "pkg:rpm/debian/bash@5.1.8-6.el9?arch=x86_64&distro=debian-12&epoch=1";
        check(Ecosystem::RedHat, "bash", "1:5.1.8-6.el9", Some("x86_64"), bash);
        check(Ecosystem::Npm, "@babel/core", "7.0.0", None, "pkg:npm/%40babel/core@7.0.0");
        check(Ecosystem::Maven, "org.a:b", "1", None, "pkg:maven/org.a/b@1");
    }
}
