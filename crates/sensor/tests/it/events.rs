//! Each kind of event carries what rules need.
use crate::rig::{bash, below, rig};
use seawall_model::asset::CapabilityState;
use seawall_model::event::{EventKind, Identity, MAX_ANCESTORS, Protocol};
use seawall_model::record::Record;
use std::time::Duration;

#[test]
fn every_capability_is_proved_by_an_event() {
    let Some(rig) = rig("every_capability_is_proved_by_an_event") else { return };
    for capability in rig.sensor.capabilities() {
        let expected = match capability.name.as_str() {
            "io_uring" | "sendto" => CapabilityState::Absent,
            _ => CapabilityState::Full,
        };
        assert_eq!(capability.state, expected, "{capability:?}");
    }
    assert!(matches!(rig.records().first(), Some(Record::Capabilities(_))));
}

#[test]
fn exec_carries_file_arguments_and_ancestors() {
    let Some(rig) = rig("exec_carries_file_arguments_and_ancestors") else { return };
    let pid = bash("cd /usr; (/bin/sh -c 'true one; /usr/bin/env A=1 true two three'; :); :");
    let event = rig.wait("exec of true", |event| {
        event.kind == EventKind::Exec
            && below(event, pid)
            && event.process.args == ["true", "two", "three"]
    });
    let process = &event.process;
    assert_eq!((process.name.as_str(), process.exe_path.as_str()), ("true", "/usr/bin/true"));
    assert_eq!(process.cwd.as_deref(), Some("/usr"));
    assert_eq!(
        (process.uid, process.user.as_deref(), process.vpid),
        (0, Some("root"), process.pid)
    );
    assert!(process.exe.inode > 0 && process.exe.changed_ns.is_some(), "{:?}", process.exe);
    assert_eq!((process.exe.memory_only, process.exe.drifted), (Some(false), None));
    assert!(process.capabilities[0] > 0);
    let names: Vec<&str> =
        process.ancestors.iter().map(|ancestor| ancestor.name.as_str()).collect();
    assert_eq!(names[..3], ["sh", "bash", "bash"], "{names:?}");
    assert!(process.ancestors.len() > 3, "the test program and what started it: {names:?}");
    assert_eq!((event.identity, event.container.is_none()), (Identity::Complete, true));
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    let age = now.saturating_sub(Duration::from_nanos(event.time_ns.unwrap()));
    assert!(age < Duration::from_secs(30), "{age:?}");
}

#[test]
fn fork_and_exit_frame_a_process() {
    let Some(rig) = rig("fork_and_exit_frame_a_process") else { return };
    let pid = bash("(exit 7); :");
    let fork = rig.wait("fork", |event| {
        event.kind == EventKind::Fork && event.process.parent_pid == pid && below(event, pid)
    });
    assert_eq!(fork.process.name, "bash");
    let exit = rig.wait("exit", |event| {
        event.kind == EventKind::Exit && event.process.exec_id == fork.process.exec_id
    });
    assert_eq!(exit.result, 7 << 8, "the status as wait(2) gives it");
    assert!(exit.time_ns > fork.time_ns && exit.sequence > fork.sequence);
}

#[test]
fn opens_are_writes_and_watched_reads() {
    let Some(rig) = rig("opens_are_writes_and_watched_reads") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::create_dir(path(".aws")).unwrap();
    std::fs::write(path(".aws/config"), "").unwrap();
    std::fs::write(path("plain"), "").unwrap();
    let pid = bash(&format!(
        "cd {}; cat .aws/config; cat plain; cat /etc/shadow; echo x > ./new; echo y >> plain; ln -s new link; echo z > link",
        folder.path().display()
    ));
    let open = |file: &str, write: bool| {
        rig.wait(file, |event| {
            let opened = event.file.as_ref();
            event.kind == EventKind::Open
                && below(event, pid)
                && opened
                    .is_some_and(|opened| opened.path == file && (opened.flags & 3 != 0) == write)
        })
    };
    assert_eq!(open("/etc/shadow", false).process.name, "cat");
    open(&path(".aws/config"), false);
    let created = open(&path("new"), true).file.unwrap();
    assert_eq!(created.flags & 0o1100, 0o1100, "created and truncated: {created:?}");
    assert_eq!((created.mode & 0o666, created.verified), (0o666, true));
    open(&path("plain"), true);
    rig.wait("exit", |event| event.kind == EventKind::Exit && event.process.pid == pid);
    let unwatched = rig.events().iter().any(|event| {
        event.process.name == "cat"
            && below(event, pid)
            && event.file.as_ref().is_some_and(|file| file.path == path("plain"))
    });
    assert!(!unwatched, "reads of unwatched files stay in the kernel");
}

