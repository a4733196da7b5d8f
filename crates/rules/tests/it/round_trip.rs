//! A typed event and its recording decide alike on every field.
use proptest::prelude::*;
use seawall_model::event::{
    Container, Event, EventKind, Executable, File, Identity, Pod, Process, Protocol, Socket, Stdio,
    Stream,
};
use seawall_model::image::ImageRef;
use seawall_rules::{FieldEvent, Kind, Quantity, RuleSet, fields, record};
use std::sync::Arc;

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "sh", "bash", "/bin/sh", "-c", "a b", "ü", "x=1", "x2x9k"])
        .prop_map(str::to_owned)
}

fn stream() -> impl Strategy<Value = Stream> {
    prop_oneof![
        Just(Stream::Terminal),
        Just(Stream::Null),
        Just(Stream::Unknown),
        Just(Stream::Pipe { inode: 1 }),
        Just(Stream::Socket {
            outbound: Some(true),
            remote: Some(std::net::Ipv4Addr::LOCALHOST.into()),
            remote_port: Some(1),
            inode: 3
        }),
        any::<Option<bool>>().prop_map(|outbound| Stream::Socket {
            outbound,
            remote: None,
            remote_port: None,
            inode: 2
        }),
    ]
}

prop_compose! {
    fn process()(
        (name, exe_path, cwd, user) in (word(), word(), prop::option::of(word()), prop::option::of(word())),
        args in prop::collection::vec(word(), 0..4),
        (pid, parent_pid, session, uid, tty) in (0_u32..9, 0_u32..9, 0_u32..9, any::<u32>(), any::<bool>()),
        (login_uid, start) in (prop::option::of(prop_oneof![Just(u32::MAX), Just(1000)]), 0_i64..5),
        (upper_layer, drifted, memory_only) in any::<(Option<bool>, Option<bool>, Option<bool>)>(),
        (inode, changed_ns) in (any::<u64>(), prop::option::of(0_u64..9_000_000)),
        (streams, remote, loops) in (prop::array::uniform3(stream()), any::<Option<bool>>(), any::<bool>()),
        (peers, route) in (prop::collection::vec(prop::sample::select(vec!["nc", "sh"]), 0..3), prop::option::of(word())),
        capabilities in prop::array::uniform3(any::<u64>()),
    ) -> Process {
        Process {
            pid, parent_pid, session, name, exe_path, args, cwd, uid, user, login_uid, tty, start, capabilities,
            tid: pid, vpid: pid,
            exe: Executable { inode, upper_layer, drifted, memory_only, changed_ns },
            stdio: Stdio { streams, remote, loops, peers: peers.into_iter().map(str::to_owned).collect(), route },
            ..Process::default()
        }
    }
}

fn container() -> impl Strategy<Value = Container> {
    (any::<Option<bool>>(), any::<bool>(), prop::option::of(1_i64..5), word()).prop_map(
        |(privileged, known, start, workload)| Container {
            id: "0123456789abcdef".into(),
            name: known.then(|| "app".into()),
            image: known.then(|| ImageRef {
                name: "r.example:5000/a/b:1@sha256:00".into(),
                digest: Some("sha256:00".into()),
                index_digest: None,
                config_digest: Some("sha256:0123456789abcdef".into()),
            }),
            privileged,
            runtime: known.then(|| "containerd".into()),
            start,
            pod: known.then(|| Pod {
                name: "web-1".into(),
                namespace: "shop".into(),
                uid: "u".into(),
                labels: vec![("app".into(), "web".into()), ("a.b/c".into(), "d".into())],
                workload: Some(workload),
            }),
            init_pid: None,
        },
    )
}

prop_compose! {
    fn event()(
        base in process(),
        ancestors in prop::collection::vec(process(), 0..4),
        (kind, syscall) in prop::sample::select(vec![
            (EventKind::Exec, "execve"), (EventKind::Fork, "clone"), (EventKind::Exit, "procexit"),
            (EventKind::Open, "openat"), (EventKind::Open, "creat"), (EventKind::Connect, "connect"),
        ]),
        container in prop::option::of(container()),
        (time_ns, result, sequence) in (prop::option::of(0_u64..9_000_000_000), -120_i64..3, any::<u64>()),
        (path, flags, mode, fd) in (prop::sample::select(vec!["/etc/shadow", "/", "rel", "/a/b"]), 0_u32..0o30_000_000, 0_u32..0o7777, prop::option::of(-1_i32..9)),
        (local, remote, ports) in (prop::option::of(any::<std::net::IpAddr>()), any::<std::net::IpAddr>(), any::<(Option<u16>, u16)>()),
        protocol in prop::sample::select(vec![Protocol::Tcp, Protocol::Udp, Protocol::Other]),
    ) -> Event {
        let process = Process { ancestors: ancestors.into_iter().map(Arc::new).collect(), ..base };
        let file = File { path: path.into(), verified: true, flags, mode, inode: Some(5), fd };
        let socket = Socket { protocol, local, local_port: ports.0, remote, remote_port: ports.1, fd };
        Event {
            time_ns, sequence, kind, syscall, result, cpu: 1, identity: Identity::Complete,
            process: Arc::new(process),
            file: (kind == EventKind::Open).then_some(file),
            socket: (kind == EventKind::Connect).then_some(socket),
            container: container.map(Arc::new),
            audit: None,
        }
    }
}

