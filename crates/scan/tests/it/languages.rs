//! One of each installed format in the layers of an image, one of each lock file in a source tree.
use crate::build::*;
use seawall_scan::scan_source;
use std::fs;
use std::io::Write;
use std::path::Path;

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A war that holds a jar of one module.
fn war(version: &str) -> Vec<u8> {
    let text = format!("groupId=org.example\nartifactId=inner\nversion={version}\n");
    let inner = zip(&[("META-INF/maven/org.example/inner/pom.properties", text.as_bytes())]);
    zip(&[("WEB-INF/lib/inner.jar", &inner)])
}

/// A 64-bit ELF file whose one section `.data` is loaded and writable, and whose other, `section`, is not loaded.
fn elf(data: &[u8], section: &str, content: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x10_0000;
    let words =
        |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let data_end = 128 + data.len() as u64;
    let names = format!("\0{section}\0.shstrtab\0");
    let names_at = data_end + content.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    file.extend(words(&[BASE, 64, names_at + names.len() as u64]));
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 3, 0, 2, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
    file.extend(words(&[128, BASE, BASE, data.len() as u64, data.len() as u64, 4096]));
    file.resize(128, 0);
    file.extend(data);
    file.extend(content);
    file.extend(names.as_bytes());
    file.extend([0; 64]);
    for (name, kind, start, size) in [
        (1, 1, data_end, content.len() as u64),
        (2 + section.len() as u64, 3, names_at, names.len() as u64),
    ] {
        file.extend(words(&[name | kind << 32, 0, 0, start, size, 0, 1, 0]));
    }
    file
}

fn go_program(version: &str) -> Vec<u8> {
    let modules =
        format!("{0}mod\ta.org/a\t(devel)\t\ndep\ta.org/dep\t{version}\th1:x\n{0}", "<".repeat(16));
    let mut record = b"\xff Go buildinf:\x08\x02".to_vec();
    record.resize(32, 0);
    record.extend(b"\x08go1.22.1");
    record.push(modules.len() as u8);
    record.extend(modules.as_bytes());
    elf(&record, ".comment", b"x")
}

