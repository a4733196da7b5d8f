use super::*;
use crate::identity::cgroup;
use crate::identity::fake::{Fake, Kind, World};
use crate::identity::worker::{Answer, Question, Worker};
use seawall_model::event::Identity;
use std::time::Duration;

const ID: &str = "4f1d2c3b4a5968778695a4b3c2d1e0f94f1d2c3b4a5968778695a4b3c2d1e0f9";
const SANDBOX: &str = "0f1d2c3b4a5968778695a4b3c2d1e0f94f1d2c3b4a5968778695a4b3c2d1e0f9";
const IMAGE: &str = "1f1d2c3b4a5968778695a4b3c2d1e0f94f1d2c3b4a5968778695a4b3c2d1e0f9";
const UID: &str = "0d9b1c52-3f7e-4a68-8a9b-5c4d3e2f1a0b";

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn kubelet_labels(more: &[(&str, &str)]) -> HashMap<String, String> {
    let mut labels = map(&[
        ("io.kubernetes.pod.name", "web-7d4b9c6f5-x2x4z"),
        ("io.kubernetes.pod.namespace", "shop"),
        ("io.kubernetes.pod.uid", UID),
    ]);
    labels.extend(map(more));
    labels
}

/// One pod of CRI-O as the kubelet makes it.
fn world() -> World {
    let container = ContainerRecord {
        id: ID.to_owned(),
        sandbox: SANDBOX.to_owned(),
        metadata: Some(Metadata { name: "web".to_owned() }),
        image: Some(ImageSpec { image: IMAGE.to_owned(), user_specified: "shop/web:1".to_owned() }),
        image_ref: IMAGE.to_owned(),
        created_at: 1_700_000_000_123_456_789,
        labels: kubelet_labels(&[("io.kubernetes.container.name", "web")]),
        image_id: IMAGE.to_owned(),
    };
    let sandbox = Sandbox {
        id: SANDBOX.to_owned(),
        created_at: 1_700_000_000_000_000_000,
        labels: kubelet_labels(&[("pod-template-hash", "7d4b9c6f5"), ("app", "web")]),
    };
    let image = Image {
        id: IMAGE.to_owned(),
        repo_tags: vec!["quay.io/shop/web:1".to_owned()],
        repo_digests: vec!["quay.io/shop/web@sha256:aa".to_owned()],
    };
    let info = r#"{"sandboxID":"x","pid":7,"runtimeSpec":{},"privileged":true}"#;
    World {
        containers: vec![container],
        sandboxes: vec![sandbox],
        images: vec![image],
        info: map(&[(ID, info)]),
    }
}

/// Answers of the worker for one path.
fn resolve(worker: &Worker, answers: &std::sync::mpsc::Receiver<Answer>, path: &str) -> Answer {
    let question = Question { cgroup: 1, path: path.to_owned(), nested: true };
    assert!(worker.ask(question));
    loop {
        match answers.recv_timeout(Duration::from_secs(5)).unwrap() {
            Answer::Running(_) => {}
            group => return group,
        }
    }
}

#[test]
fn a_pod_of_crio_is_known_by_its_group() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("crio.sock");
    let _crio = Fake::start(&socket, Kind::Crio(world()));
    let (sender, answers) = std::sync::mpsc::channel();
    let worker = Worker::start(vec![socket], sender).unwrap();

    let slice = format!("/kubepods.slice/kubepods-pod{}.slice", UID.replace('-', "_"));
    let answer = resolve(&worker, &answers, &format!("{slice}/crio-{ID}.scope"));
    let Answer::Group { found: Some((found, identity)), .. } = answer else { panic!("{answer:?}") };
    assert_eq!(identity, Identity::Complete);
    assert_eq!((found.id.as_str(), found.name.as_deref()), (ID, Some("web")));
    assert_eq!((found.runtime.as_deref(), found.privileged), (Some("cri-o"), Some(true)));
    assert_eq!(found.start, Some(1_700_000_000_123));
    let image = found.image.as_ref().unwrap();
    assert_eq!(
        (image.name.as_str(), image.digest.as_deref()),
        ("quay.io/shop/web:1", Some("sha256:aa"))
    );
    assert_eq!(image.config_digest, Some(format!("sha256:{IMAGE}")));
    let pod = found.pod.as_ref().unwrap();
    assert_eq!((pod.namespace.as_str(), pod.uid.as_str()), ("shop", UID));
    assert_eq!(pod.workload.as_deref(), Some("Deployment/web"), "by the sandbox's labels");
    assert!(pod.labels.contains(&("app".to_owned(), "web".to_owned())), "{:?}", pod.labels);

    let answer = resolve(&worker, &answers, &format!("/kubepods/pod{UID}/crio-{SANDBOX}"));
    let Answer::Group { found: Some((found, identity)), .. } = answer else { panic!("{answer:?}") };
    assert_eq!((found.name.as_deref(), identity), (Some("POD"), Identity::Partial));
    assert_eq!(found.pod.as_ref().unwrap().workload.as_deref(), Some("Deployment/web"));

    let answer = resolve(&worker, &answers, &format!("{slice}/crio-conmon-{ID}.scope"));
    assert!(matches!(answer, Answer::Group { found: None, .. }), "{answer:?}");
    // CRI-O would take these for the beginning of an id.
    let answer = resolve(&worker, &answers, "/4f1d/0");
    let Answer::Group { found: Some((found, identity)), .. } = answer else { panic!("{answer:?}") };
    assert_eq!((found.id.as_str(), identity), ("0", Identity::Partial));
}

