//! Images from a registry that behaves well, and from ones that do not.
use super::server::{Answer, Asked, Server};
use super::*;
use crate::digest;
use crate::image::{self, Image};
use crate::layer::{LayerEnd, read_layer};
use crate::reference::Reference;
use crate::visit::{Entry, Meters, Visitor, Want};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// No variables of this machine, and waits that no test feels.
pub(super) fn options() -> Options {
    let pace = Pace {
        tries: 3,
        wait: Duration::from_millis(1),
        patience: Duration::from_secs(5),
        connect: Duration::from_secs(5),
        silence: Duration::from_secs(5),
    };
    Options { environment: Environment::of([]), pace, ..Options::default() }
}

pub(super) fn name(server: &Server, rest: &str) -> Name {
    format!("{}/{rest}", server.host()).parse().unwrap()
}

/// One image: documents and blobs by path below `/v2/ns/app/`.
fn image() -> BTreeMap<String, Vec<u8>> {
    let tar = vec![0; 1024];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&tar).unwrap();
    let layer = gzip.finish().unwrap();
    let config = json!({
        "os": "linux", "architecture": "arm64",
        "rootfs": {"type": "layers", "diff_ids": [digest::of(&tar)]},
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "config": {"digest": digest::of(&config), "size": config.len()},
        "layers": [{"digest": digest::of(&layer), "size": layer.len()}],
    });
    let manifest = manifest.to_string().into_bytes();
    let entry = |digest: &str, size: usize, arch: &str| json!({"digest": digest, "size": size, "platform": {"os": "linux", "architecture": arch}});
    let other = digest::of(b"other");
    let index = json!({
        "schemaVersion": 2,
        "manifests": [entry(&other, 5, "amd64"), entry(&digest::of(&manifest), manifest.len(), "arm64")],
    });
    let index = index.to_string().into_bytes();
    BTreeMap::from([
        ("manifests/1".to_owned(), index.clone()),
        (format!("manifests/{}", digest::of(&index)), index),
        (format!("manifests/{}", digest::of(&manifest)), manifest),
        (format!("blobs/{}", digest::of(&config)), config),
        (format!("blobs/{}", digest::of(&layer)), layer),
    ])
}

fn serve(files: &BTreeMap<String, Vec<u8>>, asked: &Asked) -> Answer {
    let path = asked.target.strip_prefix("/v2/ns/app/").unwrap_or_default();
    match files.get(path) {
        Some(body) => Answer::ok(body.clone()),
        None => {
            let error = json!({"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"});
            Answer::json(json!({"errors": [error]})).with_status(404)
        }
    }
}

fn open(name: &Name, registry: &Options) -> Result<Image, crate::OpenError> {
    let platform = Some("linux/arm64".parse().unwrap());
    let options =
        image::Options { platform, registry: registry.clone(), ..image::Options::default() };
    image::open(&Reference::Registry { name: name.clone() }, &options)
}

struct Nothing;

impl Visitor for Nothing {
    fn want(&mut self, _: &Entry) -> Want {
        Want::Skip
    }
    fn head(&mut self, _: &Entry, _: &[u8]) -> Want {
        Want::Skip
    }
    fn whole(&mut self, _: &Entry, _: &[u8]) {}
    fn refused(&mut self, _: &Entry, _: seawall_model::Problem) {}
}

fn layer(image: &Image) -> LayerEnd {
    read_layer(image, 0, &mut Nothing, &Meters::default()).0
}

/// The error of opening.
#[track_caller]
fn refused(name: &Name, options: &Options, kind: ErrorKind, said: &str) {
    match open(name, options) {
        Err(crate::OpenError::Registry(error)) => {
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.to_string().contains(said), "no {said:?} in {error}");
        }
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("it was opened"),
    }
}

fn client(options: &Options) -> Arc<Registry> {
    Arc::new(Registry::new(options).unwrap())
}

