//! Time: nanoseconds since 1970, read and printed by Go's layouts, on the clock of a zone where one is named.
//!
//! Zones come from the database that is built in, so that every machine gives the same answer; `Local` is UTC.

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};
use palisade_gotext::go_duration::GoDuration;
use palisade_gotext::go_time::GoTime;
use palisade_rego_value::Value;

use super::declare::{builtin, nondeterministic};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const ZONED: Type = Type::OneOf(&[Type::Number, Type::Array(&Type::OneOf(&[Type::Number, Type::String]))]);
const PARTS: Type = Type::Array(&Type::Number);
const DATE: &[Type] = &[Type::Number, Type::Number, Type::Number, Type::Number];

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    nondeterministic("time.now_ns", &[], Type::Number, |context, _| {
        answer(i64::try_from(context.now.as_nanosecond()).map_err(|_| out_of_range())?)
    }),
    builtin("time.parse_ns", &[Type::String, Type::String], Type::Number, |context, operands| {
        let (layout, text) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
        context.step(layout.len() + text.len())?;
        read(named_layout(layout), text)
    }),
    builtin("time.parse_rfc3339_ns", &[Type::String], Type::Number, |_, operands| {
        read(named_layout("RFC3339"), operands::string(operands, 1)?)
    }),
    builtin("time.parse_duration_ns", &[Type::String], Type::Number, |_, operands| {
        answer(duration(operands::string(operands, 1)?).map_err(BuiltinError::Failed)?)
    }),
    builtin("time.format", &[ZONED], Type::String, format),
    builtin("time.date", &[ZONED], PARTS, |_, operands| {
        let date = Moment::read(operands, 1)?.civil.date();
        answer(parts([date.year().into(), date.month().into(), date.day().into()]))
    }),
    builtin("time.clock", &[ZONED], PARTS, |_, operands| {
        let time = Moment::read(operands, 1)?.civil.time();
        answer(parts([time.hour().into(), time.minute().into(), time.second().into()]))
    }),
    builtin("time.weekday", &[ZONED], Type::String, |_, operands| {
        let moment = Moment::read(operands, 1)?;
        answer(moment.go.format("Monday", "").unwrap_or_default())
    }),
    builtin("time.add_date", DATE, Type::Number, add_date),
    builtin("time.diff", &[ZONED, ZONED], PARTS, diff),
];

fn parts<const N: usize>(parts: [i64; N]) -> Vec<Value> {
    parts.into_iter().map(Value::from).collect()
}

fn out_of_range() -> BuiltinError {
    BuiltinError::failed("time outside of valid range")
}

/// The layout of a name such as `RFC3339`; anything else is a layout itself.
fn named_layout(name: &str) -> &str {
    match name {
        "ANSIC" => "Mon Jan _2 15:04:05 2006",
        "UnixDate" => "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate" => "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822" => "02 Jan 06 15:04 MST",
        "RFC822Z" => "02 Jan 06 15:04 -0700",
        "RFC850" => "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123" => "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z" => "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339" => "2006-01-02T15:04:05Z07:00",
        "RFC3339Nano" => "2006-01-02T15:04:05.999999999Z07:00",
        layout => layout,
    }
}

fn read(layout: &str, text: &str) -> Answer {
    let time = GoTime::parse(layout, text).map_err(BuiltinError::Failed)?;
    answer(time.unix_nanoseconds().ok_or_else(out_of_range)?)
}

/// A Go duration in nanoseconds, in which days, weeks and years of 365 days may stand too.
fn duration(text: &str) -> Result<i64, String> {
    let parse = |text: &str| GoDuration::parse(text).map(|duration| duration.0).map_err(|error| error.to_string());
    if !text.contains(['d', 'w', 'y']) {
        return parse(text);
    }
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut total = 0_i64;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(invalid)?;
        let behind = rest.get(unit..).unwrap_or_default();
        let end = unit + behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (part, after) = rest.split_at_checked(end).ok_or_else(invalid)?;
        let (digits, unit) = part.split_at_checked(unit).ok_or_else(invalid)?;
        let nanoseconds = match unit {
            "d" => parse(&format!("{digits}h"))?.checked_mul(24),
            "w" => parse(&format!("{digits}h"))?.checked_mul(24 * 7),
            "y" => parse(&format!("{digits}h"))?.checked_mul(24 * 365),
            _ => Some(parse(part)?),
        };
        total = nanoseconds.and_then(|nanoseconds| total.checked_add(nanoseconds)).ok_or_else(invalid)?;
        rest = after;
    }
    Ok(if negative { -total } else { total })
}

/// A moment with the clock and the layout that an operand names.
struct Moment<'a> {
    go: GoTime,
    civil: DateTime,
    nanoseconds: i64,
    zone: TimeZone,
    layout: &'a str,
}