/// Rules that between them read every collected field: whether it exists, and what an output prints of it.
fn probing_rules() -> RuleSet {
    let mut written: Vec<String> = Vec::new();
    for field in fields::all().iter().filter(|field| field.is_collected()) {
        match field.takes {
            fields::Takes::Nothing => written.push(field.name.to_owned()),
            fields::Takes::Index => {
                written.push(field.name.to_owned());
                written.extend((0..3).map(|index| format!("{}[{index}]", field.name)));
            }
            fields::Takes::Ancestor => {
                written.extend((0..4).map(|index| format!("{}[{index}]", field.name)))
            }
            fields::Takes::Key if field.name == "k8s.pod.label" => {
                written.extend(
                    ["app", "a.b/c", "none"].map(|label| format!("k8s.pod.label[{label}]")),
                );
            }
            fields::Takes::Key => {
                written.extend(
                    ["name", "flags", "mode", "res", "addr", "none"]
                        .map(|name| format!("{}[{name}]", field.name)),
                );
            }
        }
    }
    let rule = |(number, condition): (usize, String)| {
        format!(
            "- rule: r{number}\n  desc: d\n  condition: {}\n  output: o\n  priority: INFO\n",
            serde_json::Value::from(condition)
        )
    };
    let mut conditions: Vec<String> =
        written.iter().map(|field| format!("{field} exists")).collect();
    for field in fields::all()
        .iter()
        .filter(|field| field.is_collected() && field.takes != fields::Takes::Key)
    {
        // Only names of events compare with these.
        if matches!(field.name, "evt.type" | "syscall.type") {
            continue;
        }
        let name = field.name;
        conditions.push(match (field.kind, field.quantity) {
            (Kind::Text, Quantity::List) => format!("{name} intersects (nc)"),
            (Kind::Text, _) => format!("{name} contains s or {name} = sh or {name} != bash"),
            (Kind::Number, _) => format!("{name} > 3 or {name} != 2"),
            (Kind::Bool, _) => format!("{name} = true"),
            (Kind::Address, _) => {
                format!("{name} in (128.0.0.0/1, 8000::/1) or {name} != 10.0.0.1")
            }
        });
    }
    let outputs: Vec<String> = written.iter().map(|field| format!("%{field}")).collect();
    let all = format!(
        "- rule: all\n  desc: d\n  condition: evt.num >= 0\n  output: {}\n  priority: INFO\n",
        serde_json::Value::from(outputs.join(" "))
    );
    let yaml: String = conditions.into_iter().enumerate().map(rule).chain([all]).collect();
    let (set, problems) = RuleSet::load(&[("t.yaml", &yaml)]);
    // What a sensor never reports, such as a directory, decides alike all the same.
    assert!(problems.iter().all(|problem| problem.code == "inactive"), "{problems:?}");
    set
}

#[test]
fn a_recording_decides_like_the_event() {
    let set = probing_rules();
    let config =
        ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(event in event())| {
        let line = serde_json::Value::Object(record(&event));
        let text = line.to_string();
        let (read, problems) = FieldEvent::parse(&text).unwrap();
        prop_assert_eq!(problems, vec![], "{}", &text);
        let typed: Vec<_> = set.evaluate(&event, &mut set.state()).into_iter().map(|f| (f.rule.name.clone(), f.output, f.output_fields, f.why)).collect();
        let replayed: Vec<_> = set.evaluate(&read, &mut set.state()).into_iter().map(|f| (f.rule.name.clone(), f.output, f.output_fields, f.why)).collect();
        for (typed, replayed) in typed.iter().zip(&replayed) {
            prop_assert_eq!(typed, replayed, "{}", text);
        }
        prop_assert_eq!(typed.len(), replayed.len(), "{}", text);
        prop_assert_eq!(seawall_rules::EventView::time_ns(&event), seawall_rules::EventView::time_ns(&read));
    });
}
