//! The interface as a runtime that is not ours speaks it: containerd's own CRI plugin runs a pod on the node's network,
//! which needs no network plugin.
use super::*;
use crate::identity::cgroup::PathIdentity;
use seawall_model::event::Identity;
use seawall_model::time::{Clock, SystemClock};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const IMAGE: &str = "seawall.test/still:1";

#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uid: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

/// `NamespaceOption`; 2 is the node's.
#[derive(Clone, PartialEq, Message)]
struct Namespaces {
    #[prost(int32, tag = "1")]
    network: i32,
}

#[derive(Clone, PartialEq, Message)]
struct SecurityContext {
    #[prost(message, optional, tag = "1")]
    namespaces: Option<Namespaces>,
}

#[derive(Clone, PartialEq, Message)]
struct Linux {
    #[prost(message, optional, tag = "2")]
    security: Option<SecurityContext>,
}

#[derive(Clone, PartialEq, Message)]
struct PodConfig {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Named>,
    #[prost(string, tag = "3")]
    log_directory: String,
    #[prost(map = "string, string", tag = "6")]
    labels: HashMap<String, String>,
    #[prost(message, optional, tag = "8")]
    linux: Option<Linux>,
}

#[derive(Clone, PartialEq, Message)]
struct RunPod {
    #[prost(message, optional, tag = "1")]
    config: Option<PodConfig>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerConfig {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Metadata>,
    #[prost(message, optional, tag = "2")]
    image: Option<ImageSpec>,
    #[prost(map = "string, string", tag = "9")]
    labels: HashMap<String, String>,
    #[prost(string, tag = "11")]
    log_path: String,
}

#[derive(Clone, PartialEq, Message)]
struct Create {
    #[prost(string, tag = "1")]
    sandbox: String,
    #[prost(message, optional, tag = "2")]
    config: Option<ContainerConfig>,
    #[prost(message, optional, tag = "3")]
    pod: Option<PodConfig>,
}

#[derive(Clone, PartialEq, Message)]
struct Id {
    #[prost(string, tag = "1")]
    id: String,
}

/// A private containerd with its CRI plugin and one image; everything it made is gone when it is dropped.
struct Rig {
    folder: tempfile::TempDir,
    daemon: Child,
}

impl Rig {
    /// The reason where this machine has no such thing.
    fn start() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("needs root".to_owned());
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let at = folder.path().display();
        let config = format!(
            "version = 2\nroot = \"{at}/root\"\nstate = \"{at}/state\"\n[grpc]\n  address = \"{at}/c.sock\"\n\
             [plugins.\"io.containerd.internal.v1.opt\"]\n  path = \"{at}/opt\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"{IMAGE}\"\n  restrict_oom_score_adj = true\n\
             [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  snapshotter = \"native\"\n\
             [plugins.\"io.containerd.grpc.v1.cri\".cni]\n  bin_dir = \"{at}/cni\"\n  conf_dir = \"{at}/cni\"\n"
        );
        std::fs::write(folder.path().join("config.toml"), config)
            .map_err(|error| error.to_string())?;
        let log = std::fs::File::create(folder.path().join("log"));
        let daemon = Command::new("containerd")
            .arg("-c")
            .arg(folder.path().join("config.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_err(|error| error.to_string())?)
            .spawn()
            .map_err(|error| format!("containerd: {error}"))?;
        let rig = Self { folder, daemon };
        let begin = Instant::now();
        while let Err(error) = rig.ctr(&["version"]) {
            if begin.elapsed() > Duration::from_secs(20) {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let archive = archive(rig.folder.path())?;
        rig.ctr(&["images", "import", "--snapshotter=native", &archive.to_string_lossy()])?;
        Ok(rig)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("c.sock")
    }

    fn ctr(&self, arguments: &[&str]) -> Result<String, String> {
        let mut ctr = Command::new("ctr");
        ctr.arg("-a").arg(self.socket()).args(["-n", "k8s.io"]).args(arguments);
        let output = ctr.stdin(Stdio::null()).output().map_err(|error| format!("ctr: {error}"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let ids = self.ctr(&["tasks", "ls", "-q"]).unwrap_or_default();
        for id in ids.split_whitespace() {
            let _gone = self.ctr(&["tasks", "rm", "-f", id]);
        }
        let _already_gone = self.daemon.kill();
        let _status = self.daemon.wait();
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let inside = self.folder.path().to_string_lossy().into_owned();
        let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for mount in places.filter(|at| at.starts_with(&inside)) {
            let _status = Command::new("umount").args(["-l", mount]).status();
        }
    }
}

/// A docker-save archive whose one program sleeps.
fn archive(folder: &Path) -> Result<PathBuf, String> {
    let text = |error: std::io::Error| error.to_string();
    let (root, parts) = (folder.join("image"), folder.join("parts"));
    std::fs::create_dir_all(root.join("bin")).map_err(text)?;
    std::fs::create_dir_all(&parts).map_err(text)?;
    std::fs::copy("/usr/bin/busybox", root.join("bin/sleep")).map_err(text)?;
    let tar = |directory: &Path, archive: &Path| {
        let status =
            Command::new("tar").arg("-C").arg(directory).arg("-cf").arg(archive).arg(".").status();
        let made = status.map_err(text)?.success();
        made.then_some(()).ok_or_else(|| "tar failed".to_owned())
    };
    let layer = parts.join("layer.tar");
    tar(&root, &layer)?;
    let sum = Command::new("sha256sum").arg(&layer).output().map_err(text)?;
    let diff_id = String::from_utf8_lossy(&sum.stdout[..64]).into_owned();
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = format!(
        r#"{{"architecture":"{architecture}","os":"linux","config":{{"Cmd":["/bin/sleep","1000"]}},"rootfs":{{"type":"layers","diff_ids":["sha256:{diff_id}"]}}}}"#
    );
    std::fs::write(parts.join("config.json"), config).map_err(text)?;
    let manifest =
        format!(r#"[{{"Config":"config.json","RepoTags":["{IMAGE}"],"Layers":["layer.tar"]}}]"#);
    std::fs::write(parts.join("manifest.json"), manifest).map_err(text)?;
    let archive = folder.join("image.tar");
    tar(&parts, &archive)?;
    Ok(archive)
}

fn labels(more: &[(&str, &str)]) -> HashMap<String, String> {
    let kubelet = [
        ("io.kubernetes.pod.name", "web-7d4b9c6f5-x2x4z"),
        ("io.kubernetes.pod.namespace", "shop"),
        ("io.kubernetes.pod.uid", "0d9b1c52-3f7e-4a68-8a9b-5c4d3e2f1a0b"),
    ];
    let all = kubelet.iter().chain(more);
    all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What the kubelet does.
async fn run_pod(connection: &Connection, logs: &Path) -> Result<(String, String), Status> {
    let pod = PodConfig {
        metadata: Some(Named {
            name: "web-7d4b9c6f5-x2x4z".to_owned(),
            uid: "0d9b1c52-3f7e-4a68-8a9b-5c4d3e2f1a0b".to_owned(),
            namespace: "shop".to_owned(),
        }),
        log_directory: logs.display().to_string(),
        labels: labels(&[("pod-template-hash", "7d4b9c6f5"), ("app", "web")]),
        linux: Some(Linux {
            security: Some(SecurityContext { namespaces: Some(Namespaces { network: 2 }) }),
        }),
    };
    let request = Request::new(RunPod { config: Some(pod.clone()) });
    let sandbox: Id =
        connection.attempt("/runtime.v1.RuntimeService/RunPodSandbox", request).await?;
    let config = ContainerConfig {
        metadata: Some(Metadata { name: "web".to_owned() }),
        image: Some(ImageSpec { image: IMAGE.to_owned(), user_specified: String::new() }),
        labels: labels(&[("io.kubernetes.container.name", "web")]),
        log_path: "web.log".to_owned(),
    };
    let create = Create { sandbox: sandbox.id.clone(), config: Some(config), pod: Some(pod) };
    let path = "/runtime.v1.RuntimeService/CreateContainer";
    let made: Id = connection.attempt(path, Request::new(create)).await?;
    let path = "/runtime.v1.RuntimeService/StartContainer";
    let _started: Id = connection.attempt(path, Request::new(Id { id: made.id.clone() })).await?;
    Ok((sandbox.id, made.id))
}

#[tokio::test]
async fn a_pod_of_containerds_cri_is_known() {
    let rig = match Rig::start() {
        Ok(rig) => rig,
        Err(reason) => return eprintln!("skipped: a_pod_of_containerds_cri_is_known: {reason}"),
    };
    let connection = Connection::open(&rig.socket()).await.unwrap();
    let (sandbox, id) = match run_pod(&connection, rig.folder.path()).await {
        Ok(made) => made,
        Err(status) => {
            let log = std::fs::read_to_string(rig.folder.path().join("log")).unwrap();
            panic!("{status}\n{log}");
        }
    };
    let client = Cri::ask(connection).await.unwrap();
    assert_eq!(client.version.runtime_name, "containerd");
    assert_eq!(client.images().await.unwrap().len(), 1);
    let lookup = Lookup::new(client.clone());
    let path = |container: &str| PathIdentity {
        container: container.to_owned(),
        pod_uid: None,
        runtime: None,
    };
    let (found, identity) = lookup.find(Some(&path(&id))).await.unwrap();
    assert_eq!((found.name.as_deref(), found.privileged), (Some("web"), Some(false)));
    assert_eq!((found.runtime.as_deref(), identity), (Some("containerd"), Identity::Complete));
    let image = found.image.as_ref().unwrap();
    let config = rig.ctr(&["images", "ls", "-q"]).unwrap();
    let config = config.lines().find(|name| name.starts_with("sha256:"));
    assert_eq!((image.name.as_str(), image.config_digest.as_deref()), (IMAGE, config));
    let pod = found.pod.as_ref().unwrap();
    assert_eq!((pod.name.as_str(), pod.namespace.as_str()), ("web-7d4b9c6f5-x2x4z", "shop"));
    assert_eq!(pod.workload.as_deref(), Some("Deployment/web"));
    let age = SystemClock.now() - found.start.unwrap();
    assert!((0..60_000).contains(&age), "{age} ms");

    let (found, _) = lookup.find(Some(&path(&sandbox))).await.unwrap();
    assert_eq!((found.name.as_deref(), found.id.as_str()), (Some("POD"), sandbox.as_str()));
    assert!(client.container(&id[..12]).await.unwrap().is_none(), "only whole ids");
    assert!(lookup.find(Some(&path(&"0".repeat(64)))).await.is_none());

    let running = lookup.running().await.unwrap();
    assert_eq!(running.len(), 1);
    assert_eq!((running[0].id.as_str(), running[0].image.name.as_str()), (id.as_str(), IMAGE));
    rig.ctr(&["tasks", "kill", "-s", "SIGKILL", &id]).unwrap();
    let begin = Instant::now();
    while lookup.running().await != Some(Vec::new()) {
        assert!(begin.elapsed() < Duration::from_secs(5), "still listed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
