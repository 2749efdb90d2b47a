//! Cron schedules: five fields or a descriptor, in UTC.
//!
//! Understands what both of upstream's readers do, the webhook's and the controller's. Deliberately absent: seconds,
//! years, `L`, `W`, `#`, `@every` and time zones, of which one or the other refuses each.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// When a policy runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether both days of month and of week are restricted: either is then enough.
    either_day: bool,
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Leap days are at most eight years apart.
const HORIZON_DAYS: usize = 366 * 8 + 2;

impl Schedule {
    /// Reads a schedule.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            fields => fields,
        };
        let parts: Vec<&str> = fields.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = *parts.as_slice() else {
            return Err(format!("`{text}` is not a schedule: it needs 5 fields, it has {}", parts.len()));
        };
        Ok(Self {
            text: text.to_owned(),
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: field(days, 1, 31, &[])?,
            months: field(months, 1, 12, MONTHS)?,
            weekdays: field(weekdays, 0, 6, WEEKDAYS)?,
            either_day: !is_any(days) && !is_any(weekdays),
        })
    }

    /// The schedule as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first moment after `moment` at which the policy runs; `None` for a date that never comes.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let start = moment.to_zoned(TimeZone::UTC).datetime().checked_add(1.minute()).ok()?;
        let mut date = start.date();
        for day in 0..HORIZON_DAYS {
            let from = if day == 0 { (start.hour(), start.minute()) } else { (0, 0) };
            if self.on(date)
                && let Some((hour, minute)) = self.time_from(from)
            {
                return Some(date.at(hour, minute, 0, 0).to_zoned(TimeZone::UTC).ok()?.timestamp());
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn on(&self, date: Date) -> bool {
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        has(self.months, date.month()) && if self.either_day { day || weekday } else { day && weekday }
    }

    fn time_from(&self, (hour, minute): (i8, i8)) -> Option<(i8, i8)> {
        let first = |bits: u64, from: i8| (from..60).find(|value| has(bits, *value));
        let now = first(self.minutes, minute).filter(|_| has(self.hours, hour)).map(|minute| (hour, minute));
        now.or_else(|| Some((first(self.hours, hour + 1)?, first(self.minutes, 0)?)))
    }
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| bits.checked_shr(value).is_some_and(|bits| bits & 1 == 1))
}

fn is_any(text: &str) -> bool {
    text.split(',').any(|part| part.starts_with(['*', '?']))
}

/// Reads a list of values, ranges and steps as a set of bits.
fn field(text: &str, low: u64, high: u64, names: &[&str]) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a list of values, ranges and steps from {low} to {high}");
    let number = |text: &str| {
        let named = names.iter().position(|name| text.eq_ignore_ascii_case(name)).map(|at| at as u64 + low);
        named.or_else(|| text.parse().ok()).filter(|number| (low..=high).contains(number)).ok_or_else(wrong)
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse().ok().filter(|step| *step > 0).ok_or_else(wrong)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => (low, high),
            Some((from, to)) => (number(from)?, number(to)?),
            // A single value with a step starts an open range.
            None => (number(range)?, if step.is_some() { high } else { number(range)? }),
        };
        if from > to {
            return Err(wrong());
        }
        (from..=to).step_by(step.unwrap_or(1)).for_each(|value| bits |= 1 << value);
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_give_the_next_moment() {
        let next = |schedule: &str, after: &str| {
            let next = Schedule::parse(schedule).unwrap().next_after(after.parse().unwrap());
            next.map(|moment| moment.to_string()).unwrap_or_default()
        };
        for (schedule, after, expected) in [
            ("*/15 * * * *", "2026-01-01T10:14:59Z", "2026-01-01T10:15:00Z"),
            ("*/15 * * * *", "2026-01-01T10:15:00Z", "2026-01-01T10:30:00Z"),
            ("0 3 * * MON-fri", "2026-01-02T03:00:00Z", "2026-01-05T03:00:00Z"),
            ("30 23 31 12 *", "2026-12-31T23:30:10Z", "2027-12-31T23:30:00Z"),
            ("0 0 13 * 5", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
            ("0 0 29 feb ?", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
            ("@monthly", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"),
            ("5/20 22-23 * * *", "2026-01-01T23:45:00Z", "2026-01-02T22:05:00Z"),
            ("0 0 31 2 *", "2026-01-01T00:00:00Z", ""),
        ] {
            assert_eq!(next(schedule, after), expected, "{schedule} after {after}");
        }
        for wrong in [
            "",
            "* * * *",
            "60 * * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 7",
            "5-1 * * * *",
            "*/0 * * * *",
            "@every 1h",
        ] {
            assert!(Schedule::parse(wrong).is_err(), "{wrong}");
        }
    }
}
