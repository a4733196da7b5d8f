//! Real programs make the images and say what is in them: mmdebstrap and dpkg-query, pip, go, skopeo, containerd.
//! Needs root and those tools; whatever is absent skips the test by name.
use crate::build::*;
use seawall_model::package::{Ecosystem, Inventory, Package};
use seawall_scan::{
    Containerd, ImageOptions, OpenOptions, RootfsOptions, list_containerd_images, scan_image,
    scan_rootfs,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Kept between runs, outside the build's folder: making it takes a minute.
const CACHE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.cache/scan-test");

pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The first thing that is missing, if any.
pub(crate) fn lacking(tools: &[&str]) -> Option<String> {
    let root =
        fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let found = |tool: &str| {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {tool}")])
            .stdout(Stdio::null())
            .status();
        found.is_ok_and(|status| status.success())
    };
    match tools.iter().find(|tool| !found(tool)) {
        _ if !root => Some("root".to_owned()),
        missing => missing.map(|tool| (*tool).to_owned()),
    }
}

macro_rules! need {
    ($($tool:literal),*) => {
        if let Some(missing) = lacking(&[$($tool),*]) {
            println!("skipped: {} needs {missing}", module_path!());
            return;
        }
    };
}

/// A Debian root with pip's packages and a Go program. Made once and kept as an archive: a folder would look like
/// installed software to whoever scans this machine. `None` where the distribution's mirror is away.
fn debian_root() -> Option<tempfile::TempDir> {
    let archive = Path::new(CACHE).join("root.tar");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    if archive.exists() {
        run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(root));
        return Some(folder);
    }
    let made = Command::new("mmdebstrap")
        .args([
            "--variant=minbase",
            "--include=python3-pip,python3-yaml",
            "--mode=root",
            "bookworm",
        ])
        .arg(root)
        .output()
        .unwrap();
    if !made.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&made.stderr));
        return None;
    }
    let site = root.join("usr/local/lib/python3.11/dist-packages");
    let packages = ["Django==3.2.1", "requests==2.25.0", "jaraco.text==3.5.0"];
    let install = ["install", "--quiet", "--no-compile", "--target"];
    run(Command::new("pip").args(install).arg(&site).args(packages));
    go_program(&root.join("usr/local/bin/app"));
    fs::create_dir_all(CACHE).unwrap();
    let whole = Path::new(CACHE).join("root.tar.part");
    run(Command::new("tar")
        .arg("-C")
        .arg(root)
        .args(["--exclude=./dev/*", "-cf"])
        .arg(&whole)
        .arg("."));
    fs::rename(whole, archive).unwrap();
    Some(folder)
}

/// A program with one dependency and one replaced dependency.
fn go_program(out: &Path) {
    let source = tempfile::tempdir().unwrap();
    let module = "module example.org/app\n\ngo 1.21\n\nrequire (\n\tgolang.org/x/text v0.3.7\n\tgolang.org/x/sync v0.1.0\n)\n\n\
        replace golang.org/x/sync => golang.org/x/sync v0.3.0\n";
    let main = "package main\n\nimport (\n\t\"golang.org/x/sync/errgroup\"\n\t\"golang.org/x/text/language\"\n)\n\n\
        func main() {\n\tvar group errgroup.Group\n\tgroup.Go(func() error { println(language.English.String()); return nil })\n\
        \tgroup.Wait()\n}\n";
    fs::write(source.path().join("go.mod"), module).unwrap();
    fs::write(source.path().join("main.go"), main).unwrap();
    run(Command::new("go").args(["mod", "tidy"]).current_dir(source.path()));
    run(Command::new("go")
        .args(["build", "-o"])
        .arg(out)
        .arg(".")
        .current_dir(source.path())
        .env("CGO_ENABLED", "0"));
}

/// `name version arch`, `name version` and `module version`, as the tools say.
struct Truth {
    dpkg: BTreeSet<String>,
    pip: BTreeSet<String>,
    go: BTreeSet<String>,
}

fn truth(root: &Path) -> Truth {
    let lines = |text: String| text.lines().map(str::to_owned).collect();
    let admin = format!("--admindir={}", root.join("var/lib/dpkg").display());
    let format =
        "--showformat=${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n";
    let dpkg = lines(run(Command::new("dpkg-query").args([&admin, format, "--show"])));
    let mut pip = BTreeSet::new();
    for folder in ["usr/local/lib/python3.11/dist-packages", "usr/lib/python3/dist-packages"] {
        let listed = run(Command::new("pip")
            .args(["list", "--format=freeze", "--path"])
            .arg(root.join(folder)));
        pip.extend(listed.lines().map(|line| {
            let (name, version) = line.split_once("==").unwrap();
            format!("{} {version}", name.to_lowercase().replace(['_', '.'], "-"))
        }));
    }
    let listed =
        run(Command::new("go").args(["version", "-m"]).arg(root.join("usr/local/bin/app")));
    let mut go = BTreeSet::new();
    let mut held: Option<String> = None;
    for line in listed.lines() {
        let columns: Vec<_> = line.split('\t').collect();
        match columns.as_slice() {
            [_, "dep", name, version, ..] => go.extend(held.replace(format!("{name} {version}"))),
            [_, "=>", name, version, ..] => held = Some(format!("{name} {version}")),
            [first] => {
                let (_, version) = first.split_once(": go").unwrap();
                go.insert(format!("stdlib {version}"));
            }
            _ => {}
        }
    }
    go.extend(held);
    Truth { dpkg, pip, go }
}

