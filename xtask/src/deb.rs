//! The Debian package of one machine: binary, systemd unit and its settings. Source: deb(5), deb-control(5).
use crate::archive::{self, Entry};
use crate::binary::Binary;
use crate::options::VERSION;
use anyhow::{Context, Result};
use std::path::Path;

/// The unit is not enabled by the installation: a machine is watched when somebody says so.
const RELOAD: &str = "#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl --system daemon-reload || true
";
/// After an upgrade what runs is the new program.
const RESTART: &str = "#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl --system daemon-reload || true
[ ! -d /run/systemd/system ] || systemctl try-restart seawall.service || true
";
const STOP: &str = "#!/bin/sh
set -e
[ \"$1\" != remove ] || [ ! -d /run/systemd/system ] || systemctl disable --now seawall.service || true
";

pub(crate) fn pack(root: &Path, binary: &Binary, architecture: &str, time: u64) -> Result<Vec<u8>> {
    let read =
        |path: &str| std::fs::read(root.join(path)).with_context(|| format!("cannot read {path}"));
    // A static program needs nothing; a given dynamic one was linked here.
    let depends = if binary.libraries.is_empty() { "" } else { "Depends: libc6, libgcc-s1\n" };
    let files = vec![
        Entry::file("./usr/bin/seawall", 0o755, binary.bytes.clone()),
        Entry::file(
            "./usr/lib/systemd/system/seawall.service",
            0o644,
            read("deploy/systemd/seawall.service")?,
        ),
        Entry::file("./etc/default/seawall", 0o644, read("deploy/systemd/seawall.default")?),
        Entry::file("./usr/share/doc/seawall/copyright", 0o644, read("LICENSE")?),
    ];
    let kilobytes = files.iter().map(|file| file.bytes.len()).sum::<usize>().div_ceil(1024);
    let control = format!(
        "Package: seawall\nVersion: {VERSION}\nArchitecture: {architecture}\n\
         Maintainer: The Seawall authors <security@seawall.invalid>\nInstalled-Size: {kilobytes}\n{depends}\
         Section: admin\nPriority: optional\n\
         Description: container security that you host yourself\n \
         Hub, kernel sensor, cluster agent and scanners in one binary.\n"
    );
    let control = vec![
        Entry::file("./control", 0o644, control),
        Entry::file("./conffiles", 0o644, "/etc/default/seawall\n"),
        Entry::file("./postinst", 0o755, RESTART),
        Entry::file("./prerm", 0o755, STOP),
        Entry::file("./postrm", 0o755, RELOAD),
    ];
    let packed = |entries| -> Result<Vec<u8>> {
        archive::gzip(&archive::tar(&archive::with_folders(entries), time)?)
    };
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", packed(control)?),
        ("data.tar.gz", packed(files)?),
    ];
    Ok(archive::ar(&members, time))
}

#[test]
fn dpkg_reads_the_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let binary = Binary { bytes: b"program".to_vec(), libraries: Vec::new() };
    let bytes = pack(root, &binary, "amd64", 0).unwrap();
    assert_eq!(bytes, pack(root, &binary, "amd64", 0).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seawall.deb");
    std::fs::write(&path, bytes).unwrap();
    let Ok(output) = std::process::Command::new("dpkg-deb").arg("--contents").arg(&path).output()
    else {
        return eprintln!("skipped: dpkg_reads_the_package: needs dpkg-deb");
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for file in ["-rwxr-xr-x", "./usr/bin/seawall", "./usr/lib/systemd/system/seawall.service"] {
        assert!(text.contains(file), "{file} in\n{text}");
    }
}
