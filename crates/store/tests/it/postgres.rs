//! A PostgreSQL of our own: fresh cluster in a temporary directory, Unix socket only, gone with the test.
use seawall_store::Location;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Server {
    directory: tempfile::TempDir,
    bin: PathBuf,
    postgres: Child,
}

impl Server {
    /// `None`, said by name, where PostgreSQL 15 or newer is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(bin) = binaries() else {
            println!(
                "skipped: PostgreSQL 15 or newer is not installed (apt-get install postgresql)"
            );
            return None;
        };
        let root = is_root();
        if root && !has_user() {
            println!("skipped: PostgreSQL does not run as root, and there is no user `postgres`");
            return None;
        }
        let directory = tempfile::Builder::new().prefix("swpg").tempdir_in("/tmp").unwrap();
        if root {
            run(Command::new("chown").arg("postgres").arg(directory.path()));
        }
        let data = directory.path().join("data");
        let mut initdb = as_postgres(root, &bin.join("initdb"));
        initdb.args([
            "-A",
            "trust",
            "-U",
            "seawall",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]);
        run(initdb.arg("-D").arg(&data));
        let mut server = as_postgres(root, &bin.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(directory.path());
        // No network; no durability: the machine's crash is not what is tested.
        server.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60"]);
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let postgres = server.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let server = Self { directory, bin, postgres };
        server.wait();
        Some(server)
    }

    fn wait(&self) {
        let since = Instant::now();
        while !self.tool("pg_isready", &[]).status().unwrap().success() {
            assert!(since.elapsed() < Duration::from_secs(60), "PostgreSQL did not start");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn tool(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.arg("-h").arg(self.directory.path()).args(["-U", "seawall"]).args(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// A fresh, empty database.
    pub(crate) fn database(&self, name: &str) -> Location {
        run(&mut self.tool("createdb", &[name]));
        let socket = self.directory.path().display();
        Location::Url(format!("postgres://seawall@localhost/{name}?host={socket}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown.
        let pid = self.postgres.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.postgres.wait();
    }
}

fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let usable = |path: &PathBuf| {
        version(path).is_some_and(|version| version >= 15) && path.join("bin/postgres").exists()
    };
    // The oldest that is supported is the one promised.
    versions
        .flatten()
        .map(|entry| entry.path())
        .filter(usable)
        .min_by_key(|path| version(path))
        .map(|path| path.join("bin"))
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).trim() == "0"
}

fn has_user() -> bool {
    Command::new("id")
        .arg("postgres")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs as `postgres` where we are root; ends with this test, also when it is killed.
fn as_postgres(root: bool, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if root {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.arg("--pdeathsig=INT").arg(program).current_dir("/tmp");
    command
}

fn output(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
