//! Packages of apk, and the repositories they come from.
//! Source: Alpine's apk_spec, "Installed Database V2"; apk-repositories(5) of apk-tools 2 and 3.
use crate::prelude::*;

/// Where apk keeps its database; since version 3 below `usr` where `lib` leads there.
pub(crate) const PLACES: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

pub(crate) static INSTALLED: Extractor = Extractor {
    id: "apk",
    title: "apk database",
    // Any folder named apk, since `lib` may be a link; the merge knows where it leads.
    route: Route::Files(&["**/apk/db/installed"]),
    max_bytes: 256 * MIB, // Two short lines per file, so room for millions of files.
    extract: Extract::Text(extract),
};

pub(crate) static REPOSITORIES: Extractor = Extractor {
    id: "apk-repositories",
    title: "apk repositories",
    route: Route::Files(&[
        "etc/apk/repositories",
        "etc/apk/repositories.d/*.list",
        "lib/apk/repositories.d/*.list",
        "usr/lib/apk/repositories.d/*.list",
    ]),
    max_bytes: MIB, // A line per repository.
    extract: Extract::Text(extract_repositories),
};

/// Bytes; Linux takes no longer path.
const MAX_PATH: usize = 4096;

/// The fields of one package that matter.
#[derive(Default)]
struct Package<'a> {
    line: usize,
    name: &'a str,
    version: &'a str,
    arch: &'a str,
    origin: &'a str,
    owned: Vec<u64>,
}

/// Packages separated by blank lines; each line is a letter, whose case counts, a colon and a value. `F` is a directory
/// and `R` a file in the latest one.
fn extract(text: &str, found: &mut Found) {
    let mut package = Package::default();
    let mut folder = "";
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            add(std::mem::take(&mut package), found);
            folder = "";
            continue;
        }
        if package.line == 0 {
            package.line = index + 1;
        }
        let Some((name, value)) = line.split_once(':').filter(|(name, _)| name.len() == 1) else {
            found.malformed("line is no `X:value`", index + 1);
            continue;
        };
        let value = value.trim_end();
        match name {
            "P" => package.name = value,
            "V" => package.version = value,
            "A" => package.arch = value,
            "o" => package.origin = value,
            "F" => folder = value,
            "R" if folder.len() + value.len() <= MAX_PATH => {
                package.owned.extend(found.owned_by_package(folder, &format!("/{value}")));
            }
            "R" => found.malformed("path of a file is too long", index + 1),
            _ => {}
        }
    }
    add(package, found);
}

/// The origin is the name of the source package, which is built at the same version; by default the package's own.
fn add(package: Package<'_>, found: &mut Found) {
    let Package { line, name, version, arch, origin, owned } = package;
    if line == 0 {
        return;
    }
    if name.is_empty() || version.is_empty() {
        return found.malformed("package has no `P` or no `V`", line);
    }
    let origin = if origin.is_empty() { name } else { origin };
    found.packages.push(FoundPackage {
        arch: Some(arch.to_owned()).filter(|arch| !arch.is_empty()),
        source: Some(SourcePackage { name: origin.to_owned(), version: version.to_owned() }),
        owned,
        ..FoundPackage::new(Ecosystem::Apk, name, version)
    });
}

/// One repository per line, with a format in front since version 3, components behind, and variables. Those with a tag
/// serve but the packages that were asked for with it, so they do not tell what the system is made of.
fn extract_repositories(text: &str, found: &mut Found) {
    let mut variables: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace().peekable();
        words.next_if(|word| ["v2", "v3", "ndx"].contains(word));
        match words.next() {
            None | Some("default") => {}
            Some(word) if word.starts_with(['#', '@']) => {}
            Some("set") => {
                let value = words.find_map(|word| word.split_once('='));
                variables.extend(value.map(|(key, value)| (key, expand(value, &variables))));
            }
            Some(url) => {
                let url = expand(url, &variables);
                let url = url.trim_end_matches('/');
                let components: Vec<_> = words.collect();
                if components.is_empty() {
                    found.repositories.push(url.to_owned());
                }
                let each = components.iter().map(|component| format!("{url}/{component}"));
                found.repositories.extend(each);
            }
        }
    }
}

