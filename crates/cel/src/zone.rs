//! Time zones by name or offset.
use crate::time::Timestamp;

/// Seconds east of UTC at `stamp`: `02:00`, `-11:30`, `UTC`. Errors: Go's words.
pub(crate) fn offset(_stamp: Timestamp, zone: &str) -> Result<i64, String> {
    let Some((hours, minutes)) = zone.split_once(':') else {
        return match zone {
            "" | "UTC" => Ok(0),
            _ => Err(format!("unknown time zone {zone}")),
        };
    };
    let number = |text: &str| {
        let bad = || format!("strconv.Atoi: parsing \"{text}\": invalid syntax");
        text.parse::<i32>().map(i64::from).map_err(|_| bad())
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let minutes = if zone.starts_with('-') { hours * 60 - minutes } else { hours * 60 + minutes };
    Ok(minutes * 60)
}
