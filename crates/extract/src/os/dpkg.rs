//! Debian packages: dpkg's `status`, the `status.d` of images without dpkg, and the lists of owned files.
//! Source: deb-control(5), dpkg(1) "Package states"; distroless images write one stanza per `status.d` file.
use crate::prelude::*;

/// The database of dpkg, and that of images built without it.
pub(crate) const PLACES: [&str; 2] = ["var/lib/dpkg/status", "var/lib/dpkg/status.d"];

pub(crate) static STATUS: Extractor = Extractor {
    id: "dpkg",
    title: "dpkg status database",
    // Any folder named dpkg, since `var/lib/dpkg` may be a link; the merge knows where it leads.
    route: Route::Files(&["**/dpkg/status", "**/dpkg/status.d/*"]),
    max_bytes: 128 * MIB, // 3,000 packages take 4 MiB.
    extract: Extract::Text(extract),
};

pub(crate) static FILES: Extractor = Extractor {
    id: "dpkg-files",
    title: "dpkg lists of owned files",
    route: Route::Files(&[
        "**/dpkg/info/*.list",
        "**/dpkg/info/*.md5sums",
        "**/dpkg/status.d/*.md5sums",
    ]),
    max_bytes: 64 * MIB, // The largest in Debian, of documentation packages, take 10 MiB.
    extract: Extract::Text(extract_files),
};

/// Vendors that publish packages for Debian and Ubuntu without an `Origin`, by the host of their `Maintainer`
/// address. Individual Debian maintainers use any address, so an unknown host says nothing.
const VENDOR_HOSTS: &[&str] = &[
    "docker.com",
    "nvidia.com",
    "nodesource.com",
    "nodesource.org",
    "elastic.co",
    "grafana.com",
    "hashicorp.com",
    "gitlab.com",
    "mongodb.com",
    "10gen.com",
    "percona.com",
    "nginx.com",
    "confluent.io",
    "datadoghq.com",
    "cloudflare.com",
    "tailscale.com",
    "influxdata.com",
    "microsoft.com",
    "mysql.com",
];

/// The fields of one stanza that matter.
#[derive(Default)]
struct Stanza<'a> {
    line: usize,
    package: &'a str,
    version: &'a str,
    architecture: &'a str,
    source: &'a str,
    status: &'a str,
    origin: &'a str,
    maintainer: &'a str,
}

/// Stanzas separated by blank lines. A malformed line or stanza is a problem, the rest is read.
fn extract(text: &str, found: &mut Found) {
    let mut stanza = Stanza::default();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            add(&std::mem::take(&mut stanza), found);
            continue;
        }
        if stanza.line == 0 {
            stanza.line = index + 1;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            found.malformed("line is no `Field: value`", index + 1);
            continue;
        };
        let value = value.trim();
        match name {
            "Package" => stanza.package = value,
            "Version" => stanza.version = value,
            "Architecture" => stanza.architecture = value,
            "Source" => stanza.source = value,
            "Status" => stanza.status = value,
            "Origin" => stanza.origin = value,
            "Maintainer" => stanza.maintainer = value,
            _ => {}
        }
    }
    add(&stanza, found);
}

/// Every state counts but `not-installed` and `config-files`; no `Status` at all is an image built without dpkg.
fn add(stanza: &Stanza<'_>, found: &mut Found) {
    if stanza.line == 0 {
        return;
    }
    let state = stanza.status.split_whitespace().nth(2).unwrap_or_default();
    if matches!(state, "not-installed" | "config-files") {
        return;
    }
    if !stanza.status.is_empty() && state.is_empty() {
        found.malformed("`Status` has no third word", stanza.line);
    }
    if stanza.package.is_empty() || stanza.version.is_empty() {
        found.malformed("stanza has no `Package` or no `Version`", stanza.line);
        return;
    }
    if state == "half-installed" {
        let message = format!("{} is only half installed", stanza.package);
        found.note("half-installed", message);
    }
    let (name, version) = source(stanza);
    found.packages.push(FoundPackage {
        arch: Some(stanza.architecture.to_owned()).filter(|arch| !arch.is_empty()),
        source: Some(SourcePackage { name, version }),
        third_party: third_party(stanza),
        ..FoundPackage::new(Ecosystem::Debian, stanza.package, stanza.version)
    });
}

/// `Source: name (version)`; both default to the binary package's.
fn source(stanza: &Stanza<'_>) -> (String, String) {
    let (name, version) = match stanza.source.split_once('(') {
        Some((name, version)) => (name.trim(), version.trim_end().trim_end_matches(')').trim()),
        None => (stanza.source.trim(), ""),
    };
    let or =
        |value: &str, default: &str| (if value.is_empty() { default } else { value }).to_owned();
    (or(name, stanza.package), or(version, stanza.version))
}

