//! The lists beside segments with a right digest, opened and asked: predictions, ratings, ends of life.
use super::vuln_segment::seal;
use crate::Target;
use seawall_vuln::endoflife::Life;
use seawall_vuln::epss::Prediction;
use seawall_vuln::nvd::Rated;
use seawall_vuln::segment::{DetailsCache, FeedDate};
use seawall_vuln::{EndOfLife, Epss, Nvd, endoflife, epss, nvd};
use std::collections::BTreeMap;

pub(crate) const TARGET: Target = Target { name: "vuln-parts", run, seeds, rounds: 3_000 };

const FLAW: &str = "CVE-2021-44228";

fn run(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    seal(&mut bytes);
    if let Ok(list) = Epss::open(bytes.clone())
        && let Some(own) = list.of(FLAW)
    {
        assert!((0.0..=1.0).contains(&own.score) && (0.0..=1.0).contains(&own.percentile));
    }
    if let Ok(list) = Nvd::open(bytes.clone()) {
        // Damaged blocks are an error, never a rating of another flaw.
        let _ = list.of(FLAW, &mut DetailsCache::default());
    }
    if let Ok(list) = EndOfLife::open(bytes) {
        list.of("ubuntu", "18.04");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let feed = || FeedDate { key: "feed".into(), newest: Some(5) };
    let score = Prediction { score: 0.97, percentile: 1.0 };
    let vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".to_owned());
    let rated = Rated { vector, title: Some("A flaw.".to_owned()) };
    let life = Life { over: true, ends: Some(1_682_467_200_000) };
    let release = ("ubuntu".to_owned(), "18.04".to_owned());
    let built = [
        epss::build(feed(), &BTreeMap::from([(FLAW.to_owned(), score)])),
        nvd::build(feed(), &BTreeMap::from([(FLAW.to_owned(), rated)])),
        endoflife::build(feed(), &BTreeMap::from([(release, life)])),
    ];
    built.into_iter().map(|part| part.expect("a small list")).collect()
}
