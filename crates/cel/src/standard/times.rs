//! Parts of timestamps, in UTC or a named zone, and of durations.
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::time::{Civil, Timestamp};
use crate::value::Value;
use crate::zone;

type Outcome<'a> = Result<Value<'a>, EvalError>;

pub(super) static LIBRARY: Library = Library {
    since: 0,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::new(
            "getFullYear",
            &[
                Overload::member("timestamp_to_year", &["timestamp"], "int", year),
                Overload::member(
                    "timestamp_to_year_with_tz",
                    &["timestamp", "string"],
                    "int",
                    year,
                ),
            ],
        ),
        Function::new(
            "getMonth",
            &[
                Overload::member("timestamp_to_month", &["timestamp"], "int", month),
                Overload::member(
                    "timestamp_to_month_with_tz",
                    &["timestamp", "string"],
                    "int",
                    month,
                ),
            ],
        ),
        Function::new(
            "getDayOfYear",
            &[
                Overload::member("timestamp_to_day_of_year", &["timestamp"], "int", day_of_year),
                Overload::member(
                    "timestamp_to_day_of_year_with_tz",
                    &["timestamp", "string"],
                    "int",
                    day_of_year,
                ),
            ],
        ),
        Function::new(
            "getDayOfMonth",
            &[
                Overload::member("timestamp_to_day_of_month", &["timestamp"], "int", day_of_month),
                Overload::member(
                    "timestamp_to_day_of_month_with_tz",
                    &["timestamp", "string"],
                    "int",
                    day_of_month,
                ),
            ],
        ),
        Function::new(
            "getDate",
            &[
                Overload::member("timestamp_to_day_of_month_1_based", &["timestamp"], "int", date),
                Overload::member(
                    "timestamp_to_day_of_month_1_based_with_tz",
                    &["timestamp", "string"],
                    "int",
                    date,
                ),
            ],
        ),
        Function::new(
            "getDayOfWeek",
            &[
                Overload::member("timestamp_to_day_of_week", &["timestamp"], "int", weekday),
                Overload::member(
                    "timestamp_to_day_of_week_with_tz",
                    &["timestamp", "string"],
                    "int",
                    weekday,
                ),
            ],
        ),
        Function::new(
            "getHours",
            &[
                Overload::member("timestamp_to_hours_tz", &["timestamp"], "int", hours),
                Overload::member(
                    "timestamp_to_hours_tz_with_tz",
                    &["timestamp", "string"],
                    "int",
                    hours,
                ),
                Overload::member("duration_to_hours", &["duration"], "int", hours),
            ],
        ),
        Function::new(
            "getMinutes",
            &[
                Overload::member("timestamp_to_minutes", &["timestamp"], "int", minutes),
                Overload::member(
                    "timestamp_to_minutes_with_tz",
                    &["timestamp", "string"],
                    "int",
                    minutes,
                ),
                Overload::member("duration_to_minutes", &["duration"], "int", minutes),
            ],
        ),
        Function::new(
            "getSeconds",
            &[
                Overload::member("timestamp_to_seconds", &["timestamp"], "int", seconds),
                Overload::member(
                    "timestamp_to_seconds_with_tz",
                    &["timestamp", "string"],
                    "int",
                    seconds,
                ),
                Overload::member("duration_to_seconds", &["duration"], "int", seconds),
            ],
        ),
        Function::new(
            "getMilliseconds",
            &[
                Overload::member("timestamp_to_milliseconds", &["timestamp"], "int", milliseconds),
                Overload::member(
                    "timestamp_to_milliseconds_with_tz",
                    &["timestamp", "string"],
                    "int",
                    milliseconds,
                ),
                Overload::member("duration_to_milliseconds", &["duration"], "int", milliseconds),
            ],
        ),
    ],
};

/// One part of a moment, `civil` of it in the zone asked for.
fn part<'a>(arguments: &[Value<'a>], of: impl FnOnce(Timestamp, Civil) -> i64) -> Outcome<'a> {
    let (stamp, offset) = match arguments {
        [Value::Timestamp(stamp)] => (*stamp, 0),
        [Value::Timestamp(stamp), Value::String(name)] => {
            (*stamp, zone::offset(*stamp, name).map_err(EvalError::Error)?)
        }
        _ => return Err(EvalError::no_overload()),
    };
    Ok(Value::Int(of(stamp, stamp.civil(offset))))
}

fn year<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    part(arguments, |_, civil| civil.year)
}

fn month<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    part(arguments, |_, civil| civil.month - 1)
}

fn day_of_year<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    part(arguments, |_, civil| civil.day_of_year)
}

fn day_of_month<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    part(arguments, |_, civil| civil.day - 1)
}

fn date<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    part(arguments, |_, civil| civil.day)
}

fn weekday<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    part(arguments, |_, civil| civil.weekday)
}

fn hours<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Duration(duration)] => Ok(Value::Int(duration.part(3_600_000_000_000))),
        _ => part(arguments, |_, civil| civil.hour),
    }
}

fn minutes<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Duration(duration)] => Ok(Value::Int(duration.part(60_000_000_000))),
        _ => part(arguments, |_, civil| civil.minute),
    }
}

fn seconds<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Duration(duration)] => Ok(Value::Int(duration.part(1_000_000_000))),
        _ => part(arguments, |_, civil| civil.second),
    }
}

fn milliseconds<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Duration(duration)] => Ok(Value::Int(duration.part(1_000_000))),
        _ => part(arguments, |stamp, _| (stamp.nanos() / 1_000_000).into()),
    }
}