#[test]
fn an_image_of_several_platforms() {
    let files = image();
    let index = digest::of(&files["manifests/1"]);
    let server = Server::start(move |asked| serve(&files, asked));
    let image = open(&name(&server, "ns/app:1"), &options()).unwrap();
    assert_eq!(image.image.name, format!("{}/ns/app:1", server.host()));
    assert_eq!(image.image.index_digest.as_deref(), Some(index.as_str()));
    assert_eq!(layer(&image), LayerEnd::Verified);
    assert!(server.asked("/v2/ns/app/manifests/1")[0].header("accept").contains("list.v2+json"));
    let by_digest = open(&name(&server, &format!("ns/app@{index}")), &options()).unwrap();
    assert_eq!(by_digest.image.digest, image.image.digest);
    let missing = name(&server, "ns/app:2");
    refused(&missing, &options(), ErrorKind::NotFound, "404 Not Found: MANIFEST_UNKNOWN: manifest");
}

#[test]
fn wrong_documents() {
    #[track_caller]
    fn check(change: impl Fn(&mut BTreeMap<String, Vec<u8>>), tag: &str, said: &str) {
        let mut files = image();
        change(&mut files);
        let server = Server::start(move |asked| serve(&files, asked));
        let error = open(&name(&server, tag), &options()).err().unwrap();
        let mut told = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            told.push_str(&source.to_string());
        }
        assert!(told.contains(said), "no {said:?} in {told}");
    }
    let first = r#"{"schemaVersion":1,"fsLayers":[]}"#;
    check(
        |files| drop(files.insert("manifests/1".into(), first.into())),
        "ns/app:1",
        "schema version 1",
    );
    let wanted = digest::of(b"wanted");
    let path = format!("manifests/{wanted}");
    check(
        |files| drop(files.insert(path.clone(), b"{}".into())),
        &format!("ns/app@{wanted}"),
        "it has digest",
    );
    let altered = |files: &mut BTreeMap<String, Vec<u8>>| {
        files.iter_mut().filter(|(path, _)| path.starts_with("blobs")).for_each(|(_, body)| {
            body[0] ^= 1;
        });
    };
    check(altered, "ns/app:1", "has digest");
    let long = vec![b' '; 9 * 1024 * 1024];
    check(
        |files| drop(files.insert("manifests/1".into(), long.clone())),
        "ns/app:1",
        "over the limit",
    );
    check(|files| files.retain(|path, _| path == "manifests/1"), "ns/app:1", "is missing");
}

#[test]
fn layers_are_judged() {
    #[track_caller]
    fn check(change: impl Fn(&mut Vec<u8>), expected: &str) {
        let mut files = image();
        // The layer is the one blob that is no JSON.
        let layer_body = files.values_mut().find(|body| body[0] == 0x1f).unwrap();
        change(layer_body);
        let server = Server::start(move |asked| serve(&files, asked));
        let image = open(&name(&server, "ns/app:1"), &options()).unwrap();
        let told = format!("{:?}", layer(&image));
        assert!(told.contains(expected), "no {expected:?} in {told}");
    }
    check(|_| {}, "Verified");
    check(|body| *body.last_mut().unwrap() ^= 1, "digest-mismatch");
    check(|body| body.extend([0; 100_000]), "longer than");
    check(|body| body.truncate(5), "layer-cut-short");
}

