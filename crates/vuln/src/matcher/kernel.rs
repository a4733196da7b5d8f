//! Kernel headers come from the kernel's source, so every flaw of the kernel names them; an image runs no kernel.
use seawall_model::finding::Qualifier;
use seawall_model::package::{Format, Package, Target};

/// Why the kernel's flaws do not apply to a package: headers in an image. `None` where they do.
pub(super) fn not_running(package: &Package, target: &Target) -> Option<Qualifier> {
    let in_image = matches!(target, Target::Image { .. });
    (in_image && is_headers(package)).then(|| Qualifier {
        kind: "kernel".to_owned(),
        required: Some("node".to_owned()),
        installed: Some("image".to_owned()),
        holds: false,
    })
}

fn is_headers(package: &Package) -> bool {
    let named = ["linux-libc-dev", "linux-headers-"];
    package.ecosystem.format() == Format::Deb
        && named.iter().any(|name| package.name.starts_with(name))
        && package.source.as_ref().is_some_and(|source| is_kernel(&source.name))
}

/// `linux`, `linux-5.10` of backports, `linux-signed-amd64`; not `linux-atm`.
fn is_kernel(source: &str) -> bool {
    let flavour = source.strip_prefix("linux-").unwrap_or_default();
    source == "linux"
        || flavour.starts_with(|c: char| c.is_ascii_digit())
        || flavour.starts_with("signed")
}

#[test]
fn headers_are_told_by_name_and_source() {
    #[track_caller]
    fn check(name: &str, source: &str, expected: bool) {
        let source = seawall_model::package::SourcePackage {
            name: source.to_owned(),
            version: "5.10.1-1".to_owned(),
        };
        let package = Package {
            ecosystem: seawall_model::package::Ecosystem::Debian,
            name: name.to_owned(),
            version: "5.10.1-1".to_owned(),
            purl: String::new(),
            arch: None,
            source: Some(source),
            locations: Vec::new(),
            owner: None,
            layer: None,
            third_party: false,
            module: None,
        };
        assert_eq!(is_headers(&package), expected, "{name}");
    }
    check("linux-libc-dev", "linux", true);
    check("linux-libc-dev-arm64-cross", "linux", true);
    check("linux-headers-5.10.0-20-amd64", "linux-5.10", true);
    check("linux-headers-amd64", "linux-signed-amd64", true);
    check("bpftool", "linux", false);
    check("linux-image-amd64", "linux-signed-amd64", false);
    check("linux-headers-x", "linux-atm", false);
}
