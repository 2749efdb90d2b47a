//! Functions over moments (RFC 3339 text) and durations.

use palisade_gotext::go_duration::GoDuration;
use palisade_gotext::go_time::GoTime;
use palisade_model::Value;

use super::{Answer, Arguments, QueryError};

fn moment(arguments: &Arguments<'_>, position: usize) -> Result<GoTime, QueryError> {
    GoTime::parse_rfc3339(arguments.text(position)?).map_err(|error| arguments.error(format_args!("failed: {error}")))
}

fn duration(arguments: &Arguments<'_>, position: usize) -> Result<GoDuration, QueryError> {
    GoDuration::parse(arguments.text(position)?).map_err(|error| arguments.error(format_args!("failed: {error}")))
}

fn rfc3339(arguments: &Arguments<'_>, moment: GoTime) -> Answer {
    moment.to_rfc3339().map(Value::from).ok_or_else(|| arguments.error("leaves the years 0 to 9999"))
}

/// The moment of the decision. The clock is always that of UTC, so that a replay prints the same text.
pub(super) fn now(arguments: &Arguments<'_>) -> Answer {
    rfc3339(arguments, arguments.runtime().now.into())
}

pub(super) fn add(arguments: &Arguments<'_>) -> Answer {
    rfc3339(arguments, moment(arguments, 0)?.plus(duration(arguments, 1)?))
}

pub(super) fn truncate(arguments: &Arguments<'_>) -> Answer {
    rfc3339(arguments, moment(arguments, 0)?.truncate(duration(arguments, 1)?))
}

pub(super) fn utc(arguments: &Arguments<'_>) -> Answer {
    rfc3339(arguments, moment(arguments, 0)?.to_utc())
}

/// Reads a time by a Go layout; a layout that is a number stands for seconds since 1970.
pub(super) fn parse(arguments: &Arguments<'_>) -> Answer {
    let (layout, text) = (arguments.text(0)?, arguments.text(1)?);
    if layout.parse::<i64>().is_ok() {
        let seconds = text.parse().map_err(|_| arguments.error(format_args!("takes whole seconds, not `{text}`")))?;
        return rfc3339(arguments, GoTime::from_unix(seconds));
    }
    let time = GoTime::parse(layout, text).map_err(|error| arguments.error(format_args!("failed: {error}")))?;
    rfc3339(arguments, time)
}

/// Reads a time by a Go layout, or as RFC 3339 where the layout is empty.
fn by_layout(arguments: &Arguments<'_>, layout: &str, text: &str) -> Result<GoTime, QueryError> {
    let parsed = if layout.is_empty() { GoTime::parse_rfc3339(text) } else { GoTime::parse(layout, text) };
    parsed.map_err(|error| arguments.error(format_args!("failed: {error}")))
}

/// The time between two moments of a layout; an empty second one is now.
pub(super) fn since(arguments: &Arguments<'_>) -> Answer {
    let (layout, end) = (arguments.text(0)?, arguments.text(2)?);
    let start = by_layout(arguments, layout, arguments.text(1)?)?;
    let end = if end.is_empty() { arguments.runtime().now.into() } else { by_layout(arguments, layout, end)? };
    Ok(end.since(start).to_string().into())
}

pub(super) fn diff(arguments: &Arguments<'_>) -> Answer {
    let start = moment(arguments, 0)?;
    Ok(moment(arguments, 1)?.since(start).to_string().into())
}

pub(super) fn before(arguments: &Arguments<'_>) -> Answer {
    let first = moment(arguments, 0)?;
    Ok((first < moment(arguments, 1)?).into())
}

pub(super) fn after(arguments: &Arguments<'_>) -> Answer {
    let first = moment(arguments, 0)?;
    Ok((first > moment(arguments, 1)?).into())
}

pub(super) fn between(arguments: &Arguments<'_>) -> Answer {
    let (time, start, end) = (moment(arguments, 0)?, moment(arguments, 1)?, moment(arguments, 2)?);
    Ok((time > start && time < end).into())
}

/// Minute, hour, day, month and weekday of the moment on its own clock.
pub(super) fn to_cron(arguments: &Arguments<'_>) -> Answer {
    let civil = moment(arguments, 0)?.civil().ok_or_else(|| arguments.error("leaves the years 0 to 9999"))?;
    let weekday = civil.weekday().to_sunday_zero_offset();
    Ok(format!("{} {} {} {} {weekday}", civil.minute(), civil.hour(), civil.day(), civil.month()).into())
}