#[test]
fn cut_connections_go_on() {
    /// Cuts each answer after 300 bytes.
    #[track_caller]
    fn check(ranges: bool, content: usize, expected: Result<(), &str>) {
        let body: Vec<u8> = (0..content).map(|at| at as u8).collect();
        let wanted = digest::of(&body);
        let path = format!("/v2/ns/app/blobs/{wanted}");
        let server = Server::start(move |asked| {
            let range = asked.header("range").strip_prefix("bytes=");
            let from = range.and_then(|range| range.strip_suffix('-')?.parse().ok()).unwrap_or(0);
            if from == 0 || !ranges {
                return Answer::ok(body.clone()).cut(300 + from);
            }
            let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
            Answer::ok(&body[from..]).cut(300).with_status(206).header("content-range", range)
        });
        let read = client(&options()).blob(&name(&server, "ns/app"), &wanted);
        match (read, expected) {
            (Ok(read), Ok(())) => assert_eq!(read.len(), content),
            (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{error}"),
            (read, _) => panic!("{read:?}"),
        }
        assert!(!server.asked(&path).is_empty());
    }
    check(true, 1000, Ok(()));
    check(true, 299, Ok(()));
    // Without ranges the same bytes come again; 300 of them never get further.
    check(false, 250, Ok(()));
    check(true, 300 * 60, Err("was cut 51 times"));
}

#[test]
fn a_server_without_ranges_sends_again_what_is_there() {
    let body: Vec<u8> = (0..1000_usize).map(|at| at as u8).collect();
    let (wanted, count) = (digest::of(&body), AtomicUsize::new(0));
    let server = Server::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::ok(body.clone()).cut(300),
        1 => Answer::ok(body.clone()).cut(100),
        _ => Answer::ok(body.clone()),
    });
    let read = client(&options()).blob(&name(&server, "ns/app"), &wanted);
    assert_eq!(read.unwrap().len(), 1000);
    let stuck = Server::start(|_| Answer::ok(vec![7; 1000]).cut(10));
    let error = client(&options()).blob(&name(&stuck, "ns/app"), &digest::of(b"")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    let other = Server::start(|asked| match asked.header("range") {
        "" => Answer::ok(vec![7; 1000]).cut(10),
        _ => Answer::ok(vec![7; 1000]).with_status(206).header("content-range", "bytes 0-999/1000"),
    });
    let error = client(&options()).blob(&name(&other, "ns/app"), &digest::of(b"")).unwrap_err();
    assert!(error.reason.contains("another range"), "{error}");
}

#[test]
fn redirects_go_without_authorization() {
    let files = Arc::new(image());
    let own = files.clone();
    let storage = Server::start(move |asked| {
        let path = asked.target.trim_start_matches('/').replace("?sign=secret", "");
        own.get(&path).map_or(Answer::status(404), |body| Answer::ok(body.clone()))
    });
    let to = storage.url();
    let server = Server::start(move |asked| {
        if asked.header("authorization").is_empty() {
            return Answer::status(401).header("www-authenticate", "Basic realm=\"r\"");
        }
        match asked.target.strip_prefix("/v2/ns/app/blobs/") {
            Some(digest) => {
                Answer::status(307).header("location", format!("{to}/blobs/{digest}?sign=secret"))
            }
            None => serve(&files, asked),
        }
    });
    let credential = Credential::Basic { user: "ann".into(), password: "hunter2".into() };
    let credentials = BTreeMap::from([(server.host(), credential)]);
    let image = open(&name(&server, "ns/app:1"), &Options { credentials, ..options() }).unwrap();
    assert_eq!(layer(&image), LayerEnd::Verified);
    let asked = storage.asked("/");
    assert!(
        !asked.is_empty() && asked.iter().all(|asked| asked.header("authorization").is_empty())
    );
    assert_eq!(server.asked("/v2/ns/app/manifests/1").len(), 2, "the header is kept");
}

#[test]
fn redirects_that_are_not_followed() {
    #[track_caller]
    fn check(to: &'static str, said: &str) {
        let server = Server::start(move |_| Answer::status(307).header("location", to));
        refused(&name(&server, "ns/app:1"), &options(), ErrorKind::Invalid, said);
    }
    check("http://storage.example/x", "plain http at storage.example");
    check("file:///etc/passwd", "`file` address");
    check("/v2/ns/app/manifests/1", "redirects over 5 times");
}