#[test]
fn long_paths_keep_their_end() {
    let Some(rig) = rig("long_paths_keep_their_end") else { return };
    let folder = tempfile::tempdir().unwrap();
    let deep = format!("{}/end", ["d".repeat(200).as_str(); 7].join("/"));
    let pid =
        bash(&format!("cd {} && mkdir -p {deep} && echo x > {deep}/file", folder.path().display()));
    let event = rig.wait("open deep down", |event| {
        below(event, pid)
            && event.file.as_ref().is_some_and(|file| file.path.ends_with("/end/file"))
    });
    let file = event.file.unwrap();
    assert!(file.path.len() > 700 && file.path.starts_with('…') && !file.verified, "{file:?}");
}

#[test]
fn events_carry_the_user_of_their_time() {
    let Some(rig) = rig("events_carry_the_user_of_their_time") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("after").to_string_lossy().into_owned();
    let script = format!(
        "import os; os.chmod('{}', 0o777); os.setuid(65534); open('{path}', 'w')",
        folder.path().display()
    );
    let pid = bash(&format!("exec python3 -c \"{script}\""));
    let opened = rig.wait("open after setuid", |event| {
        below(event, pid) && event.file.as_ref().is_some_and(|file| file.path == path)
    });
    assert_eq!(opened.process.uid, 65534);
    assert_eq!(opened.process.user.as_deref(), Some("nobody"));
}

#[test]
fn connects_name_both_sides_and_the_outcome() {
    let Some(rig) = rig("connects_name_both_sides_and_the_outcome") else { return };
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let closed = {
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        unused.local_addr().unwrap().port()
    };
    let pid = bash(&format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}; exec 4<>/dev/udp/127.0.0.1/{port}; (exec 5<>/dev/tcp/127.0.0.1/{closed}); :"
    ));
    let connect = |port: u16, protocol: Protocol| {
        let event = rig.wait(&format!("connect {port} {protocol:?}"), |event| {
            let socket = event.socket.as_ref();
            below(event, pid)
                && socket
                    .is_some_and(|socket| socket.remote_port == port && socket.protocol == protocol)
        });
        (event.result, event.socket.unwrap())
    };
    let (result, socket) = connect(port, Protocol::Tcp);
    assert_eq!((result, socket.remote.to_string().as_str()), (0, "127.0.0.1"));
    assert!(socket.local_port.is_some() && socket.local.is_some() && socket.fd.is_some());
    assert_eq!(connect(port, Protocol::Udp).0, 0);
    assert_eq!(connect(closed, Protocol::Tcp).0, -111, "ECONNREFUSED");
}

#[test]
fn memory_only_programs_are_known() {
    let Some(rig) = rig("memory_only_programs_are_known") else { return };
    let script = "import os;f=os.memfd_create('x');os.write(f,open('/bin/true','rb').read());os.execv('/proc/self/fd/%d'%f,['in-memory'])";
    let pid = bash(&format!("exec python3 -c \"{script}\""));
    let event = rig.wait("exec of a memfd", |event| {
        event.kind == EventKind::Exec
            && event.process.pid == pid
            && event.process.args == ["in-memory"]
    });
    assert_eq!(event.process.exe.memory_only, Some(true));
    assert_eq!(event.process.exe.drifted, Some(true), "no image holds it");
    assert_eq!(event.process.exe_path, "/memfd:x");
}

#[test]
fn secrets_in_arguments_are_masked_and_rules_fire() {
    let Some(rig) = rig("secrets_in_arguments_are_masked_and_rules_fire") else { return };
    let secret = "correct-horse-battery";
    let pid =
        bash(&format!("exec /bin/true seawall-marked --password={secret} --password {secret}"));
    let event = rig.wait("exec", |event| {
        event.kind == EventKind::Exec && event.process.pid == pid && event.process.name == "true"
    });
    assert!(
        !event.process.args.iter().any(|argument| argument.contains(secret)),
        "{:?}",
        event.process.args
    );
    // Users' rules have no id: they are known by name.
    let firing = rig.fired("Marked program", pid);
    assert_eq!(
        (firing.location.node.as_deref(), firing.location.cluster.as_str()),
        (Some("test-node"), "test-cluster")
    );
    assert!(!format!("{firing:?}").contains(secret));
    // Virtual machines whose first process is their host's agent hide it from listings.
    let listed = firing.process.iter().map(|process| process.pid).filter(|pid| *pid != 1);
    assert_eq!(listed.skip(1).collect::<Vec<_>>(), this_process_and_ancestors());
}

/// As many as an alert names, nearest first and without the first process of all, from `/proc`.
fn this_process_and_ancestors() -> Vec<u32> {
    let parent = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
        parent.trim().parse().ok().filter(|parent| *parent > 1)
    };
    std::iter::successors(Some(std::process::id()), parent).take(MAX_ANCESTORS).collect()
}
