//! Every class under which a real record is dropped is explained to people.
use crate::folders::{SAMPLES, counted};
use seawall_feeds::{BuildReport, Roots, build, select};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

const FEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/feeds");
const EXPLAINED: &str = include_str!("../../../../docs/feeds.md");

/// Classes of a report, without the name that some end in.
fn classes(report: &BuildReport) -> BTreeMap<String, u64> {
    let mut classes = BTreeMap::new();
    for feed in &report.feeds {
        for (class, count) in feed.drops.iter().chain(&feed.part_drops) {
            let class = class.split(':').next().unwrap_or(class);
            *classes.entry(class.to_owned()).or_default() += count;
        }
    }
    classes
}

#[test]
fn every_class_of_real_records_is_explained() {
    for root in [FEEDS, SAMPLES] {
        if !Path::new(root).is_dir() {
            println!("skipped: no real records at {root}");
            continue;
        }
        let out = TempDir::new().unwrap();
        let feeds = select::<&str>(&[]).unwrap();
        let report = build(&Roots::below(root).unwrap(), &feeds, out.path()).unwrap();
        counted(&report).iter().for_each(|line| println!("{line}"));
        for (class, count) in classes(&report) {
            assert!(EXPLAINED.contains(&format!("`{class}")), "{class} {count} in {root}");
        }
    }
}