#[test]
fn limits_and_broken_servers() {
    #[track_caller]
    fn check(
        answer: fn(usize) -> Option<Answer>,
        expected: Option<(ErrorKind, &str)>,
        times: usize,
    ) {
        let (files, count) = (image(), AtomicUsize::new(0));
        let server = Server::start(move |asked| {
            let turn = count.fetch_add(1, Ordering::Relaxed);
            answer(turn).unwrap_or_else(|| serve(&files, asked))
        });
        let image = name(&server, "ns/app:1");
        match expected {
            Some((kind, said)) => refused(&image, &options(), kind, said),
            None => drop(open(&image, &options()).unwrap()),
        }
        assert_eq!(server.asked("/v2/ns/app/manifests/1").len(), times);
    }
    check(|turn| (turn < 2).then(|| Answer::status(429).header("retry-after", "0")), None, 3);
    check(|turn| (turn < 2).then(|| Answer::status(503)), None, 3);
    check(
        |_| Some(Answer::status(429).header("retry-after", "0")),
        Some((ErrorKind::RateLimited, "(3 tries)")),
        3,
    );
    check(
        |_| Some(Answer::status(429).header("retry-after", "3600")),
        Some((ErrorKind::RateLimited, "asks to wait 3600 s")),
        1,
    );
    check(|_| Some(Answer::status(500)), Some((ErrorKind::Unreachable, "500 Internal")), 3);
    check(|_| Some(Answer::status(400)), Some((ErrorKind::Invalid, "400 Bad Request")), 1);
    // The manifest breaks off once.
    check(|turn| (turn == 0).then(|| Answer::ok(vec![b' '; 100]).cut(50)), None, 2);
}

#[test]
fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap();
    drop(listener);
    let name: Name = format!("{host}/ns/app:1").parse().unwrap();
    refused(&name, &options(), ErrorKind::Unreachable, "check the host's name");
}

#[test]
fn certificates() {
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let pem = key.cert.pem();
    let secret = rustls_pki_types::PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], secret.into())
        .unwrap();
    let files = image();
    let server = Server::with_tls(Some(Arc::new(config)), move |asked| serve(&files, asked));
    let image = name(&server, "ns/app:1");
    refused(&image, &options(), ErrorKind::Unreachable, "its certificate is not trusted");
    let trusting = Options { ca: Some(pem), ..options() };
    open(&image, &trusting).unwrap();
    let insecure = Options { insecure: vec![server.host()], ..options() };
    open(&image, &insecure).unwrap();
    let other = Options { insecure: vec!["other.example".into()], ..options() };
    refused(&image, &other, ErrorKind::Unreachable, "its certificate is not trusted");
    let broken = Options { ca: Some("no".into()), ..options() };
    refused(&image, &broken, ErrorKind::Invalid, "the CA given");
}

#[test]
fn mirrors_go_first() {
    let files = Arc::new(image());
    let mirrored = files.clone();
    let empty = Server::start(|_| Answer::status(404));
    let broken = Server::start(|_| Answer::status(500));
    let full = Server::start(move |asked| {
        let target = asked.target.replace("/v2/hub/", "/v2/");
        serve(&mirrored, &Asked { target, ..asked.clone() })
    });
    let server = Server::start(move |asked| serve(&files, asked));
    let with = |mirrors: &[String]| Options {
        mirrors: BTreeMap::from([(server.host(), mirrors.to_vec())]),
        ..options()
    };
    let image = name(&server, "ns/app:1");
    let opened = open(&image, &with(&[broken.url(), empty.url(), format!("{}/hub", full.url())]));
    assert_eq!(layer(&opened.unwrap()), LayerEnd::Verified);
    assert!(server.asked("/").is_empty(), "the mirror has all of it");
    assert_eq!(broken.asked("/").len(), 3, "it is passed over after that");
    let opened = open(&image, &with(&[empty.url()])).unwrap();
    assert_eq!(layer(&opened), LayerEnd::Verified);
    let missing = name(&server, "ns/app:2");
    let said = format!("manifest unknown; mirror {}: 500", broken.host());
    refused(&missing, &with(&[broken.url()]), ErrorKind::NotFound, &said);
}

