//! `time.now()`, `time.toCron(moment)` and `time.truncate(moment, duration)`, in UTC.

use jiff::SignedDuration;

use crate::library::{Call, Function, Library, mismatch};
use crate::{EvalError, Moment, Type, Val};

pub(super) fn library() -> Library {
    Library::of(
        "kyverno.time",
        [
            Function::global("time.now", [], Type::Timestamp, now).contextual(),
            Function::global("time.toCron", [Type::Timestamp], Type::String, to_cron),
            Function::global("time.truncate", [Type::Timestamp, Type::Duration], Type::Timestamp, truncate),
        ],
    )
}

fn now(call: &mut Call<'_>, _: &[Val]) -> Result<Val, EvalError> {
    Ok(Val::Timestamp(call.environment()?.now.into()))
}

fn to_cron(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::Timestamp(moment)] = args else { return Err(mismatch("time.toCron", args)) };
    let civil = moment.civil();
    let weekday = civil.weekday().to_sunday_zero_offset();
    Ok(Val::from(format!("{} {} {} {} {weekday}", civil.minute(), civil.hour(), civil.day(), civil.month())))
}

/// Down to a multiple of the duration since the year 1; unchanged for durations that are not positive.
fn truncate(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    const YEAR_ONE: i128 = -62_135_596_800 * 1_000_000_000;
    let [Val::Timestamp(moment), Val::Duration(step)] = args else { return Err(mismatch("time.truncate", args)) };
    if !step.is_positive() {
        return Ok(Val::Timestamp(*moment));
    }
    let nanoseconds = moment.since_epoch().as_nanos();
    let truncated = nanoseconds - (nanoseconds - YEAR_ONE).rem_euclid(step.as_nanos());
    let seconds = i64::try_from(truncated.div_euclid(1_000_000_000)).map_err(|_| EvalError::Overflow("timestamp"))?;
    let rest = i32::try_from(truncated.rem_euclid(1_000_000_000)).map_err(|_| EvalError::Overflow("timestamp"))?;
    Moment::new(SignedDuration::new(seconds, rest)).map(Val::Timestamp)
}
