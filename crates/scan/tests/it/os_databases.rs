//! Packages that rpmbuild made, installed, upgraded, removed and added again by rpm over three layers, in each of its
//! three kinds of database: what is listed is what rpm lists in the same root. Needs root, for rpm changes into it.
use crate::build::*;
use crate::real::{lacking, run};
use seawall_model::package::{Ecosystem, Inventory};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A root that rpm installs into.
struct Root {
    folder: tempfile::TempDir,
}

const SQLITE: &str = "var/lib/rpm/rpmdb.sqlite";
const NDB: &str = "var/lib/rpm/Packages.db";
const BDB: &str = "var/lib/rpm/Packages";
/// Where `build::python` puts `owned`.
const METADATA: &str = "/usr/local/lib/python3.9/site-packages/owned-1.0.dist-info/METADATA";
/// As the inventory writes versions.
const FORMAT: &str = "%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH}\\n";

impl Root {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        Self { folder }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join("root").join(path)
    }

    /// `extra` are lines of the spec's head. The package owns one file.
    fn build(&self, name: &str, version: &str, extra: &str, file: &str) -> PathBuf {
        let spec = format!(
            "Name: {name}\nVersion: {version}\nRelease: 1.el9\nSummary: x\nLicense: MIT\nBuildArch: noarch\n{extra}\n\
             %description\nx\n%install\nmkdir -p %{{buildroot}}$(dirname {file})\necho x > %{{buildroot}}{file}\n\
             %files\n{file}\n"
        );
        let path = self.folder.path().join("spec");
        fs::write(&path, spec).unwrap();
        let top = format!("_topdir {}", self.folder.path().join("top").display());
        run(Command::new("rpmbuild").args(["--quiet", "-bb", "--define", &top]).arg(&path));
        let built = format!("top/RPMS/noarch/{name}-{version}-1.el9.noarch.rpm");
        self.folder.path().join(built)
    }

    fn rpm(&self, arguments: &[&str]) -> String {
        let mut rpm = Command::new("rpm");
        rpm.arg("--root").arg(self.at("")).args(["--dbpath", "/var/lib/rpm"]);
        run(rpm.args(arguments))
    }

    fn install(&self, packages: &[&Path]) {
        let paths: Vec<_> = packages.iter().map(|path| path.to_str().unwrap()).collect();
        // Debian's rpm warns whoever installs with it.
        self.rpm(&[&["--force-debian", "--nodeps", "-U"][..], &paths].concat());
    }

    fn remove(&self, name: &str) {
        self.rpm(&["--force-debian", "--nodeps", "-e", name]);
    }

    fn truth(&self, backend: &str) -> BTreeSet<String> {
        let backend = format!("_db_backend {backend}");
        let listed = self.rpm(&["--define", &backend, "-qa", "--qf", FORMAT]);
        listed.lines().map(str::to_owned).collect()
    }

    /// The headers of all packages, as rpm writes them to a file.
    fn headers(&self) -> Vec<Vec<u8>> {
        let mut export = Command::new("rpmdb");
        export.arg("--root").arg(self.at("")).args(["--dbpath", "/var/lib/rpm", "--exportdb"]);
        let output = export.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (mut headers, mut rest) = (Vec::new(), output.stdout.as_slice());
        while let Some(header) = rest.strip_prefix(b"\x8e\xad\xe8\x01\0\0\0\0") {
            let number =
                |at: usize| u32::from_be_bytes(*header[at..].first_chunk::<4>().unwrap()) as usize;
            let (header, others) = header.split_at(8 + 16 * number(0) + number(4));
            headers.push(header.to_vec());
            rest = others;
        }
        assert!(rest.is_empty(), "{} bytes that are no header", rest.len());
        headers
    }
}

/// Berkeley DB's own tool loads the table, as rpm keyed it: by number, that of 0 for the counter.
fn bdb(headers: &[Vec<u8>]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Packages");
    let number = |number: usize| hex::encode((number as u32).to_le_bytes());
    let mut text =
        "VERSION=3\nformat=bytevalue\ntype=hash\ndb_lorder=1234\nHEADER=END\n".to_owned();
    text += &format!(" {}\n {}\n", number(0), number(headers.len()));
    for (index, header) in headers.iter().enumerate() {
        text += &format!(" {}\n {}\n", number(index + 1), hex::encode(header));
    }
    text += "DATA=END\n";
    let mut load = Command::new("db_load").arg(&path).stdin(Stdio::piped()).spawn().unwrap();
    load.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(load.wait().unwrap().success());
    fs::read(path).unwrap()
}

