//! etcd and kube-apiserver, with kube-controller-manager where it is wanted, on loopback, in a folder that is removed
//! with them. No rig, no network of its own, no root.
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Ended and removed when it is dropped.
pub struct Server {
    bin: PathBuf,
    dir: tempfile::TempDir,
    ports: [u16; 4],
    /// Further arguments of the API server.
    arguments: Vec<String>,
    etcd: Child,
    apiserver: Child,
    controllers: Option<Child>,
}

/// Where the rig's binaries lie, if they are built.
fn binaries() -> Option<PathBuf> {
    let dir = std::env::var_os("SEAWALL_RIG_BIN")
        .map_or_else(|| PathBuf::from("/var/cache/seawall-rig/bin"), PathBuf::from);
    let all = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];
    all.iter().all(|name| dir.join(name).is_file()).then_some(dir)
}

impl Server {
    /// `None`, and a line saying so, where there are no binaries.
    pub fn start() -> Option<Self> {
        Self::start_with(|_| Vec::new())
    }

    /// Without controllers, and so without service accounts that pods would need.
    pub fn start_lone() -> Option<Self> {
        Self::start_lone_with(|_| Vec::new())
    }

    /// The same with further arguments.
    pub fn start_lone_with(prepare: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        Self::serve(|dir| {
            let mut arguments = prepare(dir);
            arguments.push("--disable-admission-plugins=ServiceAccount".to_owned());
            arguments
        })
    }

    /// With further arguments of the API server; the files that they name are written into the folder given.
    pub fn start_with(prepare: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        let mut server = Self::serve(prepare)?;
        server.control();
        Some(server)
    }

    fn serve(prepare: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        let Some(bin) = binaries() else {
            eprintln!(
                "skipped: no kube-apiserver in $SEAWALL_RIG_BIN or /var/cache/seawall-rig/bin, `make e2e` builds it"
            );
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let listeners: [TcpListener; 4] =
            std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.map(|listener| listener.local_addr().unwrap().port());
        let key = rcgen::KeyPair::generate().unwrap();
        std::fs::write(dir.path().join("sa.key"), key.serialize_pem()).unwrap();
        std::fs::write(dir.path().join("sa.pub"), key.public_key_pem()).unwrap();
        std::fs::write(
            dir.path().join("tokens.csv"),
            "admin,admin,1,system:masters\nlimited,limited,2\n",
        )
        .unwrap();
        for user in ["admin", "limited"] {
            let text = format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:{}', insecure-skip-tls-verify: true}}}}]\n\
                 users: [{{name: u, user: {{token: {user}}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n",
                ports[0]
            );
            std::fs::write(dir.path().join(user), text).unwrap();
        }
        let (client, peer) =
            (format!("http://127.0.0.1:{}", ports[1]), format!("http://127.0.0.1:{}", ports[2]));
        let etcd = spawn(
            &bin,
            dir.path(),
            "etcd",
            &[
                "--data-dir",
                "etcd",
                "--unsafe-no-fsync",
                "--listen-client-urls",
                &client,
                "--advertise-client-urls",
                &client,
                "--listen-peer-urls",
                &peer,
                "--initial-advertise-peer-urls",
                &peer,
                "--initial-cluster",
                &format!("default={peer}"),
            ],
        );
        let arguments = prepare(dir.path());
        let apiserver = apiserver(&bin, dir.path(), ports, &arguments);
        let server = Self { bin, dir, ports, arguments, etcd, apiserver, controllers: None };
        server.wait_ready();
        Some(server)
    }

