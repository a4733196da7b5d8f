//! Dates as feeds write them.
use seawall_model::Millis;

/// RFC 3339 to epoch milliseconds. Go writes year 1 for "not known".
pub(crate) fn time(text: &str) -> Option<Millis> {
    let millis = text.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    (millis > 0).then_some(millis)
}

/// `2025-08-25` to epoch milliseconds at midnight UTC.
pub(crate) fn day(text: &str) -> Option<Millis> {
    time(&format!("{text}T00:00:00Z"))
}