impl<'a> Moment<'a> {
    /// Reads `ns`, `[ns, zone]` or `[ns, zone, layout]`.
    fn read(operands: &'a [Value], position: usize) -> Result<Self, BuiltinError> {
        let operand = operands::any(operands, position)?;
        let expected = "either number (ns) or [number (ns), string (tz)]";
        // OPA tells the first operand of any that is wrong.
        let items = match operand {
            Value::Number(_) => std::slice::from_ref(operand),
            Value::Array(items) if !items.is_empty() => items,
            other => return Err(operands::wrong_type(1, other, &[expected])),
        };
        let number = operands::number(items, 1)?;
        let text = |at: usize| match items.get(at) {
            Some(Value::String(text)) => Ok(&**text),
            Some(other) => Err(operands::wrong_type(1, other, &["string"])),
            None => Ok(""),
        };
        let (zone, layout) = (zone(text(1)?)?, text(2)?);
        let nanoseconds = number.as_i64().ok_or_else(|| BuiltinError::failed("timestamp too big"))?;
        let timestamp = Timestamp::from_nanosecond(i128::from(nanoseconds)).map_err(|_| out_of_range())?;
        let offset = zone.to_offset(timestamp);
        let go = GoTime::from_unix_nanoseconds(nanoseconds, offset.seconds());
        Ok(Self { go, civil: offset.to_datetime(timestamp), nanoseconds, zone, layout })
    }

    /// The abbreviation of the zone at the moment.
    fn abbreviation(&self) -> String {
        let timestamp = Timestamp::from_nanosecond(i128::from(self.nanoseconds)).unwrap_or_default();
        self.zone.to_offset_info(timestamp).abbreviation().to_owned()
    }
}

fn zone(name: &str) -> Result<TimeZone, BuiltinError> {
    match name {
        "" | "UTC" | "Local" => Ok(TimeZone::UTC),
        name => {
            TimeZoneDatabase::bundled().get(name).map_err(|_| BuiltinError::Failed(format!("unknown time zone {name}")))
        }
    }
}

fn format(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let moment = Moment::read(operands, 1)?;
    let layout = if moment.layout.is_empty() { "RFC3339Nano" } else { moment.layout };
    context.grow(layout.len().saturating_mul(8))?;
    answer(moment.go.format(named_layout(layout), &moment.abbreviation()).ok_or_else(out_of_range)?)
}

/// Years, months and days later; what is too large for its place goes over into the next.
fn add_date(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let moment = Moment::read(operands, 1)?;
    let (years, months, days) =
        (operands::integer(operands, 2)?, operands::integer(operands, 3)?, operands::integer(operands, 4)?);
    let later = || {
        let date = moment.civil.date();
        let month =
            i64::from(date.year()).checked_add(years)?.checked_mul(12)?.checked_add(i64::from(date.month()) - 1)?;
        let month = month.checked_add(months)?;
        let year = i16::try_from(month.div_euclid(12)).ok()?;
        let first = Date::new(year, month.rem_euclid(12) as i8 + 1, 1).ok()?;
        let days = Span::new().try_days(days.checked_add(i64::from(date.day()) - 1)?).ok()?;
        let date = first.checked_add(days).ok()?;
        let zoned = DateTime::from_parts(date, moment.civil.time()).to_zoned(moment.zone.clone()).ok()?;
        i64::try_from(zoned.timestamp().as_nanosecond()).ok()
    };
    answer(later().ok_or_else(out_of_range)?)
}

/// Years, months, days, hours, minutes and seconds between two moments, on the clock of the first.
fn diff(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (first, second) = (Moment::read(operands, 1)?, Moment::read(operands, 2)?);
    let timestamp = Timestamp::from_nanosecond(i128::from(second.nanoseconds)).map_err(|_| out_of_range())?;
    let other = first.zone.to_datetime(timestamp);
    let (start, end) = if first.nanoseconds > second.nanoseconds { (other, first.civil) } else { (first.civil, other) };
    let (from, to) = (start.date(), end.date());
    let mut days = i64::from(to.day()) - i64::from(from.day());
    let mut months = i64::from(to.month()) - i64::from(from.month());
    let mut years = i64::from(to.year()) - i64::from(from.year());
    let seconds = |time: jiff::civil::Time| {
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())
    };
    let mut clock = seconds(end.time()) - seconds(start.time());
    if clock < 0 {
        clock += 86_400;
        days -= 1;
    }
    if days < 0 {
        days += i64::from(from.days_in_month());
        months -= 1;
    }
    if months < 0 {
        months += 12;
        years -= 1;
    }
    answer(parts([years, months, days, clock / 3600, clock / 60 % 60, clock % 60]))
}