    fn control(&mut self) {
        let admin = self.kubeconfig("admin");
        let admin = admin.to_str().unwrap();
        self.controllers = Some(spawn(
            &self.bin,
            self.dir.path(),
            "kube-controller-manager",
            &[
                "--kubeconfig",
                admin,
                "--authentication-kubeconfig",
                admin,
                "--authorization-kubeconfig",
                admin,
                "--leader-elect=false",
                "--service-account-private-key-file",
                "sa.key",
                "--root-ca-file",
                "certs/apiserver.crt",
                "--bind-address",
                "127.0.0.1",
                "--secure-port",
                &self.ports[3].to_string(),
                "--controllers",
                "*",
            ],
        ));
        self.wait("a service account for pods", || {
            self.kubectl(&["get", "serviceaccount", "default"]).status.success()
        });
    }

    /// Of the API server; its certificate is signed by nobody, its administrator's bearer token is `admin`.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports[0])
    }

    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.dir.path().join(user)
    }

    /// Ends the API server without a word.
    pub fn kill(&mut self) {
        self.apiserver.kill().unwrap();
        self.apiserver.wait().unwrap();
    }

    /// Starts it again on the same etcd.
    pub fn restart(&mut self) {
        self.apiserver = apiserver(&self.bin, self.dir.path(), self.ports, &self.arguments);
        self.wait_ready();
    }

    fn wait_ready(&self) {
        self.wait("the API server", || self.kubectl(&["get", "--raw", "/readyz"]).status.success());
    }

    fn wait(&self, what: &str, mut ready: impl FnMut() -> bool) {
        let started = Instant::now();
        while !ready() {
            let log = || {
                std::fs::read_to_string(self.dir.path().join("kube-apiserver.log"))
                    .unwrap_or_default()
            };
            assert!(started.elapsed() < Duration::from_secs(90), "{what} is not ready:\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.bin.join("kubectl"));
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig("admin"))
            .args(arguments)
            .env("HOME", self.dir.path());
        command.output().unwrap()
    }

    /// Runs kubectl on a file with `text`; panics with its words where it fails.
    #[track_caller]
    pub fn kubectl_file(&self, arguments: &[&str], text: &str) {
        let path = self.dir.path().join("input.yaml");
        std::fs::write(&path, text).unwrap();
        let output = self.kubectl(&[arguments, &["-f", path.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    }

    /// `kubectl patch --type=json`.
    #[track_caller]
    pub fn patch(&self, resource: &str, operations: &[serde_json::Value]) {
        let patch = serde_json::to_string(operations).unwrap();
        let output = self.kubectl(&["patch", resource, "--type=json", "-p", &patch]);
        assert!(output.status.success(), "{}\n{patch}", String::from_utf8_lossy(&output.stderr));
    }
}

fn apiserver(bin: &Path, dir: &Path, ports: [u16; 4], further: &[String]) -> Child {
    let etcd = format!("http://127.0.0.1:{}", ports[1]);
    let port = ports[0].to_string();
    let mut arguments = vec![
        "--etcd-servers",
        &etcd,
        "--bind-address",
        "127.0.0.1",
        "--advertise-address",
        "127.0.0.1",
        "--secure-port",
        &port,
        "--cert-dir",
        "certs",
        "--token-auth-file",
        "tokens.csv",
        "--authorization-mode",
        "RBAC",
        "--allow-privileged",
        "--service-cluster-ip-range",
        "198.18.2.0/24",
        "--service-account-key-file",
        "sa.pub",
        "--service-account-signing-key-file",
        "sa.key",
        "--service-account-issuer",
        "https://kubernetes.default.svc",
        "--endpoint-reconciler-type",
        "none",
    ];
    arguments.extend(further.iter().map(String::as_str));
    spawn(bin, dir, "kube-apiserver", &arguments)
}

fn spawn(bin: &Path, dir: &Path, name: &str, arguments: &[&str]) -> Child {
    let log =
        File::options().create(true).append(true).open(dir.join(format!("{name}.log"))).unwrap();
    let mut command = Command::new(bin.join(name));
    command.args(arguments).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in [Some(&mut self.apiserver), self.controllers.as_mut(), Some(&mut self.etcd)]
            .into_iter()
            .flatten()
        {
            let _ended = child.kill();
            let _reaped = child.wait();
        }
    }
}
