//! Every lock file of a source tree; the first byte chooses the format.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-lockfiles", run, seeds, rounds: 2_000 };

/// Extractor and a file that it reads a package of.
const FORMATS: &[(&str, &str)] = &[
    (
        "go-mod",
        "module a\ngo 1.22\ntoolchain go1.22.1\nrequire (\n\ta.org/b v1.0.0 // indirect\n)\nreplace a.org/b v1.0.0 => ../b\nexclude x v1\n",
    ),
    (
        "go-work",
        "go 1.22\ntoolchain go1.22.1\nuse (\n\t./a\n)\nreplace a.org/x => a.org/y v1.0.0\n",
    ),
    (
        "cargo-lock",
        "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\ndependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\n",
    ),
    (
        "maven-pom",
        "<?xml version=\"1.0\"?><project xmlns=\"x\"><parent><groupId>g</groupId><version>1</version></parent><properties><v>${w}</v><w>1.0</w></properties>\
        <dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${v}</version></dependency></dependencies></dependencyManagement>\
        <dependencies><dependency><groupId>${project.groupId}</groupId><artifactId>a</artifactId><scope>test</scope></dependency><!-- x &amp; --><![CDATA[y]]></dependencies></project>",
    ),
    ("gradle-lock", "# x\ng:a:1.0=compileClasspath,runtimeClasspath\nempty=annotationProcessor\n"),
    (
        "npm-lock",
        r#"{"lockfileVersion": 3, "packages": {"": {"version": "1"}, "node_modules/@a/b": {"version": "1.0.0", "name": "c"}, "node_modules/l": {"link": true}}}"#,
    ),
    (
        "npm-lock",
        r#"{"dependencies": {"a": {"version": "npm:@s/b@1.0.0", "dependencies": {"c": {"version": "git+x#1"}}}}}"#,
    ),
    (
        "yarn-lock",
        "# yarn lockfile v1\n\n\"@a/b@^1\", \"@a/b@^2\":\n  version \"1.0.0\"\n  dependencies:\n    c \"^1\"\n",
    ),
    (
        "yarn-lock",
        "__metadata:\n  version: 8\n\n? \"a@npm:^1\"\n:\n  version: 1.0.0\n  resolution: \"@s/b@npm:1.0.0\"\n\"w@workspace:.\":\n  version: 0.0.0-use.local\n",
    ),
    (
        "pnpm-lock",
        "lockfileVersion: 5.4\npackages:\n  /@a/b/1.0.0_c:\n    dev: true\n  github.com/a/b/1:\n    name: d\n    version: 1.0.0\n",
    ),
    (
        "pnpm-lock",
        "lockfileVersion: '9.0'\npackages:\n  '@a/b@1.0.0(c@1)':\n    resolution: {integrity: x}\n",
    ),
    (
        "bun-lock",
        "{\n  \"packages\": {\n    \"a\": [\"@s/b@1.0.0\", \"\", { \"x\": [1,], }, \"sha512-\\\",]\"],\n    \"w\": [\"w@workspace:w\"],\n  }\n}\n",
    ),
    (
        "poetry-lock",
        "[[package]]\nname = \"A.B\"\nversion = \"1.0\"\nfiles = [\n    {file = \"a\"},\n]\n\n[package.source]\ntype = \"git\"\n\n[metadata]\nx = \"\"\"y\n\"\"\"\n",
    ),
    (
        "uv-lock",
        "version = 1\n[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { registry = \"x\" }\n[[package]]\nname = \"b\"\nsource = { virtual = \".\" }\n",
    ),
    (
        "pdm-lock",
        "[[package]]\nname = \"a\"\nversion = \"1.0\"\n[[package]]\nname = \"b\"\npath = \"./b\"\n",
    ),
    ("pipfile-lock", r#"{"_meta": {}, "default": {"a": {"version": "==1.0"}, "b": {"git": "x"}}}"#),
    (
        "pylock",
        "lock-version = '1.0'\n[[packages]]\nname = 'a'\nversion = '1.0'\nwheels = [{upload-time = 2025-01-25T11:30:10Z}]\n",
    ),
    (
        "python-requirements",
        "--index-url x\nA[b,c]==1.0 ; python_version >= \"3.8\" \\\n    --hash=sha256:x # y\nd>=1,<2\ne @ https://x\n-e .\nf (==3)\n",
    ),
    (
        "gemfile-lock",
        "GIT\n  remote: x\n  specs:\n    a (1.0)\n\nGEM\n  specs:\n    b (1.0-java)\n      c (~> 1)\n\nBUNDLED WITH\n   2.4.10\n",
    ),
    (
        "composer-lock",
        r#"{"packages": [{"name": "A/B", "version": "v1.0"}], "packages-dev": [{"name": "c", "version": "dev-main"}]}"#,
    ),
    (
        "nuget-packages-lock",
        "\u{feff}{\"dependencies\": {\"net6.0\": {\"A\": {\"type\": \"Direct\", \"resolved\": \"1.0\"}, \"b\": {\"type\": \"Project\"}}}}",
    ),
    (
        "nuget-packages-config",
        "<?xml version=\"1.0\"?>\n<packages>\n  <package id=\"A\" version=\"1.0\" />\n</packages>",
    ),
    (
        "pubspec-lock",
        "packages:\n  a:\n    description:\n      name: b\n    source: hosted\n    version: \"1.0.0\"\n  c:\n    source: sdk\n",
    ),
    (
        "cabal-freeze",
        "active-repositories: x\nconstraints: any.a ==1.0,\n             a -b +c,\n             -- d\n             any.e ==2\n",
    ),
    (
        "stack-lock",
        "packages:\n- completed:\n    hackage: a-b-1.0@sha256:x,1\n  original: &x\n    hackage: y\nsnapshots:\n- completed:\n    url: x\n",
    ),
    (
        "renv-lock",
        r#"{"R": {"Version": "4"}, "Packages": {"a": {"Version": "1.0", "Repository": "CRAN"}, "b": {"Source": "Bioconductor"}}}"#,
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

#[test]
fn every_lock_file_has_a_seed() {
    let locked = seawall_extract::ALL
        .iter()
        .filter(|own| matches!(own.route, seawall_extract::Route::Locked(_)));
    for extractor in locked {
        assert!(FORMATS.iter().any(|(id, _)| *id == extractor.id), "{}", extractor.id);
    }
}