#[track_caller]
fn compare(inventory: &Inventory, truth: &Truth) {
    let of = |ecosystem: Ecosystem, show: &dyn Fn(&Package) -> String| -> BTreeSet<String> {
        inventory
            .packages
            .iter()
            .filter(|package| package.ecosystem == ecosystem)
            .map(show)
            .collect()
    };
    let dpkg = of(Ecosystem::Debian, &|package| {
        let source = package.source.as_ref().unwrap();
        let arch = package.arch.as_deref().unwrap();
        format!("{} {} {arch} {} {}", package.name, package.version, source.name, source.version)
    });
    assert_eq!(dpkg, truth.dpkg);
    // What a distribution carries inside itself is evidence, but pip does not list it.
    let vendored =
        |package: &Package| package.locations.iter().all(|path| path.contains("/_vendor/"));
    let pip: BTreeSet<String> = inventory
        .packages
        .iter()
        .filter(|package| package.ecosystem == Ecosystem::PyPI && !vendored(package))
        .map(|package| format!("{} {}", package.name, package.version))
        .collect();
    assert_eq!(pip, truth.pip);
    assert_eq!(
        of(Ecosystem::Go, &|package| format!("{} {}", package.name, package.version)),
        truth.go
    );
    let owner = |name: &str| {
        inventory.packages.iter().find(|package| package.name == name).unwrap().owner.as_deref()
    };
    assert_eq!(owner("pyyaml"), Some("python3-yaml"));
    assert_eq!(owner("django"), None);
    let gaps = inventory
        .problems
        .iter()
        .filter(|problem| problem.kind > seawall_model::problem::ProblemKind::Note);
    assert_eq!(gaps.collect::<Vec<_>>(), Vec::<&seawall_model::Problem>::new());
    assert_eq!(inventory.distro.as_ref().unwrap().version.as_deref(), Some("12"));
}

/// Two layers: the distribution, then what was installed by hand.
fn layers(root: &Path) -> Vec<Vec<u8>> {
    let tar = |arguments: &[&str]| {
        let output = Command::new("tar")
            .arg("-C")
            .arg(root)
            .args(["--numeric-owner", "-cf", "-"])
            .args(arguments)
            .output();
        output.unwrap().stdout
    };
    vec![
        tar(&["--exclude=./usr/local", "--exclude=./dev/*", "."]),
        tar(&["--format=pax", "./usr/local"]),
    ]
}

#[test]
fn a_debian_image_in_every_form_and_as_a_root() {
    need!("mmdebstrap", "dpkg-query", "pip", "go", "skopeo", "tar");
    let Some(root) = debian_root() else {
        println!("skipped: the distribution's mirror cannot be reached");
        return;
    };
    let root = root.path();
    let truth = truth(root);
    assert!(
        truth.dpkg.len() > 80 && truth.pip.len() > 5 && truth.go.len() == 3,
        "{} {:?}",
        truth.pip.len(),
        truth.go
    );
    compare(&scan_rootfs(root, &RootfsOptions::default()).unwrap(), &truth);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("saved.tar"), docker_archive(&layers(root))).unwrap();
    let saved = scan(&at("saved.tar"));
    compare(&saved, &truth);
    let django = saved.packages.iter().find(|package| package.name == "django").unwrap();
    assert_eq!(django.layer, Some(1));
    let from = format!("docker-archive:{}", at("saved.tar"));
    let copy = |arguments: &[&str]| {
        run(Command::new("skopeo").args(["--insecure-policy", "copy", "--quiet"]).args(arguments));
    };
    let (gzip, zstd) = (format!("oci:{}:x", at("gzip")), format!("oci:{}:x", at("zstd")));
    copy(&[&from, &gzip]);
    compare(&scan(&format!("oci-layout:{}", at("gzip"))), &truth);
    copy(&["--dest-compress-format=zstd", &from, &zstd]);
    assert!(starts_with_zstd(&folder.path().join("zstd/blobs/sha256")));
    compare(&scan(&format!("oci-layout:{}:x", at("zstd"))), &truth);
    let archive = format!("oci-archive:{}:x", at("archive.tar"));
    copy(&[&gzip, &archive]);
    compare(&scan(&format!("oci-archive:{}", at("archive.tar"))), &truth);
    let back = format!("docker-archive:{}:example.org/back:1", at("back.tar"));
    copy(&[&gzip, &back]);
    compare(&scan(&at("back.tar")), &truth);
}

