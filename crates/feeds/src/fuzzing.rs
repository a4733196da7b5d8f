//! One door to the parsers that have no fuzz target of their own.
use crate::alpine_secdb::{Place, fixes};
use crate::report::FileReport;
use crate::{debian_tracker, endoflife, epss, nvd, photon, ubuntu};
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;

/// Reads arbitrary bytes by the parser that the first byte names, `0` and up: tracker, secdb, photon, nvd, epss, vex,
/// endoflife. Looks for panics, hangs and records that are neither kept nor dropped.
pub fn parse_json_for_fuzzing(bytes: &[u8]) -> Vec<Advisory> {
    let Some((which, text)) = bytes.split_first() else { return Vec::new() };
    let (mut report, mut advisories) = (FileReport::default(), Vec::new());
    let plain = String::from_utf8_lossy(text);
    let read = match which.wrapping_sub(b'0') % 7 {
        0 => debian_tracker::records(text, &mut report, &mut advisories),
        1 => {
            let place = Place { ecosystem: Ecosystem::Alpine, release: Some("edge"), path: "p" };
            fixes(text, &place, &mut report, &mut advisories)
        }
        2 => photon::parse(text, "5.0", &mut report, &mut advisories),
        3 => nvd::parse(&plain, &mut nvd::Known::default(), &mut report),
        4 => {
            let mut scores = epss::Scores::default();
            let read = epss::parse(&plain, &mut scores);
            report = scores.report;
            read
        }
        5 => {
            advisories = ubuntu::of_vex(text);
            Ok(())
        }
        _ => {
            let mut known = endoflife::Known::default();
            let read = endoflife::parse(&plain, &mut known);
            report = known.report;
            read
        }
    };
    if read.is_ok() {
        let dropped: u64 = report.drops.values().sum();
        assert_eq!(report.records, report.kept + dropped, "every record counts");
    }
    advisories
}
