//! The one-node Kubernetes, up for as long as a value lives.
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where `rig/build.sh` puts its programs.
pub(crate) fn folder() -> PathBuf {
    let named = std::env::var_os("SEAWALL_RIG_BIN").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from("/var/cache/seawall-rig/bin"))
}

/// The folder, if Kubernetes is built there.
pub(crate) fn programs() -> Option<PathBuf> {
    let path = folder();
    path.join("kubelet").exists().then_some(path)
}

/// A running node. Dropping it ends every process, mount and namespace it made.
pub(crate) struct Rig {
    dir: tempfile::TempDir,
    programs: PathBuf,
}

impl Rig {
    /// Starts the node and imports the images, about 15 s.
    pub(crate) fn up() -> Result<Self> {
        let programs = programs().context("the rig's programs are missing")?;
        let dir = tempfile::Builder::new().prefix("seawall-rig-").tempdir()?;
        let rig = Self { dir, programs };
        // The script wants a folder that does not exist or is its own.
        rig.script(&["up", &rig.path("node"), &rig.programs.display().to_string()])?;
        let images =
            Command::new(crate::root().join("e2e/rig/images.sh")).arg(rig.path("node")).output()?;
        ensure!(images.status.success(), "images.sh: {}", String::from_utf8_lossy(&images.stderr));
        Ok(rig)
    }

    /// Of a file or folder of the rig's own.
    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.path().join("node/kubeconfig")
    }

    /// The socket of the node's containerd.
    pub(crate) fn containerd(&self) -> PathBuf {
        self.dir.path().join("node/cri/containerd.sock")
    }

    fn script(&self, arguments: &[&str]) -> Result<()> {
        // The daemons keep their standard streams: nothing may wait for a pipe to close.
        let log = std::fs::File::create(self.dir.path().join("rig.log"))?;
        let status = Command::new(crate::root().join("e2e/rig/rig.sh"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()?;
        let text = std::fs::read_to_string(self.dir.path().join("rig.log")).unwrap_or_default();
        ensure!(status.success(), "rig.sh {arguments:?}: {text}");
        Ok(())
    }

    /// One of the rig's programs, such as kubectl.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    fn kubectl_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program("kubectl"));
        command.arg("--kubeconfig").arg(self.kubeconfig()).args(arguments);
        command
    }

    /// All that kubectl says, whether it succeeds or not.
    pub(crate) fn kubectl_output(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.kubectl_command(arguments).output()?)
    }

    /// kubectl's standard output; an error with its words if it fails.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let output = self.kubectl_output(arguments)?;
        text_of(output, &format!("kubectl {arguments:?}"))
    }

    /// Applies a manifest given as text.
    pub(crate) fn apply(&self, manifest: &str) -> Result<String> {
        let file = self.dir.path().join("manifest.yaml");
        std::fs::write(&file, manifest)?;
        self.kubectl(&["apply", "-f", &file.display().to_string()])
    }

    /// Gives the cluster a DNS, which pods that look up Services need.
    pub(crate) fn dns(&self) -> Result<()> {
        let output = Command::new(crate::root().join("e2e/rig/dns.sh"))
            .args([&self.path("node"), &self.programs.display().to_string()])
            .output()?;
        text_of(output, "dns.sh").map(drop)
    }

    /// Restarts the API server with further flags.
    pub(crate) fn restart_api_server(&self, flags: &str) -> Result<()> {
        let programs = self.programs.display().to_string();
        self.script(&["restart-apiserver", &self.path("node"), &programs, flags])
    }

    /// Restarts the kubelet with further flags.
    pub(crate) fn restart_kubelet(&self, flags: &str) -> Result<()> {
        let programs = self.programs.display().to_string();
        self.script(&["restart-kubelet", &self.path("node"), &programs, flags])
    }

    /// Drops what the node forwards to this TCP port, until the value is dropped.
    pub(crate) fn cut(&self, port: u16) -> Result<Cut> {
        let rules = format!(
            "add table inet seawall-cut; add chain inet seawall-cut forward {{ type filter hook forward priority -300; }}; \
             add rule inet seawall-cut forward tcp dport {port} drop"
        );
        text_of(nft(&rules)?, "nft").map(|_| Cut)
    }

    /// A file of the rig's own, as the API server may read it.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Makes the product's image of the binary under test and imports it.
    pub(crate) fn import_seawall(&self) -> Result<()> {
        let archive = self.path("seawall.tar");
        let made = Command::new("cargo")
            .args(["xtask", "image", "--name", "seawall.test/seawall:0.1.0", "--out", &archive])
            .arg("--binary")
            .arg(seawall())
            .current_dir(crate::root())
            .output()?;
        text_of(made, "cargo xtask image")?;
        let imported = Command::new("ctr")
            .arg("-a")
            .arg(self.containerd())
            .args(["-n", "k8s.io", "images", "import", &archive])
            .output()?;
        text_of(imported, "ctr images import")?;
        std::fs::remove_file(archive)?;
        Ok(())
    }

    /// Helm's standard output; its settings lie with the rig.
    pub(crate) fn helm(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.program("helm"));
        for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(folder, self.path("helm"));
        }
        command.env("KUBECONFIG", self.kubeconfig()).args(arguments).current_dir(crate::root());
        text_of(command.output()?, &format!("helm {arguments:?}"))
    }

    /// Applies a manifest, which begins with a brace, or runs the words of a kubectl command.
    pub(crate) fn apply_or_run(&self, text: &str) -> Result<String> {
        if text.starts_with('{') {
            return self.apply(text);
        }
        self.kubectl(&text.split_whitespace().collect::<Vec<_>>())
    }

    /// Starts a pod of one container that waits, and returns once it runs.
    pub(crate) fn pod(&self, name: &str, image: &str) -> Result<()> {
        self.apply(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: default}}, spec: {{\
             terminationGracePeriodSeconds: 0, containers: [{{name: main, image: '{image}', \
             imagePullPolicy: Never, command: [sleep, '86400']}}]}}}}"
        ))?;
        self.kubectl(&["wait", "--for=condition=Ready", &format!("pod/{name}"), "--timeout=60s"])?;
        Ok(())
    }

    /// Runs a command in a pod and does not wait for it.
    pub(crate) fn exec(&self, pod: &str, command: &[&str]) -> Result<std::process::Child> {
        let mut arguments = vec!["exec", pod, "--"];
        arguments.extend(command);
        let child = self
            .kubectl_command(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(child)
    }
}

/// A connection that is cut.
pub(crate) struct Cut;

impl Drop for Cut {
    fn drop(&mut self) {
        if !nft("delete table inet seawall-cut").is_ok_and(|output| output.status.success()) {
            eprintln!("the cut was not mended");
        }
    }
}

fn nft(rules: &str) -> Result<Output> {
    let namespace = "--net=/run/netns/seawall-rig";
    Ok(Command::new("nsenter").args([namespace, "nft", rules]).output()?)
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Err(error) = self.script(&["down", &self.path("node")]) {
            eprintln!("rig not ended: {error:#}");
        }
    }
}

/// Standard output of a program that must succeed.
pub(crate) fn text_of(output: Output, what: &str) -> Result<String> {
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{what}: {}\n{errors}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The built binary under test.
pub(crate) fn seawall() -> PathBuf {
    let named = std::env::var_os("SEAWALL_BIN").map(PathBuf::from);
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    named.unwrap_or_else(|| {
        let target: PathBuf = target.unwrap_or_else(|| Path::new(crate::root()).join("target"));
        target.join("debug/seawall")
    })
}
