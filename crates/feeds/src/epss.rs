//! Exploit predictions: one CSV file a day. Source: first.org, "EPSS data and statistics".
use crate::compressed;
use crate::enrichment::List;
use crate::export::{DUPLICATE, MALFORMED};
use crate::feed::{Content, Feed};
use crate::records::{files, is_cve};
use crate::report::FileReport;
use crate::time::day;
use seawall_model::Millis;
use seawall_vuln::epss::{Prediction, build};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "epss",
    title: "Exploit Prediction Scoring System",
    licence: "unknown, not redistributed",
    verified: true,
    default_base: "https://epss.empiricalsecurity.com/",
    files: &["epss_scores-current.csv.gz"],
    listing: None,
    leads: &[],
    content: Content::List { name: "epss", read },
};

/// Bytes, inflated: the scores of 300,000 CVEs have 10 MB.
const LIMIT: u64 = 512 * 1024 * 1024;

/// `None` if the base has no scores. Of several days the last by name counts.
fn read(base: &Path) -> Option<List> {
    let is_scores = |path: &str| {
        path.starts_with("epss_scores-") && (path.ends_with(".csv") || path.ends_with(".csv.gz"))
    };
    let path = files(base, 0, is_scores).ok()?.pop()?;
    let mut scores = Scores::default();
    scores.report.path.clone_from(&path);
    let mut text = String::new();
    let parsed = compressed::open(&base.join(&path), LIMIT)
        .and_then(|mut plain| plain.read_to_string(&mut text))
        .map_err(|error| format!("not readable: {error}"))
        .and_then(|_| parse(&text, &mut scores));
    if let Err(reason) = parsed {
        scores.report.refused = Some(reason);
    }
    let Scores { entries, as_of, report } = scores;
    Some(List::new(FEED.key, vec![report], as_of, entries.len(), |date| build(date, &entries)))
}

#[derive(Default)]
pub(crate) struct Scores {
    pub(crate) entries: BTreeMap<String, Prediction>,
    /// Day that the model ran for, epoch milliseconds.
    pub(crate) as_of: Option<Millis>,
    pub(crate) report: FileReport,
}

/// A comment with the day, a line of column names, then `cve,score,percentile`.
pub(crate) fn parse(text: &str, scores: &mut Scores) -> Result<(), String> {
    let mut lines = text.lines();
    let comment = lines.next().and_then(|line| line.strip_prefix('#')).unwrap_or_default();
    let date = comment.split(',').find_map(|part| part.strip_prefix("score_date:"));
    scores.as_of = date.and_then(|date| day(date.get(..10)?));
    if scores.as_of.is_none() {
        return Err("its first line does not say which day the scores are of".to_owned());
    }
    if lines.next() != Some("cve,epss,percentile") {
        return Err("its columns are not cve,epss,percentile".to_owned());
    }
    for line in lines.filter(|line| !line.is_empty()) {
        scores.report.records += 1;
        match entry(line) {
            None => scores.report.drop(MALFORMED),
            Some((cve, prediction)) => match scores.entries.insert(cve.to_owned(), prediction) {
                None => scores.report.kept += 1,
                Some(_) => scores.report.drop(DUPLICATE),
            },
        }
    }
    scores.report.refuse_if_malformed();
    // The file of one day ends in a line end; one that was cut off does not.
    match text.ends_with('\n') {
        _ if scores.entries.is_empty() => Err("it has no scores".to_owned()),
        false => Err("it ends within a line".to_owned()),
        true => Ok(()),
    }
}

fn entry(line: &str) -> Option<(&str, Prediction)> {
    let mut fields = line.split(',');
    let cve = fields.next().filter(|cve| is_cve(cve))?;
    let mut share = || fields.next()?.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    let prediction = Prediction { score: share()?, percentile: share()? };
    fields.next().is_none().then_some((cve, prediction))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected`: how many are kept, else why the file is refused.
    #[track_caller]
    fn check(text: &str, expected: Result<usize, &str>) {
        let mut scores = Scores::default();
        let parsed = parse(text, &mut scores);
        let refused = parsed.err().or(scores.report.refused.clone());
        let told = refused.map_or(Ok(scores.entries.len()), Err);
        assert_eq!(told.as_ref().map_err(String::as_str), expected.as_ref().map_err(|e| *e));
        let report = scores.report;
        assert_eq!(report.records, report.kept + report.drops.values().sum::<u64>());
    }

    #[test]
    fn scores_are_whole_or_refused() {
        let head = "#model_version:v1,score_date:2025-02-20T00:00:00+0000\ncve,epss,percentile\n";
        check(&format!("{head}CVE-2024-0001,0.5,0.9\n"), Ok(1));
        check(&format!("{head}CVE-2024-0001,0.5,0.9\nCVE-2024-0001,0.5,0.9\n"), Ok(1));
        check(&format!("{head}CVE-2024-0001,0.5,0."), Err("it ends within a line"));
        check(head, Err("it has no scores"));
        check("", Err("its first line does not say which day the scores are of"));
        check("<html>", Err("its first line does not say which day the scores are of"));
        check(&format!("{head}CVE-2024-0001,1.5,0.9\n"), Err("it has no scores"));
        let two = format!("{head}CVE-2024-0001,0.5,0.9\nCVE-2024-0002,x,0.9\n");
        check(&two, Err("1 of its 2 records are malformed"));
    }
}