/// Debian's rpm cannot write its own format, so this does. Source: rpm `lib/backend/ndb/rpmpkg.c`, whose own output
/// stands among the tests of `extract`.
fn ndb(headers: &[Vec<u8>]) -> Vec<u8> {
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let magic = |text: &[u8; 4]| u32::from_le_bytes(*text);
    let mut slots = words(&[magic(b"RpmP"), 0, 1, 1, headers.len() as u32 + 1, 0, 0, 0]);
    let mut blobs = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        let (index, length) = (index as u32 + 1, header.len() as u32);
        let blocks = (header.len() + 28).div_ceil(16);
        let mut blob = words(&[magic(b"BlbS"), index, 1, length]);
        blob.extend(header);
        blob.resize(blocks * 16 - 12, 0);
        let sum = blob.iter().fold((1, 0), |(low, high): (u32, u32), byte| {
            let low = (low + u32::from(*byte)) % 65521;
            (low, (high + low) % 65521)
        });
        blob.extend(words(&[sum.1 << 16 | sum.0, length, magic(b"BlbE")]));
        let first = (4096 + blobs.len()) / 16;
        slots.extend(words(&[magic(b"Slot"), index, first as u32, blocks as u32]));
        blobs.extend(blob);
    }
    while slots.len() < 4096 {
        slots.extend(words(&[magic(b"Slot"), 0, 0, 0]));
    }
    [slots, blobs].concat()
}

/// What a layer's database holds, and what rpm says of it.
struct Step {
    databases: [(&'static str, Vec<u8>); 3],
    truth: BTreeSet<String>,
}

impl Step {
    fn of(root: &Root) -> Self {
        let headers = root.headers();
        let truth = root.truth("sqlite");
        let sqlite = fs::read(root.at(SQLITE)).unwrap();
        let old = bdb(&headers);
        // rpm reads the table that Berkeley DB's tool wrote.
        fs::rename(root.at(SQLITE), root.at("kept")).unwrap();
        fs::write(root.at(BDB), &old).unwrap();
        assert_eq!(root.truth("bdb_ro"), truth);
        fs::remove_file(root.at(BDB)).unwrap();
        fs::rename(root.at("kept"), root.at(SQLITE)).unwrap();
        Self { databases: [(SQLITE, sqlite), (BDB, old), (NDB, ndb(&headers))], truth }
    }
}

fn of_rpm(inventory: &Inventory) -> BTreeSet<String> {
    let rpms = inventory.packages.iter().filter(|own| own.ecosystem == Ecosystem::RedHat);
    rpms.map(|own| format!("{} {} {}", own.name, own.version, own.arch.as_deref().unwrap_or("?")))
        .collect()
}

#[test]
fn rpm_says_the_same_of_every_layer_in_every_format() {
    if let Some(missing) = lacking(&["rpm", "rpmbuild", "rpmdb", "db_load"]) {
        println!("skipped: rpm databases need {missing}");
        return;
    }
    let root = Root::new();
    let vendor = "Vendor: Red Hat, Inc.";
    let old = root.build("app", "1.0", vendor, "/opt/app");
    let new = root.build("app", "2.0~rc1", vendor, "/opt/app");
    let lib = root.build("lib", "3", &format!("{vendor}\nEpoch: 2"), METADATA);
    let gone = root.build("gone", "1", vendor, "/opt/gone");
    let module = "Vendor: Somebody\nModularityLabel: nodejs:18:8080:abc";
    let module = root.build("module", "18", module, "/opt/module");
    root.install(&[&old, &lib, &gone]);
    let mut steps = vec![Step::of(&root)];
    root.install(&[&new]);
    root.remove("gone");
    steps.push(Step::of(&root));
    root.install(&[&gone, &module]);
    steps.push(Step::of(&root));
    assert_eq!(steps.iter().map(|step| step.truth.len()).collect::<Vec<_>>(), [3, 2, 4]);
    for format in 0..3 {
        let mut layers = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let (path, bytes) = &step.databases[format];
            let release = "ID=rhel\nVERSION_ID=9.4\n";
            let tar = Tar::default().file("etc/os-release", release).file(path, bytes);
            layers.push(if index == 0 { python(tar, "owned", "1.0") } else { tar }.end());
            let inventory = scan_bytes(&docker_archive(&layers));
            assert_eq!(of_rpm(&inventory), step.truth, "layer {index} of {path}");
            assert_eq!(problems(&inventory), "", "layer {index} of {path}");
        }
        check_details(&scan_bytes(&docker_archive(&layers)));
    }
}

#[track_caller]
fn check_details(inventory: &Inventory) {
    let expected = "app 2.0~rc1-1.el9@1, gone 1-1.el9@2, lib 2:3-1.el9@0, module 18-1.el9@2";
    let mut shown: Vec<_> = listed(inventory).split(", ").map(str::to_owned).collect();
    shown.sort();
    assert_eq!(shown.join(", "), format!("{expected}, owned 1.0@0"));
    let named = |name: &str| inventory.packages.iter().find(|own| own.name == name).unwrap();
    assert_eq!(named("owned").owner.as_deref(), Some("lib"));
    assert_eq!(named("module").module.as_deref(), Some("nodejs:18"));
    assert!(named("module").third_party && !named("app").third_party);
    let source = named("lib").source.as_ref().unwrap();
    assert_eq!((source.name.as_str(), source.version.as_str()), ("lib", "3-1.el9"));
    assert!(
        named("lib").purl.ends_with("?arch=noarch&distro=rhel-9.4&epoch=2"),
        "{}",
        named("lib").purl
    );
}