/// Whether skopeo did compress a layer as told.
fn starts_with_zstd(blobs: &Path) -> bool {
    let files = fs::read_dir(blobs).unwrap().map(|file| file.unwrap().path());
    files.into_iter().any(|file| fs::read(file).unwrap().starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))
}

/// A containerd of our own: root, state and socket in a folder that goes with it.
struct PrivateContainerd {
    process: Child,
    folder: tempfile::TempDir,
}

impl PrivateContainerd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let config = format!(
            "version = 2\nroot = \"{}\"\nstate = \"{}\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\", \
             \"io.containerd.snapshotter.v1.btrfs\", \"io.containerd.snapshotter.v1.devmapper\"]\n[grpc]\naddress = \"{}\"\n",
            at("root"),
            at("state"),
            at("socket")
        );
        fs::write(at("config.toml"), config).unwrap();
        let log = fs::File::create(at("log")).unwrap();
        let process = Command::new("containerd")
            .args(["--config", &at("config.toml")])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let own = Self { process, folder };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !own.ctr().arg("version").output().unwrap().status.success() {
            assert!(
                Instant::now() < deadline,
                "{}",
                fs::read_to_string(own.folder.path().join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        own
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn ctr(&self) -> Command {
        let mut ctr = Command::new("ctr");
        ctr.arg("--address").arg(self.socket()).args(["--namespace", "k8s.io"]);
        ctr
    }

    fn scan(&self, name: &str, namespace: Option<&str>) -> Inventory {
        let containerd =
            Containerd { address: self.socket(), namespace: namespace.map(str::to_owned) };
        let open = OpenOptions { containerd, ..OpenOptions::default() };
        scan_image(&format!("containerd:{name}"), &ImageOptions { open, facts: None }).unwrap()
    }
}

impl Drop for PrivateContainerd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn images_of_containerd() {
    need!("containerd", "ctr");
    let containerd = PrivateContainerd::start();
    let archive = containerd.folder.path().join("image.tar");
    let upper = python(Tar::default(), "Django", "3.2.1").file("usr/share/.wh.doc", "").end();
    fs::write(
        &archive,
        docker_archive(&[
            debian()
                .directory("usr/share/")
                .file("usr/share/doc/x.egg-info", "Name: x\nVersion: 1\n")
                .end(),
            upper,
        ]),
    )
    .unwrap();
    run(containerd.ctr().args(["images", "import"]).arg(&archive));
    let name = "example.org/app:1";
    let expected = "libc6 2.31-13+deb11u3@0, django 3.2.1@1";
    let stored = containerd.scan(name, Some("k8s.io"));
    assert_eq!((listed(&stored).as_str(), problems(&stored).as_str()), (expected, ""));
    assert_eq!(listed(&containerd.scan(name, None)), expected);
    let listed_images =
        list_containerd_images(&Containerd { address: containerd.socket(), namespace: None })
            .unwrap();
    assert_eq!(
        (listed_images[0].namespace.as_str(), listed_images[0].image.name.as_str()),
        ("k8s.io", name)
    );
    let seawall_model::package::Target::Image { image } = &stored.target else {
        panic!("no image")
    };
    let digests = [&listed_images[0].image.digest, &listed_images[0].image.index_digest];
    assert!(digests.into_iter().flatten().all(|digest| image.has_digest(digest)), "{image:?}");
    for digest in [&image.config_digest, &image.digest].into_iter().flatten() {
        assert_eq!(listed(&containerd.scan(digest, None)), expected);
    }
    // The blobs go, as with `discard_unpacked_layers`; the unpacked snapshot stays.
    for layer in &stored.layers {
        run(containerd.ctr().args(["content", "rm", &layer.diff_id]));
    }
    let unpacked = containerd.scan(name, None);
    assert_eq!((listed(&unpacked).as_str(), &unpacked.problems[..]), (expected, &[][..]));
    let left = run(containerd.ctr().args(["snapshots", "list"]));
    assert!(!left.contains("seawall-view"), "{left}");
}

#[test]
fn a_containerd_image_that_is_not_there() {
    need!("containerd", "ctr");
    let containerd = PrivateContainerd::start();
    let options = Containerd { address: containerd.socket(), namespace: None };
    let open = OpenOptions { containerd: options, ..OpenOptions::default() };
    let error = scan_image("containerd:absent", &ImageOptions { open, facts: None }).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "there is no image `absent`; there is: none");
}
