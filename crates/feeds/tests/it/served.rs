//! Updates from a server on the loopback address.
use crate::damaged::{archive, record};
use seawall_feeds::{BuildReport, Roots, UpdateError, open, select, update};
use seawall_model::package::Ecosystem;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[derive(Clone)]
pub(crate) enum Answer {
    Body(Vec<u8>),
    /// Ends after so many bytes, and goes on from there where a range is asked for.
    Cut(Vec<u8>, usize),
    /// Announces more bytes than it sends.
    Short(Vec<u8>),
    Status(u16),
}

#[derive(Default)]
pub(crate) struct Served {
    pub(crate) files: BTreeMap<String, Answer>,
    /// Path and status of each request.
    pub(crate) log: Vec<(String, u16)>,
}

/// A server whose answers the test changes. It ends with the test's runtime.
pub(crate) async fn serve() -> (String, Arc<Mutex<Served>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = Arc::new(Mutex::new(Served::default()));
    let state = Arc::clone(&served);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut buffer = [0; 1024];
                match stream.read(&mut buffer).await.unwrap() {
                    0 => break,
                    read => head.extend(&buffer[..read]),
                }
            }
            let response = answer(&String::from_utf8(head).unwrap(), &mut state.lock().unwrap());
            stream.write_all(&response).await.unwrap();
        }
    });
    (format!("http://{address}/"), served)
}

fn answer(head: &str, served: &mut Served) -> Vec<u8> {
    let path = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    let asked =
        head.lines().find_map(|line| line.strip_prefix("if-none-match: ")).map(str::to_owned);
    let range = head.lines().find_map(|line| line.strip_prefix("range: bytes="));
    let from = range.and_then(|range| range.trim_end_matches('-').parse::<usize>().ok());
    let mut more = String::new();
    let (status, body, missing) = match served.files.get(&path) {
        Some(Answer::Cut(whole, at)) => {
            let from = from.unwrap_or_default();
            let end = whole.len().min(from + at);
            let status = if from > 0 { 206 } else { 200 };
            more = format!("etag: {}\r\naccept-ranges: bytes\r\n", etag(whole));
            if from > 0 {
                let size = whole.len();
                more.push_str(&format!("content-range: bytes {from}-{}/{size}\r\n", size - 1));
            }
            (status, whole[from..end].to_vec(), whole.len() - end)
        }
        None => (404, Vec::new(), 0),
        Some(Answer::Status(status)) => (*status, Vec::new(), 0),
        Some(Answer::Short(body)) => (200, body.clone(), 9),
        Some(Answer::Body(body)) if asked == Some(etag(body)) => (304, Vec::new(), 0),
        Some(Answer::Body(body)) => (200, body.clone(), 0),
    };
    served.log.push((path, status));
    if more.is_empty() {
        more = format!("etag: {}\r\n", etag(&body));
    }
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\n{more}content-length: {}\r\n\r\n",
        body.len() + missing
    );
    [head.into_bytes(), body].concat()
}

