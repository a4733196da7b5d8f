use super::*;
use crate::identity::fake::{Fake, Kind, World};

fn names(known: &Known) -> Vec<&'static str> {
    let name = |runtime: &Runtime| match runtime {
        Runtime::Containerd(_) => "containerd",
        Runtime::Cri(_) => "cri",
    };
    known.runtimes.iter().map(name).collect()
}

#[tokio::test]
async fn runtimes_are_told_apart_by_asking() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let _containerd = Fake::start(&at("a"), Kind::Containerd);
    let _crio = Fake::start(&at("b"), Kind::Crio(World::default()));
    let _neither = Fake::start(&at("c"), Kind::Neither);
    std::fs::write(at("file"), "").unwrap();
    assert!(matches!(ask(&at("a")).await, Ok(Answered::Containerd(_))));
    let Ok(Answered::Cri(crio)) = ask(&at("b")).await else { panic!("not CRI") };
    assert_eq!(crio.version.runtime_name, "cri-o");
    assert!(matches!(ask(&at("c")).await, Err(NoRuntime::Neither)));
    assert!(matches!(ask(&at("file")).await, Err(NoRuntime::Connect(_))));

    let sockets = ["none", "b", "c", "a", "file"].map(at).to_vec();
    let known = Arc::new(Sockets::new(sockets)).settled().await;
    assert_eq!(names(&known), ["cri", "containerd"], "in the order given");
    assert!(!known.away);
}

#[tokio::test]
async fn two_paths_to_one_socket_are_one_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let _crio = Fake::start(&at("run"), Kind::Crio(World::default()));
    std::os::unix::fs::symlink(at("run"), at("link")).unwrap();
    let sockets = Arc::new(Sockets::new(vec![at("run"), at("link")]));
    assert_eq!(names(&sockets.settled().await), ["cri"]);
    assert_eq!(names(&sockets.settled().await), ["cri"]);
}

/// A node's runtime is restarted, then replaced by another one behind the same path.
#[tokio::test]
async fn a_socket_is_asked_again_after_it_was_away() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("s");
    let sockets = Arc::new(Sockets::new(vec![at.clone()]));
    assert!(names(&sockets.settled().await).is_empty());

    let crio = Fake::start(&at, Kind::Crio(World::default()));
    let known = sockets.settled().await;
    assert_eq!((names(&known), known.away), (vec!["cri"], false));
    let Runtime::Cri(lookup) = &known.runtimes[0] else { panic!("not CRI") };
    assert_eq!(lookup.running().await, Some(Vec::new()));

    drop(crio);
    assert_eq!(lookup.running().await, None);
    let known = sockets.settled().await;
    assert_eq!((names(&known), known.away), (vec![], true), "what runs is unknown");

    let _containerd = Fake::start(&at, Kind::Containerd);
    let known = sockets.settled().await;
    assert_eq!((names(&known), known.away), (vec!["containerd"], false));
}

/// A call of the old interface finds the new runtime behind a connection that mended itself.
#[tokio::test]
async fn a_runtime_that_was_exchanged_unseen_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("s");
    let sockets = Arc::new(Sockets::new(vec![at.clone()]));
    let containerd = Fake::start(&at, Kind::Containerd);
    let known = sockets.settled().await;
    let Runtime::Containerd(lookup) = &known.runtimes[0] else { panic!("not containerd") };
    drop(containerd);
    let _crio = Fake::start(&at, Kind::Crio(World::default()));
    assert_eq!(lookup.running().await, None);
    assert_eq!(names(&sockets.settled().await), ["cri"]);
}

#[test]
fn who_reads_images_learns_what_is_behind() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let world =
        World { images: vec![crate::identity::cri::Image::default(); 3], ..World::default() };
    let _containerd = Fake::start(&at("a"), Kind::Containerd);
    let _crio = Fake::start(&at("b"), Kind::Crio(world));
    assert_eq!(behind(&at("a")).unwrap(), Behind::Containerd);
    let runtime = "cri-o 1.34.0".to_owned();
    assert_eq!(behind(&at("b")).unwrap(), Behind::Cri { runtime, images: 3 });
    assert!(matches!(behind(&at("none")), Err(NoRuntime::Connect(_))));
}
