//! Absolute and relative times of filters, without a calendar library: the proleptic Gregorian calendar in UTC.
use seawall_model::Millis;
use std::ops::Range;

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// `2026-01-31`, `2026-01-31T08:00`, `2026-01-31T08:00:30`, a closing `Z` allowed: the day, minute or second it names
/// as `[from, to)`. `None` when it is no such date.
pub(super) fn absolute(text: &str) -> Option<Range<Millis>> {
    let text = text.strip_suffix('Z').filter(|text| text.contains('T')).unwrap_or(text);
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let (year, month, day) =
        (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let start = days_from_civil(year, month, day)? * DAY;
    let Some(time) = time else { return Some(start..start + DAY) };
    let mut parts = time.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = parts.next().map(|second| digits(second, 2));
    if hour > 23 || minute > 59 {
        return None;
    }
    let minute = start + hour * HOUR + minute * MINUTE;
    match second {
        None => Some(minute..minute + MINUTE),
        Some(second) => {
            let second = minute + second.filter(|second| *second < 60)? * SECOND;
            Some(second..second + SECOND)
        }
    }
}

/// `30s`, `5m`, `12h`, `7d`, `2w` in milliseconds; at most a thousand years.
pub(super) fn duration(text: &str) -> Option<Millis> {
    let unit = match text.chars().last()? {
        's' => SECOND,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    let number: i64 =
        number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok()).flatten()?;
    number.checked_mul(unit).filter(|millis| *millis <= 365_250 * DAY)
}

fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Days since 1970-01-01. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[test]
fn dates() {
    // Expected values are `date -u -d … +%s`.
    let check = |text: &str, expected: Option<(i64, i64)>| {
        let range = absolute(text).map(|range| (range.start / SECOND, range.end / SECOND));
        assert_eq!(range, expected, "{text}");
    };
    check("1970-01-01", Some((0, 86_400)));
    check("2000-02-29", Some((951_782_400, 951_868_800)));
    check("2026-11-24", Some((1_795_478_400, 1_795_564_800)));
    check("2026-11-24T08:30Z", Some((1_795_509_000, 1_795_509_060)));
    check("2026-11-24T08:30:15", Some((1_795_509_015, 1_795_509_016)));
    for bad in [
        "2026-02-29",
        "2026-13-01",
        "26-01-01",
        "2026-01-01T24:00",
        "2026-01-01T08",
        "x",
        "2026-01-01Z",
    ] {
        check(bad, None);
    }
    assert_eq!(duration("7d"), Some(7 * DAY));
    for bad in ["7", "d", "-1d", "7y", "9999999999999w", "7é"] {
        assert_eq!(duration(bad), None, "{bad}");
    }
}