#[test]
fn listings() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/v2/ns/app/tags/list?n=1000" => {
            Answer::json(json!({"name": "ns/app", "tags": ["1", "2"]}))
                .header("link", r#"</v2/ns/app/tags/list?n=1000&last=2>; rel="next""#)
        }
        "/v2/ns/app/tags/list?n=1000&last=2" => Answer::json(json!({"tags": ["3"]})),
        "/v2/ns/empty/tags/list?n=1000" => Answer::json(json!({"tags": null})),
        "/v2/_catalog?n=1000" => Answer::json(json!({"repositories": ["ns/app"]})),
        "/v2/ns/away/tags/list?n=1000" => Answer::json(json!({"tags": []}))
            .header("link", r#"<http://127.0.0.1:1/x>; rel="next""#),
        "/v2/" => Answer::json(json!({})),
        _ if asked.target.starts_with("/v2/ns/endless/") => Answer::json(json!({"tags": ["x"]}))
            .header("link", r#"</v2/ns/endless/tags/list>; rel="next""#),
        _ => Answer::status(404),
    });
    let registry = client(&options());
    let tags = |rest: &str| registry.tags(&name(&server, rest));
    assert_eq!(tags("ns/app").unwrap().names, ["1", "2", "3"]);
    assert_eq!(tags("ns/empty").unwrap(), Listing::default());
    assert_eq!(registry.repositories(&server.host()).unwrap().names, ["ns/app"]);
    assert_eq!(tags("ns/none").unwrap_err().kind, ErrorKind::NotFound);
    assert!(tags("ns/away").unwrap_err().reason.contains("another host"));
    let endless = tags("ns/endless").unwrap();
    assert_eq!((endless.names.len(), endless.truncated), (1000, true));
    registry.check(&server.host()).unwrap();
}

#[test]
fn referrers() {
    let subject = digest::of(b"subject");
    let (vex, signature) = ("application/vnd.openvex", "application/vnd.signature");
    let index = json!({"schemaVersion": 2, "manifests": [
        {"digest": digest::of(b"a"), "size": 1, "artifactType": vex},
        {"digest": digest::of(b"b"), "size": 2, "artifactType": signature},
    ]});
    let tag = subject.replace(':', "-");
    let server = Server::start(move |asked| {
        if asked.target.starts_with("/v2/ns/new/referrers/sha256:") {
            return Answer::json(index.clone());
        }
        match asked.target == format!("/v2/ns/old/manifests/{tag}") {
            true => Answer::json(index.clone()),
            false => Answer::status(404),
        }
    });
    let registry = client(&options());
    let found = |rest: &str, kind: Option<&str>| {
        registry.referrers(&name(&server, rest), &subject, kind).unwrap().len()
    };
    assert_eq!(found("ns/new", None), 2);
    assert_eq!(found("ns/new", Some(vex)), 1);
    assert_eq!(found("ns/old", Some(vex)), 1);
    assert_eq!(found("ns/none", None), 0);
    assert!(
        server.asked("/v2/ns/new/")[1].target.ends_with("?artifactType=application%2Fvnd.openvex")
    );
}

#[test]
fn digests_by_name() {
    let files = image();
    let wanted = digest::of(&files["manifests/1"]);
    let told = wanted.clone();
    let server = Server::start(move |asked| match asked.target.contains("/told/") {
        true => Answer::ok("x").header("docker-content-digest", told.clone()),
        false => serve(&files, asked),
    });
    let registry = client(&options());
    assert_eq!(registry.digest(&name(&server, "ns/told:1")).unwrap(), wanted);
    assert_eq!(registry.digest(&name(&server, "ns/app:1")).unwrap(), wanted);
    assert_eq!(server.asked("/v2/ns/told")[0].method, "HEAD");
}
