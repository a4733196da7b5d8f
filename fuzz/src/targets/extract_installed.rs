//! What language package managers leave where they install, as text; the first byte chooses the format.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-installed", run, seeds, rounds: 8_000 };

const FORMATS: &[(&str, &str)] = &[
    (
        "npm-package-json",
        r#"{"name": "@a/b", "version": "1.0.0", "exports": {".": ["./x", null]}}"#,
    ),
    (
        "ruby-gemspec",
        "# stub: a 1.0 java lib\nGem::Specification.new do |s|\n  s.name = \"a\".freeze\n  s.version = Gem::Version.new('1.0-java')\nend\n",
    ),
    (
        "composer-installed",
        r#"{"packages": [{"name": "A/B", "version": "v1.0", "dist": {"type": "zip"}}], "dev": true}"#,
    ),
    (
        "dotnet-deps",
        r#"{"targets": {".NETCoreApp,Version=v6.0": {"A/1.0": {"runtime": {"A.dll": {}}}}}, "libraries": {"A/1.0": {"type": "package"}, "runtimepack.B/1": {"type": "runtimepack"}}}"#,
    ),
    ("r-description", "Package: a\nVersion: 1.0\nDescription: x\n    y: z\nRepository: CRAN\n"),
    (
        "bitnami-spdx",
        r#"{"packages": [{"name": "a", "externalRefs": [{"referenceLocator": "pkg:bitnami/a@1.0-2?arch=amd64#x"}]}]}"#,
    ),
];

fn run(bytes: &[u8]) {
    super::extract_one_of(FORMATS, bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    super::seeds_of(FORMATS)
}

#[test]
fn every_seed_has_a_package() {
    super::check_seeds(FORMATS);
}