fn rust_program(version: &str) -> Vec<u8> {
    let json =
        format!(r#"{{"packages":[{{"name":"itoa","version":"{version}","source":"crates.io"}}]}}"#);
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(json.as_bytes()).unwrap();
    elf(&[0; 16], ".dep-v0", &encoder.finish().unwrap())
}

const PACKAGES: [&str; 12] = [
    "opt/go",
    "opt/rust",
    "srv/app.war",
    "srv/node_modules/@a/b/package.json",
    "srv/py/d-1.dist-info/METADATA",
    "srv/py/e.egg-info",
    "usr/lib/ruby/specifications/default/json.gemspec",
    "srv/vendor/composer/installed.json",
    "srv/App.deps.json",
    "usr/lib/R/library/jsonlite/DESCRIPTION",
    "opt/bitnami/apache/.spdx-apache.spdx",
    "srv/node_modules/@a/b/test/package.json",
];

/// The file at one of those places, of a package with `version`.
fn installed(tar: Tar, path: &str, version: &str) -> Tar {
    let text = match path {
        "opt/go" => return tar.program(path, &go_program(&format!("v{version}"))),
        "opt/rust" => return tar.program(path, &rust_program(version)),
        "srv/app.war" => return tar.file(path, war(version)),
        "srv/py/d-1.dist-info/METADATA" => {
            format!("Metadata-Version: 2.1\nName: D\nVersion: {version}\n")
        }
        "srv/py/e.egg-info" => format!("Metadata-Version: 1.1\nName: e\nVersion: {version}\n"),
        "usr/lib/ruby/specifications/default/json.gemspec" => format!(
            "# stub: json {version} ruby lib\nGem::Specification.new do |s|\n  s.name = \"json\".freeze\n  s.version = \"{version}\"\nend\n"
        ),
        "srv/vendor/composer/installed.json" => {
            format!(r#"{{"packages": [{{"name": "Twig/Twig", "version": "v{version}"}}]}}"#)
        }
        "srv/App.deps.json" => format!(
            r#"{{"libraries": {{"App/1.0": {{"type": "project"}}, "NLog/{version}": {{"type": "package"}}}}}}"#
        ),
        "usr/lib/R/library/jsonlite/DESCRIPTION" => {
            format!("Package: jsonlite\nVersion: {version}\nRepository: CRAN\n")
        }
        "opt/bitnami/apache/.spdx-apache.spdx" => format!(
            r#"{{"packages": [{{"name": "apache", "externalRefs": [{{"referenceLocator": "pkg:bitnami/apache@{version}-3?arch=amd64"}}]}}]}}"#
        ),
        _ => format!(r#"{{"name": "@a/b", "version": "{version}"}}"#),
    };
    tar.file(path, text)
}

fn all(version: &str) -> Tar {
    PACKAGES.iter().fold(Tar::default(), |tar, path| installed(tar, path, version))
}

fn removed() -> Tar {
    PACKAGES.iter().fold(Tar::default(), |tar, path| {
        let (parent, name) = path.rsplit_once('/').unwrap();
        tar.file(&format!("{parent}/.wh.{name}"), "")
    })
}

/// The list of packages, all of one version and layer but the toolchain.
fn expected(version: &str, layer: u32) -> String {
    let package = |name: &str| format!("{name} {version}@{layer}");
    let pypi = [package("d"), package("e")];
    let go = [
        format!("a.org/dep v{version}@{layer}"),
        format!("stdlib 1.22.1@{}", if layer == 1 { 0 } else { layer }),
    ];
    let rest =
        ["@a/b", "org.example:inner", "itoa", "json", "twig/twig", "NLog", "jsonlite", "apache"];
    [&pypi[..], &go, &rest.map(package)].concat().join(", ")
}

#[test]
fn layers_of_installed_packages() {
    #[track_caller]
    fn check(layers: &[Tar], expected: &str) {
        let layers: Vec<_> = layers.iter().map(|layer| layer.clone().end()).collect();
        let inventory = scan_bytes(&docker_archive(&layers));
        assert_eq!(listed(&inventory), expected);
        let note = "Note go-main-module-without-version";
        assert_eq!(problems(&inventory), if expected.is_empty() { "" } else { note });
    }
    check(&[all("1.0.0")], &expected("1.0.0", 0));
    check(&[all("1.0.0"), removed()], "");
    check(&[all("1.0.0"), all("2.0.0")], &expected("2.0.0", 1));
    check(&[all("1.0.0"), removed(), all("1.0.0")], &expected("1.0.0", 2));
    // Written again as it was, a package is still of the layer that brought it.
    check(&[all("1.0.0"), all("1.0.0")], &expected("1.0.0", 0));
}

#[test]
fn lock_files_are_nothing_that_is_installed() {
    let tar = LOCKS.iter().fold(Tar::default(), |tar, (path, text, _)| tar.file(path, text));
    assert_eq!(listed(&scan_bytes(&docker_archive(&[tar.end()]))), "");
}

/// Path, text and what it fixes.
const LOCKS: [(&str, &str, &str); 23] = [
    (
        "go/go.mod",
        "module a\ngo 1.22\ntoolchain go1.22.1\nrequire a.org/mod v1.0.0\n",
        "a.org/mod v1.0.0",
    ),
    (
        "go/go.work",
        "go 1.22\ntoolchain go1.22.1\nuse ./a\nreplace a.org/x => a.org/work v1.0.0\n",
        "a.org/work v1.0.0",
    ),
    (
        "rust/Cargo.lock",
        "[[package]]\nname = \"crate\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n",
        "crate 1.0.0",
    ),
    (
        "java/pom.xml",
        "<project><dependencies><dependency><groupId>g</groupId><artifactId>pom</artifactId><version>1.0</version></dependency></dependencies></project>",
        "g:pom 1.0",
    ),
    ("java/gradle.lockfile", "g:gradle:1.0=compileClasspath\n", "g:gradle 1.0"),
    (
        "js/package-lock.json",
        r#"{"packages": {"node_modules/npm-locked": {"version": "1.0.0"}}}"#,
        "npm-locked 1.0.0",
    ),
    ("js/yarn.lock", "yarn-locked@^1:\n  version \"1.0.0\"\n", "yarn-locked 1.0.0"),
    (
        "js/pnpm-lock.yaml",
        "lockfileVersion: '9.0'\npackages:\n  pnpm-locked@1.0.0:\n    resolution: {}\n",
        "pnpm-locked 1.0.0",
    ),
    (
        "js/bun.lock",
        "{\"packages\": {\"bun-locked\": [\"bun-locked@1.0.0\", \"\", {}, \"\"],}}",
        "bun-locked 1.0.0",
    ),
    (
        "py/poetry.lock",
        "[[package]]\nname = \"poetry-locked\"\nversion = \"1.0\"\n",
        "poetry-locked 1.0",
    ),
    (
        "py/uv.lock",
        "[[package]]\nname = \"uv-locked\"\nversion = \"1.0\"\nsource = { registry = \"x\" }\n",
        "uv-locked 1.0",
    ),
    ("py/pdm.lock", "[[package]]\nname = \"pdm-locked\"\nversion = \"1.0\"\n", "pdm-locked 1.0"),
    (
        "py/Pipfile.lock",
        r#"{"_meta": {}, "default": {"pipenv-locked": {"version": "==1.0"}}}"#,
        "pipenv-locked 1.0",
    ),
    (
        "py/pylock.toml",
        "[[packages]]\nname = \"pylock-locked\"\nversion = \"1.0\"\n",
        "pylock-locked 1.0",
    ),
    ("py/requirements.txt", "Pinned==1.0\n", "pinned 1.0"),
    ("ruby/Gemfile.lock", "GEM\n  specs:\n    gem (1.0-java)\n", "gem 1.0"),
    ("php/composer.lock", r#"{"packages": [{"name": "a/php", "version": "v1.0"}]}"#, "a/php 1.0"),
    (
        "net/packages.lock.json",
        r#"{"dependencies": {"net6.0": {"NuGet": {"type": "Direct", "resolved": "1.0"}}}}"#,
        "NuGet 1.0",
    ),
    (
        "net/packages.config",
        r#"<packages><package id="Config" version="1.0"/></packages>"#,
        "Config 1.0",
    ),
    (
        "dart/pubspec.lock",
        "packages:\n  dart:\n    source: hosted\n    version: \"1.0.0\"\n",
        "dart 1.0.0",
    ),
    ("hs/cabal.project.freeze", "constraints: any.cabal ==1.0\n", "cabal 1.0"),
    (
        "hs/stack.yaml.lock",
        "packages:\n- completed:\n    hackage: stack-1.0@sha256:x,1\n",
        "stack 1.0",
    ),
    (
        "r/renv.lock",
        r#"{"Packages": {"renv": {"Version": "1.0", "Repository": "CRAN"}}}"#,
        "renv 1.0",
    ),
];

fn write(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn a_source_tree_of_every_lock_file() {
    let root = tempfile::tempdir().unwrap();
    for (path, text, _) in LOCKS {
        write(root.path(), path, text);
    }
    // Installed, or of others.
    let other = "other-locked@1:\n  version \"1.0.0\"\n";
    for path in
        ["js/node_modules/a/yarn.lock", ".git/yarn.lock", "env/yarn.lock", "go/vendor/yarn.lock"]
    {
        write(root.path(), path, other);
    }
    write(root.path(), "env/pyvenv.cfg", "");
    write(root.path(), "go/vendor/modules.txt", "");
    write(root.path(), "py/a-1.dist-info/METADATA", "Name: installed\nVersion: 1\n");
    let inventory = scan_source(root.path()).unwrap();
    let mut expected: Vec<_> = LOCKS.iter().map(|(_, _, package)| (*package).to_owned()).collect();
    expected.push("stdlib 1.22.1".to_owned());
    expected.sort_unstable();
    let mut actual: Vec<_> = listed(&inventory).split(", ").map(str::to_owned).collect();
    actual.sort_unstable();
    assert_eq!(actual, expected);
    let note = "Note directories-left-out";
    assert_eq!(problems(&inventory), [note; 3].join(", "));
    let cargo = inventory.packages.iter().find(|package| package.name == "crate").unwrap();
    assert_eq!(
        (cargo.purl.as_str(), &*cargo.locations),
        ("pkg:cargo/crate@1.0.0", &["rust/Cargo.lock".to_owned()][..])
    );
}

#[test]
fn a_broken_lock_file_is_a_gap_with_its_place() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "a/yarn.lock",
        "a@1:\n  version \"1.0.0\"\n<<<<<<< HEAD\nb@1:\n  version \"1.0.0\"\n",
    );
    let inventory = scan_source(root.path()).unwrap();
    assert_eq!(listed(&inventory), "a 1.0.0, b 1.0.0");
    let [problem] = inventory.problems.as_slice() else { panic!("one gap") };
    assert_eq!(
        (problem.code.as_str(), problem.file.as_deref(), problem.line),
        ("malformed-package-file", Some("a/yarn.lock"), Some(3))
    );
}

#[test]
fn a_source_tree_without_lock_files_is_a_gap() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "package.json", "{}");
    let inventory = scan_source(root.path()).unwrap();
    assert_eq!(problems(&inventory), "Gap lock-file-missing");
    assert!(scan_source(Path::new("/nowhere")).is_err());
}

#[test]
fn unreadable_archives_and_gemspecs_are_gaps_with_their_path() {
    let tar = Tar::default()
        .file("srv/a.jar", "no archive")
        .file("srv/specifications/a.gemspec", "no gemspec")
        .file("srv/node_modules/a/package.json", "{\"name\"");
    let inventory = scan_bytes(&docker_archive(&[tar.end()]));
    let mut places: Vec<_> =
        inventory.problems.iter().filter_map(|problem| problem.file.as_deref()).collect();
    places.sort_unstable();
    assert_eq!(
        places,
        ["srv/a.jar", "srv/node_modules/a/package.json", "srv/specifications/a.gemspec"]
    );
    assert_eq!(
        problems(&inventory),
        [
            "Gap malformed-package-file",
            "Gap unreadable-package-file",
            "Gap unreadable-package-file"
        ]
        .join(", ")
    );
}
