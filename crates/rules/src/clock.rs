//! Event time as text and back: RFC 3339, UTC, nanoseconds. No clock is read here.

/// Nanoseconds of a second.
pub(crate) const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400;

/// `2026-05-01T12:00:00.000000001Z`, always with nine digits.
pub(crate) fn rfc3339(time_ns: u64) -> String {
    let (seconds, nanos) = (time_ns / SECOND, time_ns % SECOND);
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = (seconds % DAY / 3_600, seconds % 3_600 / 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

/// Days since 1970 to year, month, day. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Reads RFC 3339 with any fraction and offset. `None` for anything else and for times before 1970.
pub(crate) fn parse_rfc3339(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let separators = [(4, "-"), (7, "-"), (13, ":"), (16, ":")];
    if !separators.iter().all(|(at, mark)| text.get(*at..*at + 1) == Some(*mark))
        || !matches!(text.get(10..11), Some("T" | "t" | " "))
    {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if year < 1970
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let rest = text.get(19..)?;
    let (nanos, offset) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(fraction) => {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            let digits: String =
                fraction[..end].chars().chain("000000000".chars()).take(9).collect();
            (digits.parse::<u64>().ok()?, &fraction[end..])
        }
    };
    let seconds = days(year, month, day) * DAY + hour * 3_600 + minute * 60 + second;
    let seconds = i64::try_from(seconds).ok()? - offset_seconds(offset)?;
    u64::try_from(seconds).ok()?.checked_mul(SECOND)?.checked_add(nanos)
}

/// The same, and a time without offset as UTC: log collectors rewrite `T…Z` into `YYYY-MM-DD hh:mm:ss.fff`.
pub(crate) fn parse_time(text: &str) -> Option<u64> {
    parse_rfc3339(text).or_else(|| parse_rfc3339(&format!("{text}Z")))
}

fn offset_seconds(offset: &str) -> Option<i64> {
    let sign = match offset.bytes().next()? {
        b'Z' | b'z' if offset.len() == 1 => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours: i64 = offset.get(1..3)?.parse().ok()?;
    let minutes: i64 = offset.get(3..)?.trim_start_matches(':').parse().ok()?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// A duration as rules write it: `500ms`, `30s`, `5m`, `2h`, `1d`; nanoseconds. `None` for anything else.
pub(crate) fn parse_duration(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let count: u64 = text[..split].parse().ok()?;
    let unit = match text[split..].trim() {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        "d" => DAY * SECOND,
        _ => return None,
    };
    count.checked_mul(unit)
}

#[test]
fn times_read_back() {
    for (text, time) in [
        ("1970-01-01T00:00:00.000000000Z", 0),
        ("2000-02-29T23:59:59.000000001Z", 951_868_799_000_000_001),
        ("2026-05-01T12:00:00.500000000Z", 1_777_636_800_500_000_000),
    ] {
        assert_eq!(rfc3339(time), text);
        assert_eq!(parse_rfc3339(text), Some(time));
    }
    assert_eq!(parse_rfc3339("2026-05-01T14:00:00.5+02:00"), Some(1_777_636_800_500_000_000));
    for bad in
        ["", "2026-05-01", "2026-13-01T00:00:00Z", "2026-05-01T00:00:00", "é026-05-01T00:00:00Z"]
    {
        assert_eq!(parse_rfc3339(bad), None, "{bad}");
    }
    assert_eq!(parse_duration("5m"), Some(300 * SECOND));
    for bad in ["", "5", "m", "5 weeks", "99999999999d"] {
        assert_eq!(parse_duration(bad), None, "{bad}");
    }
}
