//! Time zones by name or offset.
use crate::time::Timestamp;

/// Seconds east of UTC at `stamp`: `02:00`, `-11:30`, `UTC`, `Europe/Berlin`. Errors: Go's words.
pub(crate) fn offset(stamp: Timestamp, zone: &str) -> Result<i64, String> {
    let Some((hours, minutes)) = zone.split_once(':') else { return named(stamp, zone) };
    let number = |text: &str| {
        let bad = || format!("strconv.Atoi: parsing \"{text}\": invalid syntax");
        text.parse::<i32>().map(i64::from).map_err(|_| bad())
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let minutes = if zone.starts_with('-') { hours * 60 - minutes } else { hours * 60 + minutes };
    Ok(minutes * 60)
}

/// From the database that is compiled in.
fn named(stamp: Timestamp, name: &str) -> Result<i64, String> {
    if matches!(name, "" | "UTC") {
        return Ok(0);
    }
    let unknown = || format!("unknown time zone {name}");
    let zone = jiff::tz::db().get(name).map_err(|_| unknown())?;
    let moment = jiff::Timestamp::from_second(stamp.seconds()).map_err(|_| unknown())?;
    Ok(zone.to_offset(moment).seconds().into())
}
