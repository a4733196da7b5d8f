//! A directory with feeds, an index and roots to scan, and the binary that runs in it.
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) struct Bench {
    directory: TempDir,
}

/// One flaw of a PyPI package: known exploited, rated by the vector.
pub(crate) const RECORD: &str = r#"{"id":"PYSEC-1","modified":"2024-01-02T00:00:00Z","aliases":["CVE-2024-0001"],
    "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
    "affected":[{"package":{"ecosystem":"PyPI","name":"demo"},
    "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0"}]}]}]}"#;

/// Without a database a distribution's root is a gap.
pub(crate) const DPKG_STATUS: &str =
    "Package: base\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n";

impl Bench {
    /// An index of [`RECORD`] alone, and a Debian root with `demo` 1.0.
    pub(crate) fn new() -> Self {
        let bench = Self::empty();
        bench.put_archive("feeds/osv/PyPI/all.zip", &[RECORD]);
        assert_eq!(code(&bench.run(&["db", "build", "--feeds", "feeds", "--out", "db"])), 0);
        bench.put("root/etc/os-release", "ID=debian\nVERSION_ID=11\n");
        bench.put("root/var/lib/dpkg/status", DPKG_STATUS);
        bench.put("root/opt/demo-1.0.dist-info/METADATA", "Name: demo\nVersion: 1.0\n");
        bench
    }

    pub(crate) fn empty() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(crate) fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn put_archive(&self, path: &str, records: &[&str]) {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (number, record) in records.iter().enumerate() {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(format!("{number}.json"), options).unwrap();
            writer.write_all(record.as_bytes()).unwrap();
        }
        self.put(path, writer.finish().unwrap().into_inner());
    }

    /// `seawall` in this directory, without an environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seawall"));
        command.args(arguments).current_dir(self.directory.path()).env_clear();
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

pub(crate) fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}
