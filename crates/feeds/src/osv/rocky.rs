//! What is particular to Rocky's records; their summaries are as AlmaLinux's. Source: apollo.build.resf.org, the service
//! that writes them.
use super::alma;
use seawall_model::advisory::{Affected, RangeEnd};
use seawall_model::package::Ecosystem;

/// What a source package is built for, as package URLs and rpm write it.
const SOURCE: &str = "src";

pub(super) fn is_of(affected: &[Affected]) -> bool {
    affected.iter().any(|entry| entry.ecosystem == Ecosystem::Rocky)
}

/// Entries name source packages, of which an rpm says the version without an epoch: here it has none either.
pub(super) fn settle(summary: &str, affected: &mut Vec<Affected>) {
    for entry in affected.iter_mut().filter(|entry| entry.ecosystem == Ecosystem::Rocky) {
        entry.only.arches = vec![SOURCE.to_owned()];
        for range in &mut entry.ranges {
            if let RangeEnd::Fixed(fix) = &mut range.end
                && let Some((_, plain)) = fix.split_once(':')
            {
                *fix = plain.to_owned();
            }
        }
    }
    alma::settle(summary, affected);
}

#[test]
fn summaries_name_modules() {
    use crate::records::{affected, below};
    let check = |summary: &str, fix: &str, expected: &str| {
        let mut entries = vec![affected(Ecosystem::Rocky, Some("9"), "ruby", vec![below(fix)])];
        settle(summary, &mut entries);
        let RangeEnd::Fixed(fix) = &entries[0].ranges[0].end else { panic!("no fix") };
        let module = entries[0].only.module.as_deref().unwrap_or("-");
        assert_eq!(format!("{fix} {module} {}", entries[0].undecidable), expected);
    };
    check(
        "Moderate: ruby:3.3 security, bug fix",
        "0:3.3.1-2.module+el9",
        "3.3.1-2.module+el9 ruby:3.3 false",
    );
    check("Moderate: ruby update", "0:3.3.1-2.module+el9", "3.3.1-2.module+el9 * true");
    check("Important: firefox security update", "1:102-2.el9", "102-2.el9 - false");
}
