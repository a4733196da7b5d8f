//! Containers of a containerd of our own: identity, drift, what runs.
use crate::rig::{CONTAINERD_SOCKET, Rig, rig};
use seawall_model::asset::CapabilityState;
use seawall_model::event::{Event, EventKind, Identity};
use seawall_model::package::Target;
use seawall_model::record::Record;
use seawall_sensor::{Config, InventoryTask};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

const IMAGE: &str = "seawall.test/box:1";
/// Applets the image's shell finds as files of their own.
const APPLETS: [&str; 12] =
    ["sh", "cat", "cp", "touch", "chmod", "sleep", "true", "id", "echo", "mv", "rm", "tail"];

/// A private containerd with one image; everything it made is gone when it is dropped.
struct Runtime {
    folder: PathBuf,
    daemon: Child,
    digest: String,
}

impl Runtime {
    fn start() -> Result<Self, String> {
        let folder = CONTAINERD_SOCKET.parent().unwrap().to_path_buf();
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let at = folder.display();
        let config = format!(
            "version = 2\nroot = \"{at}/root\"\nstate = \"{at}/state\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\n  address = \"{}\"\n[plugins.\"io.containerd.internal.v1.opt\"]\n  path = \"{at}/opt\"\n",
            CONTAINERD_SOCKET.display()
        );
        std::fs::write(folder.join("config.toml"), config).map_err(|error| error.to_string())?;
        let log = std::fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
        let daemon = Command::new("containerd")
            .args(["-c", &folder.join("config.toml").to_string_lossy()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("containerd: {error}"))?;
        let mut runtime = Self { folder, daemon, digest: String::new() };
        let begin = Instant::now();
        while runtime.ctr(&["version"]).is_err() {
            if begin.elapsed() > Duration::from_secs(20) {
                return Err("containerd does not answer".to_owned());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let archive = image_archive(&runtime.folder)?;
        runtime.ctr(&["images", "import", &archive.to_string_lossy()])?;
        let list = runtime.ctr(&["images", "ls"])?;
        let digest = list.split_whitespace().find(|word| word.starts_with("sha256:"));
        runtime.digest = digest.ok_or("the image has no digest")?.to_owned();
        Ok(runtime)
    }

    fn ctr(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("ctr")
            .arg("-a")
            .arg(&*CONTAINERD_SOCKET)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("ctr: {error}"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// A container that sleeps; `labels` as CRI sets them.
    #[track_caller]
    fn run(&self, id: &str, labels: &[&str]) {
        let mut arguments = vec!["run", "-d"];
        for label in labels {
            arguments.extend(["--label", label]);
        }
        arguments.extend([IMAGE, id, "/bin/sleep", "1000"]);
        self.ctr(&arguments).unwrap();
    }

    #[track_caller]
    fn exec(&self, id: &str, script: &str) {
        static COUNT: Mutex<u32> = Mutex::new(0);
        let number = {
            let mut count = COUNT.lock().unwrap();
            *count += 1;
            *count
        };
        let exec_id = format!("e{number}");
        self.ctr(&["task", "exec", "--exec-id", &exec_id, id, "/bin/sh", "-c", script]).unwrap();
    }

    fn remove(&self, id: &str) {
        let _ended = self.ctr(&["task", "kill", "-s", "KILL", id]);
        for _ in 0..50 {
            if self.ctr(&["container", "rm", id]).is_ok() {
                return;
            }
            let _deleted = self.ctr(&["task", "delete", "-f", id]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let ids = self.ctr(&["container", "ls", "-q"]).unwrap_or_default();
        for id in ids.split_whitespace() {
            self.remove(id);
        }
        let _already_gone = self.daemon.kill();
        let _status = self.daemon.wait();
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let inside = self.folder.to_string_lossy().into_owned();
        for mount in mounts
            .lines()
            .filter_map(|line| line.split(' ').nth(1))
            .filter(|at| at.starts_with(&inside))
        {
            let _status = Command::new("umount").args(["-l", mount]).status();
        }
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}

/// A docker-save archive of a busybox root, made by hand: no image is pulled from anywhere.
fn image_archive(folder: &Path) -> Result<PathBuf, String> {
    let text = |error: std::io::Error| error.to_string();
    let root = folder.join("image");
    for path in ["bin", "etc", "tmp"] {
        std::fs::create_dir_all(root.join(path)).map_err(text)?;
    }
    for applet in APPLETS {
        // Copies, not links: the executable's path is the applet's.
        std::fs::copy("/usr/bin/busybox", root.join("bin").join(applet)).map_err(text)?;
    }
    std::fs::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\n").map_err(text)?;
    std::fs::write(root.join("etc/shadow"), "root:*:::::::\n").map_err(text)?;
    let tar = |directory: &Path, archive: &Path| {
        let status =
            Command::new("tar").arg("-C").arg(directory).arg("-cf").arg(archive).arg(".").status();
        status
            .map_err(text)
            .and_then(|status| status.success().then_some(()).ok_or("tar failed".to_owned()))
    };
    let parts = folder.join("parts");
    std::fs::create_dir_all(&parts).map_err(text)?;
    let layer = parts.join("layer.tar");
    tar(&root, &layer)?;
    let sum = Command::new("sha256sum").arg(&layer).output().map_err(text)?;
    let diff_id = String::from_utf8_lossy(&sum.stdout[..64]).into_owned();
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = format!(
        r#"{{"architecture":"{architecture}","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["sha256:{diff_id}"]}}}}"#
    );
    std::fs::File::create(parts.join("config.json"))
        .and_then(|mut file| file.write_all(config.as_bytes()))
        .map_err(text)?;
    let manifest =
        format!(r#"[{{"Config":"config.json","RepoTags":["{IMAGE}"],"Layers":["layer.tar"]}}]"#);
    std::fs::write(parts.join("manifest.json"), manifest).map_err(text)?;
    let archive = folder.join("image.tar");
    tar(&parts, &archive)?;
    Ok(archive)
}

/// Started by the first test that needs it and ended by the one test below: statics are never dropped.
static RUNTIME: LazyLock<Result<Mutex<Option<Runtime>>, String>> =
    LazyLock::new(|| Runtime::start().map(|runtime| Mutex::new(Some(runtime))));

fn exec_of<'a>(container: &'a str, exe: &'a str) -> impl Fn(&Event) -> bool + 'a {
    move |event| {
        event.kind == EventKind::Exec
            && event.process.exe_path == exe
            && event.container.as_ref().is_some_and(|found| found.id == container)
    }
}

/// One test, for the parts share one containerd that has to be ended.
#[test]
fn containers() {
    let Some(rig) = rig("containers") else { return };
    let guard = match &*RUNTIME {
        Ok(runtime) => runtime,
        Err(reason) => {
            eprintln!("skipped: containers: {reason}");
            return;
        }
    };
    let runtime = guard.lock().unwrap().take().expect("taken once");
    identity(rig, &runtime);
    drift(rig, &runtime);
    shell_of_a_terminal(rig, &runtime);
    short_life(rig, &runtime);
    unknown_to_the_runtime(rig, &runtime);
    inventory(&runtime);
}

fn identity(rig: &Rig, runtime: &Runtime) {
    let uid = "0d9b1c52-3f7e-4a68-8a9b-5c4d3e2f1a0b";
    let uid_label = format!("io.kubernetes.pod.uid={uid}");
    let labels = [
        "io.kubernetes.container.name=web",
        "io.kubernetes.pod.name=web-7d4b9c6f5-x2x4z",
        "io.kubernetes.pod.namespace=shop",
        uid_label.as_str(),
        "pod-template-hash=7d4b9c6f5",
        "app=web",
    ];
    runtime.run("identity", &labels);
    let event = rig.wait("the container's first program", exec_of("identity", "/bin/sleep"));
    assert_eq!(event.identity, Identity::Complete);
    let container = event.container.unwrap();
    let image = container.image.clone().unwrap();
    assert_eq!(
        (image.name.as_str(), image.digest.as_deref()),
        (IMAGE, Some(runtime.digest.as_str()))
    );
    assert!(image.config_digest.is_some_and(|digest| digest.starts_with("sha256:")));
    assert_eq!((container.name.as_deref(), container.privileged), (Some("web"), Some(false)));
    let pod = container.pod.clone().unwrap();
    assert_eq!(
        (pod.name.as_str(), pod.namespace.as_str(), pod.uid.as_str()),
        ("web-7d4b9c6f5-x2x4z", "shop", uid)
    );
    assert_eq!(pod.workload.as_deref(), Some("Deployment/web"));
    assert!(pod.labels.contains(&("app".to_owned(), "web".to_owned())), "{:?}", pod.labels);
    assert_eq!(event.process.vpid, 1);

    runtime.exec("identity", "/bin/cat /etc/shadow; echo x > /tmp/made");
    let opened = |path: &'static str| {
        move |event: &Event| {
            event.kind == EventKind::Open
                && event.file.as_ref().is_some_and(|file| file.path == path)
                && event.container.as_ref().is_some_and(|container| container.id == "identity")
        }
    };
    let read = rig.wait("read of shadow", opened("/etc/shadow"));
    assert_eq!(read.process.exe_path, "/bin/cat");
    rig.wait("write", opened("/tmp/made"));
    let place = rig.fired("SW-D-0003", read.process.pid).location;
    assert_eq!(
        (place.namespace.as_deref(), place.workload.as_deref()),
        (Some("shop"), Some("Deployment/web"))
    );
    assert_eq!(
        place.image.as_ref().and_then(|image| image.digest.as_deref()),
        Some(runtime.digest.as_str())
    );

    let begin = Instant::now();
    let listed = || {
        rig.records().iter().any(|record| match record {
            Record::Running { containers, .. } => containers.iter().any(|running| {
                running.id == "identity" && running.workload.as_deref() == Some("Deployment/web")
            }),
            _ => false,
        })
    };
    while !listed() {
        assert!(
            begin.elapsed() < Duration::from_secs(12),
            "the container is not listed as running"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    runtime.remove("identity");
}

fn drift(rig: &Rig, runtime: &Runtime) {
    runtime.run("drift", &[]);
    runtime.exec(
        "drift",
        "/bin/id; cp /bin/true /tmp/copied; /tmp/copied true; touch /bin/echo; chmod 700 /bin/echo; /bin/echo hi; \
         cp /bin/cat /bin/mv.new; echo >> /bin/mv.new; mv /bin/mv.new /bin/mv; /bin/mv; cat /bin/tail > /bin/rm; /bin/rm; :",
    );
    let executable = |path: &str| rig.wait(path, exec_of("drift", path)).process.exe;
    for (path, upper, drifted, why) in [
        ("/bin/id", false, false, "as in the image"),
        ("/tmp/copied", true, true, "not in the image"),
        ("/bin/echo", true, false, "touched, not changed"),
        ("/bin/mv", true, true, "replaced by other content"),
        ("/bin/rm", true, false, "overwritten with the same content"),
    ] {
        let exe = executable(path);
        assert_eq!((exe.upper_layer, exe.drifted), (Some(upper), Some(drifted)), "{path}: {why}");
    }
    let fired: Vec<String> = rig
        .records()
        .iter()
        .filter_map(|record| match record {
            Record::Firing(firing) if firing.detection == "SW-D-0002" => Some(firing.as_ref()),
            _ => None,
        })
        .filter(|firing| firing.location.container_id.as_deref() == Some("drift"))
        .map(|firing| firing.process[0].exe.clone())
        .collect();
    assert_eq!(fired, ["/tmp/copied", "/bin/mv"]);
    runtime.remove("drift");
}

/// One inventory per image digest and one of the node, whose root is the image's folder here.
fn inventory(runtime: &Runtime) {
    let mut config = Config::new("test-node", "test-cluster", Path::new("/"));
    config.runtimes = vec![CONTAINERD_SOCKET.clone()];
    config.root = runtime.folder.join("image");
    let (sender, receiver) = std::sync::mpsc::channel();
    let sink = Arc::new(move |record| sender.send(record).unwrap());
    let _task = InventoryTask::start(config, None, Vec::new(), sink).unwrap();
    let mut records = std::iter::from_fn(|| receiver.recv_timeout(Duration::from_secs(10)).ok());
    let Some(Record::Capabilities(told)) = records.next() else { panic!("no capabilities") };
    assert_eq!((told[0].name.as_str(), told[0].state), ("images", CapabilityState::Full));
    let targets: Vec<Target> = records
        .filter_map(|record| match record {
            Record::Inventory(inventory) => Some(inventory.target),
            _ => None,
        })
        .take(2)
        .collect();
    let Target::Image { image } = &targets[0] else { panic!("{targets:?}") };
    assert_eq!(
        (image.name.as_str(), image.digest.as_deref()),
        (IMAGE, Some(runtime.digest.as_str()))
    );
    assert_eq!(targets[1], Target::Node { name: "test-node".to_owned() });
}

/// What `kubectl exec -it` does: the runtime makes a terminal in the container.
fn shell_of_a_terminal(rig: &Rig, runtime: &Runtime) {
    runtime.run("terminal", &[]);
    let ctr = format!(
        "ctr -a {} task exec -t --exec-id tty terminal /bin/sh -c '/bin/id; /bin/true in-terminal'",
        CONTAINERD_SOCKET.display()
    );
    let status = Command::new("script")
        .args(["-qec", &ctr, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let event = rig.wait("a program in the terminal", exec_of("terminal", "/bin/true"));
    let stdio = &event.process.stdio;
    assert_eq!(stdio.streams[0].type_name(), Some("tty"), "{stdio:?}");
    assert!(event.process.tty && stdio.remote != Some(true) && !stdio.loops, "{stdio:?}");
    runtime.remove("terminal");
}

fn short_life(rig: &Rig, runtime: &Runtime) {
    for number in 0..10 {
        let id = format!("short{number}");
        runtime.ctr(&["run", "--rm", IMAGE, &id, "/bin/true"]).unwrap();
        let event = rig.wait("a container that lived for milliseconds", exec_of(&id, "/bin/true"));
        assert_eq!(event.identity, Identity::Complete, "{id}");
        assert!(event.container.unwrap().image.is_some(), "{id}");
    }
}

/// Started by runc alone: the path and the namespaces say that it is a container, nobody says which.
fn unknown_to_the_runtime(rig: &Rig, runtime: &Runtime) {
    let bundle = runtime.folder.join("bundle");
    std::fs::create_dir_all(&bundle).unwrap();
    let runc = |arguments: &[&str]| {
        let state = runtime.folder.join("runc");
        Command::new("runc")
            .arg("--root")
            .arg(state)
            .args(arguments)
            .current_dir(&bundle)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    assert!(runc(&["spec"]).status.success());
    let spec = std::fs::read_to_string(bundle.join("config.json")).unwrap();
    let root = format!("\"path\": \"{}\"", runtime.folder.join("image").display());
    let spec = spec
        .replace("\"terminal\": true", "\"terminal\": false")
        .replace("\"sh\"", "\"/bin/id\"")
        .replace("\"path\": \"rootfs\"", &root);
    std::fs::write(bundle.join("config.json"), spec).unwrap();
    let output = runc(&["run", "by-hand"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let event = rig.wait("a container of runc alone", exec_of("by-hand", "/bin/id"));
    assert_eq!((event.identity, event.container.unwrap().image.clone()), (Identity::Partial, None));
}