/// A vendor's own build: another `Origin`, a PPA, or the address of a known vendor.
fn third_party(stanza: &Stanza<'_>) -> bool {
    let origin = stanza.origin.to_ascii_lowercase();
    if !origin.is_empty() {
        return !matches!(origin.as_str(), "debian" | "ubuntu");
    }
    let maintainer = stanza.maintainer.to_ascii_lowercase();
    let host =
        maintainer.rsplit_once('@').map(|(_, host)| host.trim_end_matches('>')).unwrap_or_default();
    let of_vendor = |vendor: &&str| {
        host.strip_suffix(*vendor).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    maintainer.starts_with("launchpad ppa")
        || stanza.version.contains(".pgdg")
        || VENDOR_HOSTS.iter().any(of_vendor)
}

/// `.list`: one absolute path per line. `.md5sums`: `HASH  relative/path`.
fn extract_files(text: &str, found: &mut Found) {
    for line in text.lines() {
        let path = match line.split_once("  ") {
            Some((hash, path)) if is_md5(hash) => path,
            _ => line,
        };
        if !path.is_empty() && path != "/." {
            found.owns(path);
        }
    }
}

fn is_md5(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::path_hash;

    const OK: &str = "Status: install ok installed\n";

    #[test]
    fn stanzas() {
        let two = format!("Package: a\n{OK}Version: 1\n\nPackage: b\n{OK}Version: 1:2-3\n");
        check(&STATUS, &two, "a 1, b 1:2-3");
        check(&STATUS, "Package: base-files\nVersion: 11.1+deb11u7\n", "base-files 11.1+deb11u7");
        check(&STATUS, two.replace('\n', "\r\n"), "a 1, b 1:2-3");
        check(&STATUS, format!("\n\n\n{two}\n\n"), "a 1, b 1:2-3");
        let description = format!("Package: a\n{OK}Version: 1\nDescription: x\n Version: 9\n .\n");
        check(&STATUS, description, "a 1");
        check(&STATUS, "", "");
    }

    #[test]
    fn states() {
        #[track_caller]
        fn state(state: &str, expected: &str) {
            let text = format!("Package: a\nStatus: install ok {state}\nVersion: 1\n");
            check(&STATUS, text, expected);
        }
        state("installed", "a 1");
        state("not-installed", "");
        state("config-files", "");
        state("unpacked", "a 1");
        state("half-configured", "a 1");
        state("triggers-awaited", "a 1");
        state("triggers-pending", "a 1");
        state("half-installed", "a 1; note half-installed");
        check(&STATUS, "Package: a\nStatus: deinstall ok config-files\n", "");
    }

    #[test]
    fn malformed() {
        let text = "Package: a\nVersion: 1\nrubbish\n\nVersion: 2\n\nPackage: c\nVersion: 3\n";
        check(&STATUS, text, "a 1, c 3; problem at line 3; problem at line 5");
        check(
            &STATUS,
            "Package: a\nVersion: 1\n\nPackage: b\nVers",
            "a 1; problem at line 5; problem at line 4",
        );
        check(&STATUS, "Package: a\nVersion: 1\n\nPackage: b\nVersion: 2", "a 1, b 2");
        check(&STATUS, b"Package: a\nVersion: 1\nMaintainer: J\xf6rg\n", "a 1");
        check(&STATUS, "Package: a\nStatus: install\nVersion: 1\n", "a 1; problem at line 1");
    }

    #[test]
    fn sources() {
        #[track_caller]
        fn check(source: &str, name: &str, version: &str) {
            let text = format!("Package: libc6\nVersion: 2\n{source}");
            let found = STATUS.run(text.as_bytes());
            let expected = SourcePackage { name: name.into(), version: version.into() };
            assert_eq!(found.packages[0].source, Some(expected));
        }
        check("Source: glibc\n", "glibc", "2");
        check("Source: glibc (2.36-9)\n", "glibc", "2.36-9");
        check("", "libc6", "2");
        check("Source:\n", "libc6", "2");
    }

    #[test]
    fn third_parties() {
        #[track_caller]
        fn check(fields: &str, expected: bool) {
            let found = STATUS.run(format!("Package: a\nVersion: 1\n{fields}").as_bytes());
            assert_eq!(found.packages[0].third_party, expected, "{fields}");
        }
        check("Maintainer: A Person <a@example.org>\n", false);
        check("Maintainer: Docker <support@docker.com>\n", true);
        check("Maintainer: X <x@mail.notdocker.com>\n", false);
        check("Maintainer: Launchpad PPA for somebody\n", true);
        check("Origin: Debian\nMaintainer: Docker <support@docker.com>\n", false);
        check("Origin: Artificial Vendor\n", true);
    }

    #[test]
    fn owned_files() {
        #[track_caller]
        fn check(text: &str, expected: &[&str]) {
            let hashes: Vec<_> = expected.iter().map(|path| path_hash(path)).collect();
            assert_eq!(FILES.run(text.as_bytes()).owned, hashes, "{text}");
        }
        check("/.\n/usr/bin/a b\n", &["usr/bin/a b"]);
        check("d41d8cd98f00b204e9800998ecf8427e  usr/bin/x\n", &["usr/bin/x"]);
        check("d41d8cd98f00b204e9800998ecf8427e  ./usr/bin/x", &["usr/bin/x"]);
        check("", &[]);
    }
}
