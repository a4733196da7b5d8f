//! Users' policies: a real API server and our engine on the same documents and requests, word for word.
//!
//! The corpus lies in `e2e/policies`, one file per theme, each in a namespace of its own. Besides, every expression that
//! `crates/cel/tests/functions` knows becomes a policy.
mod corpus;
mod native;
mod ours;

use corpus::{Case, Corpus};
use native::{Answer, Native};
use std::time::{Duration, Instant};

/// The API server takes a second or two to see its own policies.
const SETTLING: Duration = Duration::from_secs(20);

#[test]
fn decisions_are_those_of_the_api_server() {
    let Some(native) = Native::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(judge(&native));
}

async fn judge(native: &Native) {
    let corpus = Corpus::read();
    let mut differences = native.prepare(&corpus).await;
    native.settle().await;
    let cluster = ours::Cluster::of(native, &corpus).await;
    for case in &corpus.cases {
        if let Some(difference) = compare(native, &cluster, case).await {
            differences.push(difference);
        }
    }
    let (cases, documents) = (corpus.cases.len(), corpus.documents.len());
    eprintln!("{cases} requests, {documents} documents, {} differences", differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// Asks both, the API server again while it still settles.
async fn compare(native: &Native, cluster: &ours::Cluster, case: &Case) -> Option<String> {
    let started = Instant::now();
    let ours = cluster.answer(native, case).await;
    loop {
        let theirs = native.answer(case).await;
        if theirs == ours {
            return None;
        }
        if started.elapsed() > SETTLING || native.settled() {
            return Some(difference(case, &theirs, &ours));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn difference(case: &Case, theirs: &Answer, ours: &Answer) -> String {
    format!("{} {}\n  API server: {theirs:?}\n  ours:       {ours:?}", case.operation, case.policy)
}
