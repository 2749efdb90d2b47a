//! Parts of timestamps and durations.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::library::mismatch;
use crate::{EvalError, Function, Moment, Type, Val};

type Outcome = Result<Val, EvalError>;

pub(super) fn functions() -> Vec<Function> {
    let mut functions = Vec::new();
    macro_rules! parts {
        ($($name:literal => $part:expr;)*) => {
            $(
                functions.push(Function::member($name, [Type::Timestamp], Type::Int, |_, args| timestamp_part(args, $part)));
                functions.push(Function::member($name, [Type::Timestamp, Type::String], Type::Int, |_, args| {
                    timestamp_part(args, $part)
                }));
            )*
        };
    }
    parts! {
        "getFullYear" => |civil| i64::from(civil.year());
        "getMonth" => |civil| i64::from(civil.month()) - 1;
        "getDayOfYear" => |civil| i64::from(civil.day_of_year()) - 1;
        "getDayOfMonth" => |civil| i64::from(civil.day()) - 1;
        "getDate" => |civil| i64::from(civil.day());
        "getDayOfWeek" => |civil| i64::from(civil.weekday().to_sunday_zero_offset());
        "getHours" => |civil| i64::from(civil.hour());
        "getMinutes" => |civil| i64::from(civil.minute());
        "getSeconds" => |civil| i64::from(civil.second());
        "getMilliseconds" => |civil| i64::from(civil.millisecond());
    }
    functions.extend([
        Function::member("getHours", [Type::Duration], Type::Int, |_, args| {
            duration_part(args, SignedDuration::as_hours)
        }),
        Function::member("getMinutes", [Type::Duration], Type::Int, |_, args| {
            duration_part(args, SignedDuration::as_mins)
        }),
        Function::member("getSeconds", [Type::Duration], Type::Int, |_, args| {
            duration_part(args, SignedDuration::as_secs)
        }),
        Function::member("getMilliseconds", [Type::Duration], Type::Int, |_, args| {
            duration_part(args, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
        }),
    ]);
    functions
}

/// `getMilliseconds` of a duration as the specification has it: the part beyond whole seconds, not the whole duration.
pub(super) fn milliseconds_part() -> Function {
    Function::member("getMilliseconds", [Type::Duration], Type::Int, |_, args| {
        duration_part(args, |d| i64::from(d.subsec_millis()))
    })
}

fn timestamp_part(args: &[Val], part: impl Fn(DateTime) -> i64) -> Outcome {
    let civil = match args {
        [Val::Timestamp(moment)] => moment.civil(),
        [Val::Timestamp(moment), Val::String(zone)] => in_zone(*moment, zone)?,
        _ => return Err(mismatch("timestamp", args)),
    };
    Ok(Val::Int(part(civil)))
}

fn duration_part(args: &[Val], part: impl Fn(&SignedDuration) -> i64) -> Outcome {
    match args {
        [Val::Duration(span)] => Ok(Val::Int(part(span))),
        _ => Err(mismatch("duration", args)),
    }
}

/// A zone is a name of the time zone database, or an offset such as `-02:30` or `02:00`.
fn in_zone(moment: Moment, zone: &str) -> Result<DateTime, EvalError> {
    let unknown = || EvalError::invalid(format_args!("unknown time zone `{zone}`: write `Europe/Berlin` or `+02:00`"));
    if zone.is_empty() || zone == "UTC" {
        return Ok(moment.civil());
    }
    let Some((hours, minutes)) = zone.split_once(':') else {
        let zone: TimeZone = jiff::tz::db().get(zone).map_err(|_| unknown())?;
        return Ok(moment.civil_in(&zone));
    };
    let negative = hours.starts_with('-');
    let hours: i32 = hours.parse().map_err(|_| unknown())?;
    let minutes: i32 = minutes.parse().map_err(|_| unknown())?;
    let minutes = hours.saturating_mul(60).saturating_add(if negative { -minutes } else { minutes });
    let offset = Offset::from_seconds(minutes.saturating_mul(60)).map_err(|_| unknown())?;
    Ok(moment.civil_at(offset))
}
