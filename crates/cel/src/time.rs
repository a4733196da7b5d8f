//! Durations and timestamps as Go reads, writes and adds them.
use std::fmt;

const NANOS: i64 = 1_000_000_000;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970: what protobuf timestamps can say.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Nanoseconds, up to 292 years either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

impl Duration {
    #[must_use]
    pub fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    #[must_use]
    pub fn nanoseconds(self) -> i64 {
        self.0
    }

    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub(crate) fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    pub(crate) fn checked_neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// `1h15m30.918s`, `-1.5h`, `0`: signed numbers with a unit each. Source: Go's time.ParseDuration.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Some(Self(0));
        }
        let mut total: i128 = 0;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let length = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
            let (number, after) = rest.split_at(length);
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
                return None;
            }
            let length = after.bytes().take_while(|b| !b.is_ascii_digit() && *b != b'.').count();
            let (unit, after) = after.split_at(length);
            let unit: i128 = match unit {
                "ns" => 1,
                "us" | "µs" | "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                _ => return None,
            };
            let whole: i128 = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()?.into() };
            total += whole * unit;
            let mut scale = unit;
            for digit in fraction.bytes() {
                scale /= 10;
                total += i128::from(digit - b'0') * scale;
            }
            if total > i128::from(i64::MAX) + 1 {
                return None;
            }
            rest = after;
        }
        let total = if negative { -total } else { total };
        i64::try_from(total).ok().map(Self)
    }

    /// As Go prints it: `1h15m30.918s`.
    #[must_use]
    pub fn go(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        if nanos == 0 {
            return "0s".to_owned();
        }
        let fraction = |nanos: u64, unit: u64| {
            let text = format!(
                "{}.{:0width$}",
                nanos / unit,
                nanos % unit,
                width = unit.ilog10() as usize
            );
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        if nanos < 1_000_000_000 {
            let (unit, name) = match nanos {
                0..1_000 => return format!("{sign}{nanos}ns"),
                1_000..1_000_000 => (1_000, "µs"),
                _ => (1_000_000, "ms"),
            };
            return format!("{sign}{}{name}", fraction(nanos, unit));
        }
        let (hours, rest) = (nanos / 3_600_000_000_000, nanos % 3_600_000_000_000);
        let (minutes, rest) = (rest / 60_000_000_000, rest % 60_000_000_000);
        let seconds = fraction(rest, 1_000_000_000);
        match (hours, minutes) {
            (0, 0) => format!("{sign}{seconds}s"),
            (0, _) => format!("{sign}{minutes}m{seconds}s"),
            _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
        }
    }

    pub(crate) fn part(self, unit: i64) -> i64 {
        self.0 / unit
    }
}

/// `string(d)`: seconds and their shortest fraction.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = (self.0 / NANOS) as f64;
        let seconds = whole + (self.0 % NANOS) as f64 / 1e9;
        write!(f, "{seconds}s")
    }
}

/// A moment; equal and ordered by it, while its offset only shows in text.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
    /// Seconds east of UTC of the text it was read from.
    offset: i32,
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

/// A moment's parts in some zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// From 1.
    pub month: i64,
    /// From 1.
    pub day: i64,
    /// From 0.
    pub day_of_year: i64,
    /// From Sunday, 0.
    pub weekday: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
}

impl Timestamp {
    /// `None`: outside the years 1 to 9999.
    #[must_use]
    pub fn at(seconds: i64, nanos: u32, offset: i32) -> Option<Self> {
        SECONDS.contains(&seconds).then_some(Self { seconds, nanos, offset })
    }

    #[must_use]
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    #[must_use]
    pub fn nanos(self) -> u32 {
        self.nanos
    }

    pub(crate) fn is_zero(self) -> bool {
        self.seconds == *SECONDS.start() && self.nanos == 0
    }

    pub(crate) fn checked_add(self, duration: Duration) -> Option<Self> {
        let nanos = i64::from(self.nanos) + duration.0 % NANOS;
        let seconds = self.seconds + duration.0 / NANOS + nanos.div_euclid(NANOS);
        Self::at(seconds, u32::try_from(nanos.rem_euclid(NANOS)).ok()?, self.offset)
    }