fn etag(body: &[u8]) -> String {
    let sum: u64 = body.iter().fold(7, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
    format!("\"{sum:x}\"")
}

pub(crate) async fn run(root: &str, out: &Path) -> BuildReport {
    update(&Roots::below(root).unwrap(), &select::<&str>(&[]).unwrap(), out, false).await.unwrap()
}

#[tokio::test]
async fn updates_ask_conditionally_and_survive_failures() {
    let (root, served) = serve().await;
    let out = TempDir::new().unwrap();
    let zip = |id: &str| archive(&[record(id, "PyPI", "demo", "2.0")]);
    let put = |path: &str, answer| served.lock().unwrap().files.insert(path.to_owned(), answer);
    let log = || std::mem::take(&mut served.lock().unwrap().log);
    let pypi = "osv/PyPI/all.zip";
    let go = archive(&[record("GO-1", "Go", "demo", "2.0.0")]);
    put(pypi, Answer::Body(zip("PYSEC-1")));
    put("osv/Go/all.zip", Answer::Body(go));

    let report = run(&root, out.path()).await;
    assert!(!report.failed(), "{:?}", report.problems);
    let absent =
        report.problems.iter().filter(|problem| problem.code == "feed-file-absent").count();
    let all: usize = seawall_feeds::ALL.iter().map(|feed| feed.files.len()).sum();
    assert_eq!(absent, all - 2, "what is not served is a note");
    let digest = open(out.path()).unwrap().digest();
    assert_eq!(log().iter().filter(|(_, status)| *status == 200).count(), 2);

    let report = run(&root, out.path()).await;
    assert!(!report.failed(), "{:?}", report.problems);
    assert_eq!(open(out.path()).unwrap().digest(), digest);
    assert_eq!(
        log().iter().filter(|(_, status)| *status == 304).count(),
        2,
        "nothing is downloaded again"
    );

    for broken in [Answer::Status(500), Answer::Short(zip("PYSEC-2"))] {
        put(pypi, broken);
        let report = run(&root, out.path()).await;
        assert!(report.failed());
        assert!(report.problems.iter().any(|problem| problem.code == "download-failed"));
        assert_eq!(open(out.path()).unwrap().digest(), digest, "the last download stays in use");
    }

    put(pypi, Answer::Body(b"not a zip".to_vec()));
    log();
    for _ in 0..2 {
        let report = run(&root, out.path()).await;
        assert!(report.failed());
        assert!(report.problems.iter().any(|problem| problem.code == "feed-refused"));
        assert_eq!(open(out.path()).unwrap().digest(), digest, "the old segment stays");
        assert!(log().contains(&(pypi.to_owned(), 200)), "a refused file is asked for anew");
    }

    put(pypi, Answer::Body(zip("PYSEC-3")));
    let report = run(&root, out.path()).await;
    assert!(!report.failed(), "{:?}", report.problems);
    assert_ne!(open(out.path()).unwrap().digest(), digest);
    assert!(open(out.path()).unwrap().segment(Ecosystem::PyPI, None).is_some());
}

#[tokio::test]
async fn what_could_not_be_had_was_still_asked_for() {
    let (root, served) = serve().await;
    let out = TempDir::new().unwrap();
    let go = archive(&[record("GO-1", "Go", "demo", "2.0.0")]);
    served.lock().unwrap().files.insert("osv/Go/all.zip".to_owned(), Answer::Body(go));
    served.lock().unwrap().files.insert("osv/PyPI/all.zip".to_owned(), Answer::Status(503));
    assert!(run(&root, out.path()).await.failed());
    let index = open(out.path()).unwrap();
    assert!(index.asked(Ecosystem::PyPI), "its absence is a gap");
    assert!(index.asked(Ecosystem::Debian), "a file that should be there and is not");
}

#[tokio::test]
async fn offline_opens_no_socket() {
    let (root, served) = serve().await;
    let out = TempDir::new().unwrap();
    let feeds = select::<&str>(&[]).unwrap();
    let refused = update(&Roots::below(&root).unwrap(), &feeds, out.path(), true).await;
    assert!(matches!(refused, Err(UpdateError::Offline { feed: "osv", .. })));
    assert!(served.lock().unwrap().log.is_empty());
    let feed = out.path().join("root/osv/PyPI");
    std::fs::create_dir_all(&feed).unwrap();
    std::fs::write(feed.join("all.zip"), archive(&[record("PYSEC-1", "PyPI", "demo", "2.0")]))
        .unwrap();
    let root = format!("file://{}", out.path().join("root").display());
    let report = update(&Roots::below(&root).unwrap(), &feeds, &out.path().join("index"), true)
        .await
        .unwrap();
    assert!(!report.failed(), "a directory needs no socket: {:?}", report.problems);
}

#[test]
fn a_build_reads_directories_alone() {
    let out = TempDir::new().unwrap();
    let built = seawall_feeds::build(&Roots::defaults(), &select::<&str>(&[]).unwrap(), out.path());
    assert!(matches!(built, Err(seawall_feeds::BuildError::Remote { feed: "osv", .. })));
}

#[tokio::test]
async fn a_server_without_any_advisories_left_nothing_asked_for() {
    let (root, served) = serve().await;
    let out = TempDir::new().unwrap();
    let kev = r#"{"vulnerabilities":[{"cveID":"CVE-2024-0001","dateAdded":"2024-01-02"}]}"#;
    let path = "cisa-kev/known_exploited_vulnerabilities.json".to_owned();
    served.lock().unwrap().files.insert(path, Answer::Body(kev.into()));
    let report = run(&root, out.path()).await;
    assert!(!report.failed(), "{:?}", report.problems);
    let index = open(out.path()).unwrap();
    let osv = seawall_feeds::ALL.iter().find(|feed| feed.key == "osv").unwrap();
    let named = |file: &str| Ecosystem::of_osv_name(file.split('/').next().unwrap());
    assert!(osv.files.iter().filter_map(|file| named(file)).all(|own| index.asked(own)));
}

#[tokio::test]
async fn a_refused_download_replaced_the_last_good_one() {
    let (root, served) = serve().await;
    let out = TempDir::new().unwrap();
    let zip = |id: &str| archive(&[record(id, "PyPI", "demo", "2.0")]);
    let pypi = "osv/PyPI/all.zip";
    let put = |answer| served.lock().unwrap().files.insert(pypi.to_owned(), answer);
    let file = out.path().join("downloads").join(pypi);
    let files = || {
        let files = std::fs::read_dir(file.parent().unwrap()).unwrap();
        let mut names: Vec<_> =
            files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let settled = ["all.validators.json", "all.zip"];

    put(Answer::Body(b"not a zip".to_vec()));
    assert!(run(&root, out.path()).await.failed());
    assert_eq!(files(), Vec::<String>::new(), "a refused file is of no use");

    put(Answer::Body(zip("PYSEC-1")));
    assert!(!run(&root, out.path()).await.failed());
    let digest = open(out.path()).unwrap().digest();
    assert_eq!(files(), settled);

    put(Answer::Body(b"not a zip".to_vec()));
    assert!(run(&root, out.path()).await.failed());
    assert_eq!(
        (std::fs::read(&file).unwrap(), files()),
        (zip("PYSEC-1"), settled.map(String::from).to_vec())
    );

    put(Answer::Status(500));
    let report = run(&root, out.path()).await;
    let help = |report: &BuildReport, code: &str| {
        let problem = report
            .problems
            .iter()
            .find(|problem| problem.code == code && problem.message.contains("PyPI"));
        problem.unwrap().help.clone().unwrap()
    };
    assert!(help(&report, "download-failed").starts_with("the last download stays in use"));
    assert!(!report.problems.iter().any(|problem| problem.code == "feed-refused"));
    assert_eq!(open(out.path()).unwrap().digest(), digest);

    put(Answer::Body(zip("PYSEC-2")));
    assert!(!run(&root, out.path()).await.failed());
    assert_eq!(
        (std::fs::read(&file).unwrap(), files()),
        (zip("PYSEC-2"), settled.map(String::from).to_vec())
    );

    let fresh = TempDir::new().unwrap();
    put(Answer::Status(500));
    let report = run(&root, fresh.path()).await;
    assert_eq!(help(&report, "download-failed"), "try again, or name a mirror");
}