#[test]
fn what_crio_runs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("crio.sock");
    let _crio = Fake::start(&socket, Kind::Crio(world()));
    let (sender, answers) = std::sync::mpsc::channel();
    let _worker = Worker::start(vec![socket], sender).unwrap();
    let answer = answers.recv_timeout(Duration::from_secs(5)).unwrap();
    let Answer::Running(running) = answer else { panic!("{answer:?}") };
    assert_eq!(running.len(), 1);
    assert_eq!((running[0].id.as_str(), running[0].pod_uid.as_deref()), (ID, Some(UID)));
    assert_eq!(running[0].workload.as_deref(), Some("Deployment/web"));
    assert_eq!(running[0].image.name, "quay.io/shop/web:1");
}

#[tokio::test]
async fn an_image_that_is_gone_leaves_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("crio.sock");
    let world = World { images: Vec::new(), ..world() };
    let _crio = Fake::start(&socket, Kind::Crio(world));
    let connection = Connection::open(&socket).await.unwrap();
    let lookup = Lookup::new(Cri::ask(connection).await.unwrap());
    let path = cgroup::identify(&format!("/kubepods/pod{UID}/crio-{ID}")).unwrap();
    let (found, identity) = lookup.find(Some(&path)).await.unwrap();
    assert_eq!(identity, Identity::Partial);
    assert_eq!(found.image.as_ref().unwrap().name, "shop/web:1");
    assert!(lookup.find(None).await.is_none());
}

/// Bytes by hand, with every field of kubernetes/cri-api, so that a wrong number here is seen.
#[test]
fn fields_are_numbered_as_in_the_interface() {
    let text = |tag: u8, text: &str| {
        [&[tag << 3 | 2, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    };
    let nested = |tag: u8, parts: &[Vec<u8>]| {
        let inside = parts.concat();
        [vec![tag << 3 | 2, u8::try_from(inside.len()).unwrap()], inside].concat()
    };
    let entry = |tag: u8, key: &str, value: &str| nested(tag, &[text(1, key), text(2, value)]);
    // Tag 18 takes two bytes: 18 << 3 | 2 = 146.
    let user_specified = [&[0x92, 0x01, 3], &b"web"[..]].concat();
    let bytes = [
        text(1, "id"),
        text(2, "sandbox"),
        nested(3, &[text(1, "name"), vec![2 << 3, 4]]),
        nested(4, &[text(1, "image"), entry(2, "a", "b"), user_specified, vec![0x9a, 0x01, 0]]),
        text(5, "ref"),
        vec![6 << 3, 1],
        vec![7 << 3, 9],
        entry(8, "key", "value"),
        entry(9, "not", "read"),
        text(10, "image-id"),
    ]
    .concat();
    let found = ContainerRecord::decode(bytes.as_slice()).unwrap();
    let expected = ContainerRecord {
        id: "id".to_owned(),
        sandbox: "sandbox".to_owned(),
        metadata: Some(Metadata { name: "name".to_owned() }),
        image: Some(ImageSpec { image: "image".to_owned(), user_specified: "web".to_owned() }),
        image_ref: "ref".to_owned(),
        created_at: 9,
        labels: map(&[("key", "value")]),
        image_id: "image-id".to_owned(),
    };
    assert_eq!(found, expected);
    assert!(ContainerRecord::decode(&bytes[..bytes.len() - 1]).is_err(), "cut short");

    let bytes = [text(1, "id"), text(2, "tag"), text(3, "digest"), vec![4 << 3, 7]].concat();
    let image = Image::decode(bytes.as_slice()).unwrap();
    assert_eq!((image.repo_tags, image.repo_digests), (vec!["tag".into()], vec!["digest".into()]));
    let bytes = [text(1, "id"), nested(2, &[text(1, "n")]), vec![4 << 3, 5], entry(5, "k", "v")];
    let sandbox = Sandbox::decode(bytes.concat().as_slice()).unwrap();
    assert_eq!((sandbox.created_at, sandbox.labels), (5, map(&[("k", "v")])));
    let bytes = [text(1, "0.1.0"), text(2, "cri-o"), text(3, "1.34.0"), text(4, "v1")].concat();
    let version = Version::decode(bytes.as_slice()).unwrap();
    assert_eq!(
        (version.runtime_name.as_str(), version.runtime_version.as_str()),
        ("cri-o", "1.34.0")
    );
    let filter = Filter { id: "a".to_owned(), state: Some(State { state: RUNNING }) };
    let request = ListRequest { filter: Some(filter) }.encode_to_vec();
    assert_eq!(request, nested(1, &[text(1, "a"), nested(2, &[vec![1 << 3, 1]])]));
}