    /// RFC 3339. `None`: not such text; `Some(None)`: a moment outside the years 1 to 9999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Option<Self>> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let mark = |at: usize, mark: u8| (bytes.get(at) == Some(&mark)).then_some(());
        mark(4, b'-')?;
        mark(7, b'-')?;
        mark(10, b'T')?;
        mark(13, b':')?;
        mark(16, b':')?;
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let valid = (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
        if !valid || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut at = 19;
        let mut nanos = 0;
        if matches!(bytes.get(at), Some(b'.' | b',')) {
            let digits = bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
            let kept = digits.min(9);
            if digits == 0 {
                return None;
            }
            nanos = number(at + 1, at + 1 + kept)? * 10_i64.pow(9 - u32::try_from(kept).ok()?);
            at += 1 + digits;
        }
        let offset = match text.get(at..)? {
            "Z" => 0,
            zone => {
                let sign = match zone.as_bytes().first()? {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
                if zone.len() != 6 || bytes[at + 3] != b':' || hours > 24 || minutes > 60 {
                    return None;
                }
                sign * (hours * 3600 + minutes * 60)
            }
        };
        let clock = hour * 3600 + minute * 60 + second;
        let seconds = days_from_civil(year, month, day) * 86_400 + clock - offset;
        Some(Self::at(seconds, u32::try_from(nanos).ok()?, i32::try_from(offset).ok()?))
    }

    /// Its parts `offset` seconds east of UTC.
    #[must_use]
    pub fn civil(self, offset: i64) -> Civil {
        let local = self.seconds + offset;
        let (days, clock) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            day_of_year: days - days_from_civil(year, 1, 1),
            weekday: (days + 4).rem_euclid(7),
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
        }
    }

    /// As Go's `%v` prints it: `2024-02-29 10:20:30.5 +0000 UTC`.
    #[must_use]
    pub fn go(self) -> String {
        let text = self.rfc3339();
        let (date, rest) = text.split_once('T').unwrap_or((&text, ""));
        let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
        let (clock, zone) = rest.split_at(zone_at);
        match zone {
            "Z" => format!("{date} {clock} +0000 UTC"),
            zone => {
                let zone = zone.replace(':', "");
                format!("{date} {clock} {zone} {zone}")
            }
        }
    }

    /// RFC 3339 with the shortest fraction, in the zone it was read with.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let civil = self.civil(self.offset.into());
        let mut fraction = String::new();
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos);
            fraction = format!(".{}", digits.trim_end_matches('0'));
        }
        let zone = match self.offset {
            0 => "Z".to_owned(),
            offset => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.abs() / 60;
                format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        };
        let Civil { year, month, day, hour, minute, second, .. } = civil;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
    }
}

/// From `a` to `b`; `None`: over 292 years.
pub(crate) fn between(a: Timestamp, b: Timestamp) -> Option<Duration> {
    let seconds = (b.seconds - a.seconds).checked_mul(NANOS)?;
    seconds.checked_add(i64::from(b.nanos) - i64::from(a.nanos)).map(Duration)
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, with years counted from March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        #[track_caller]
        fn check(text: &str, nanoseconds: Option<i64>, told: &str, go: &str) {
            let read = Duration::parse(text);
            assert_eq!(read.map(Duration::nanoseconds), nanoseconds, "{text}");
            if let Some(read) = read {
                assert_eq!((read.to_string().as_str(), read.go().as_str()), (told, go), "{text}");
            }
        }
        check("1h15m30.918s", Some(4_530_918_000_000), "4530.918s", "1h15m30.918s");
        check("-1.5h", Some(-5_400_000_000_000), "-5400s", "-1h30m0s");
        check("0", Some(0), "0s", "0s");
        check("1500us", Some(1_500_000), "0.0015s", "1.5ms");
        check("2562048h", None, "", "");
        check("1d", None, "", "");
        check("", None, "", "");
        check("1", None, "", "");
    }

    #[test]
    fn timestamps() {
        #[track_caller]
        fn check(text: &str, seconds: i64, told: &str) {
            let read = Timestamp::parse(text).expect(text).expect(text);
            assert_eq!((read.seconds(), read.rfc3339().as_str()), (seconds, told), "{text}");
        }
        check("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z");
        check("2024-02-29T23:59:59.1200Z", 1_709_251_199, "2024-02-29T23:59:59.12Z");
        check("2023-01-01T01:00:00+02:00", 1_672_527_600, "2023-01-01T01:00:00+02:00");
        check("0001-01-01T00:00:00Z", -62_135_596_800, "0001-01-01T00:00:00Z");
        check("9999-12-31T23:59:59.999999999Z", 253_402_300_799, "9999-12-31T23:59:59.999999999Z");
        for bad in ["2023-02-29T00:00:00Z", "2023-01-01 00:00:00Z", "2023-01-01T00:00:00", "x"] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
        assert_eq!(Timestamp::parse("0000-12-31T23:59:59Z"), Some(None));
    }

    #[test]
    fn calendar() {
        for days in (-719_162..2_932_896).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        let civil = Timestamp::at(1_709_208_000, 0, 0).map(|stamp| stamp.civil(-5 * 3600));
        let expected = Civil {
            year: 2024,
            month: 2,
            day: 29,
            day_of_year: 59,
            weekday: 4,
            hour: 7,
            minute: 0,
            second: 0,
        };
        assert_eq!(civil, Some(expected));
    }
}