/// The text with the latest values of variables; unknown ones, such as those built into apk, stay as they are.
fn expand(text: &str, variables: &[(&str, String)]) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((key, behind)) = after.split_once('}') else { break };
        let value = variables.iter().rfind(|(own, _)| *own == key);
        expanded.push_str(before);
        match value {
            Some((_, value)) if expanded.len() + value.len() <= MAX_PATH => {
                expanded.push_str(value)
            }
            _ => expanded.push_str(&format!("${{{key}}}")),
        }
        rest = behind;
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::path_hash;

    const BUSYBOX: &str = "C:Q1abc=\nP:busybox-binsh\nV:1.36.1-r5\nA:x86_64\nS:1546\nI:8192\nT:Size optimized toolbox\n\
        U:https://busybox.net/\nL:GPL-2.0-only\no:busybox\nm:Somebody <a@example.org>\nt:1696\nc:abc\nD:busybox=1.36.1-r5\n\
        p:/bin/sh cmd:sh=1.36.1-r5\nF:bin\nR:sh\na:0:0:777\nZ:Q1pc=\nF:\nR:.dot\n\n";

    #[test]
    fn packages() {
        let musl = "P:musl\nV:1.2.4-r2\n\n";
        check(&INSTALLED, format!("{BUSYBOX}{musl}"), "busybox-binsh 1.36.1-r5, musl 1.2.4-r2");
        check(&INSTALLED, BUSYBOX.trim_end(), "busybox-binsh 1.36.1-r5");
        check(&INSTALLED, BUSYBOX.replace('\n', "\r\n"), "busybox-binsh 1.36.1-r5");
        check(&INSTALLED, format!("\n\n{musl}\n\n"), "musl 1.2.4-r2");
        check(&INSTALLED, "", "");
        let found = INSTALLED.run(format!("{BUSYBOX}{musl}").as_bytes());
        let source = |name: &str, version: &str| {
            Some(SourcePackage { name: name.into(), version: version.into() })
        };
        assert_eq!(found.packages[0].source, source("busybox", "1.36.1-r5"));
        assert_eq!(found.packages[0].arch.as_deref(), Some("x86_64"));
        assert_eq!(found.packages[0].owned, [path_hash("bin/sh"), path_hash(".dot")]);
        assert_eq!(found.packages[1].source, source("musl", "1.2.4-r2"));
        assert_eq!(
            (found.packages[1].arch.as_deref(), &found.packages[1].owned[..]),
            (None, &[][..])
        );
    }

    #[test]
    fn malformed() {
        let text = "P:a\nV:1\nrubbish\n\nV:2\n\nP:c\nV:3\n";
        check(&INSTALLED, text, "a 1, c 3; problem at line 3; problem at line 5");
        check(&INSTALLED, "P:a\nV:1\n\nP:b\nV", "a 1; problem at line 5; problem at line 4");
        check(&INSTALLED, format!("P:a\nV:1\nR:{}\n", "x".repeat(5000)), "a 1; problem at line 3");
        check(&INSTALLED, b"P:a\nV:1\nm:J\xf6rg\n", "a 1");
        check(&INSTALLED, "P:a\n", "problem at line 1");
    }

    #[test]
    fn repositories() {
        #[track_caller]
        fn check(text: &str, expected: &[&str]) {
            let found = REPOSITORIES.run(text.as_bytes());
            assert_eq!(found.repositories, expected);
            assert_eq!(found.problems, []);
        }
        let main = "https://mirror.example/alpine/v3.18/main";
        check(&format!("{main}\n#{main}\n\n  {main}/ \n"), &[main, main]);
        check("@edge https://mirror.example/alpine/edge/main\n", &[]);
        check("# comment\n/media/cdrom/apks\n", &["/media/cdrom/apks"]);
        check(
            &format!("v3 {main}\nv2 @t {main}\nndx {main}/x.adb\n"),
            &[main, &format!("{main}/x.adb")],
        );
        let community = "https://mirror.example/alpine/v3.22/community";
        let both = "https://mirror.example/alpine/v3.22 main community\n";
        check(both, &["https://mirror.example/alpine/v3.22/main", community]);
        let set = "set -default mirror=https://mirror.example\nset dir=${mirror}/alpine\n";
        check(&format!("{set}v3 ${{dir}}/v3.18 main\n"), &[main]);
        check("${APK_ARCH}/${open\ndefault v3\n", &["${APK_ARCH}/${open"]);
    }
}
