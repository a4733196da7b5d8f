//! `--max-index-age DURATION`.
use std::str::FromStr;
use std::time::Duration;

/// Seconds of each unit.
const UNITS: [(char, u64); 4] = [('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];

/// A whole number of minutes, hours, days or weeks: `90m`, `36h`, `7d`, `2w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age(pub(super) Duration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unit = UNITS.iter().find(|(unit, _)| text.ends_with(*unit));
        let seconds = unit.and_then(|(unit, seconds)| {
            let number: u64 = text.strip_suffix(*unit)?.parse().ok()?;
            number.checked_mul(*seconds)
        });
        let seconds = seconds.ok_or("expected a number with m, h, d or w after it, such as 7d")?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

#[test]
fn ages_have_units() {
    for (text, seconds) in [
        ("90m", Some(5_400)),
        ("36h", Some(129_600)),
        ("7d", Some(604_800)),
        ("2w", Some(1_209_600)),
        ("7", None),
        ("d", None),
        ("-1d", None),
        ("7 days", None),
        ("99999999999999999999d", None),
        ("9999999999999999999w", None),
    ] {
        assert_eq!(text.parse().ok(), seconds.map(|own| Age(Duration::from_secs(own))), "{text}");
    }
}
