//! Moments as Go's `time` package reads and prints them: layouts written as the reference time, RFC 3339 out.
//!
//! Kyverno's time functions hand a layout such as `Jan 2 2006 15:04` straight to Go. A moment keeps the offset it was
//! written with, because printing and cron conversion use the local clock of the text. Deliberately absent: time zone
//! databases: in what is read, names other than UTC have no offset; what is printed is told the zone's name.

mod format;
mod layout;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use crate::go_duration::GoDuration;

/// A moment and the offset from UTC of the clock that it is read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoTime {
    /// Nanoseconds since 1970 in UTC.
    nanoseconds: i128,
    /// Seconds east of UTC.
    offset: i32,
}

const SECOND: i128 = 1_000_000_000;

impl GoTime {
    /// Reads `text` by a Go layout.
    pub fn parse(layout: &str, text: &str) -> Result<Self, String> {
        layout::parse(layout, text)
    }

    /// Reads `2006-01-02T15:04:05Z07:00`, fractions of a second allowed.
    pub fn parse_rfc3339(text: &str) -> Result<Self, String> {
        layout::parse("2006-01-02T15:04:05Z07:00", text)
    }

    /// The moment so many seconds after 1970 began, in UTC.
    pub fn from_unix(seconds: i64) -> Self {
        Self { nanoseconds: i128::from(seconds) * SECOND, offset: 0 }
    }

    /// The moment so many nanoseconds after 1970 began, on a clock so many seconds east of UTC.
    pub const fn from_unix_nanoseconds(nanoseconds: i64, offset: i32) -> Self {
        Self { nanoseconds: nanoseconds as i128, offset }
    }

    /// Nanoseconds since 1970 began; `None` beyond 64 bits.
    pub fn unix_nanoseconds(self) -> Option<i64> {
        i64::try_from(self.nanoseconds).ok()
    }

    /// The text of the moment by a Go layout, `zone` being the abbreviation of its clock's zone; `None` where the
    /// clock cannot be read.
    pub fn format(self, layout: &str, zone: &str) -> Option<String> {
        self.civil().map(|civil| format::format(civil, self.offset, layout, zone))
    }

    fn from_civil(civil: DateTime, offset: i32) -> Option<Self> {
        let since = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        Some(Self { nanoseconds: since.as_nanosecond() - i128::from(offset) * SECOND, offset })
    }

    /// The same moment on the clock of UTC.
    #[must_use]
    pub fn to_utc(self) -> Self {
        Self { offset: 0, ..self }
    }

    /// The reading of the clock; `None` outside the years -9999 to 9999.
    pub fn civil(self) -> Option<DateTime> {
        let local = Timestamp::from_nanosecond(self.nanoseconds + i128::from(self.offset) * SECOND).ok()?;
        Some(local.to_zoned(jiff::tz::TimeZone::UTC).datetime())
    }

    /// The time that passes from `earlier` to here, cut to the range of a duration.
    pub fn since(self, earlier: Self) -> GoDuration {
        let difference = self.nanoseconds - earlier.nanoseconds;
        GoDuration(i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The moment a duration later.
    #[must_use]
    pub fn plus(self, duration: GoDuration) -> Self {
        Self { nanoseconds: self.nanoseconds + i128::from(duration.0), ..self }
    }

    /// Rounded down to a multiple of `duration` since the year 1; unchanged for durations of zero and less.
    #[must_use]
    pub fn truncate(self, duration: GoDuration) -> Self {
        const YEAR_ONE: i128 = -62_135_596_800 * SECOND;
        if duration.0 <= 0 {
            return self;
        }
        let rest = (self.nanoseconds - YEAR_ONE).rem_euclid(i128::from(duration.0));
        Self { nanoseconds: self.nanoseconds - rest, ..self }
    }

    /// `2006-01-02T15:04:05Z07:00`, without fractions; `None` outside the years 0 to 9999.
    pub fn to_rfc3339(self) -> Option<String> {
        let civil = self.civil().filter(|civil| civil.year() >= 0)?;
        let zone = match self.offset {
            0 => "Z".to_owned(),
            offset => {
                let minutes = offset.unsigned_abs() / 60;
                format!("{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
            }
        };
        Some(format!("{}{zone}", Seconds(civil)))
    }
}

impl From<Timestamp> for GoTime {
    fn from(timestamp: Timestamp) -> Self {
        Self { nanoseconds: timestamp.as_nanosecond(), offset: 0 }
    }
}

impl PartialOrd for GoTime {
    /// By moment, whatever the clock.
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.nanoseconds.partial_cmp(&other.nanoseconds)
    }
}

/// A clock's reading to the second.
struct Seconds(DateTime);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.0.date(), self.0.time());
        write!(f, "{:04}-{:02}-{:02}T", date.year(), date.month(), date.day())?;
        write!(f, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
    }
}

/// The day of the year `yday` as a date.
fn date_of_year_day(year: i16, yday: i16) -> Option<Date> {
    Date::new(year, 1, 1).ok()?.with().day_of_year(yday).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc3339(layout: &str, text: &str) -> String {
        GoTime::parse(layout, text).map_or_else(|error| error, |time| time.to_rfc3339().unwrap_or_default())
    }

    #[test]
    fn layouts_are_read_as_in_go() {
        for (layout, text, expected) in [
            ("2006-01-02T15:04:05Z07:00", "2023-01-15T10:30:00.5+05:30", "2023-01-15T10:30:00+05:30"),
            ("02 Jan 06 15:04 MST", "15 Jan 23 10:30 UTC", "2023-01-15T10:30:00Z"),
            ("02 Jan 06 15:04 MST", "15 Jan 23 10:30 CET", "2023-01-15T10:30:00Z"),
            ("Monday, 02-Jan-06 15:04:05 MST", "Sunday, 15-Jan-23 10:30:00 GMT", "2023-01-15T10:30:00Z"),
            ("Jan _2 15:04:05", "jan  5 01:02:03", "0000-01-05T01:02:03Z"),
            ("3:04PM", "12:05AM", "0000-01-01T00:05:00Z"),
            ("2006-002", "2024-060", "2024-02-29T00:00:00Z"),
            ("2006-01-02 15:04:05 -0700", "2023-06-01 00:00:00 -0330", "2023-06-01T00:00:00-03:30"),
            ("20060102", "19691231", "1969-12-31T00:00:00Z"),
            ("06", "69", "1969-01-01T00:00:00Z"),
            ("15:04:05.000", "01:02:03.004", "0000-01-01T01:02:03Z"),
        ] {
            assert_eq!(rfc3339(layout, text), expected, "{layout} {text}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for (layout, text) in [
            ("2006-01-02", "2023-02-29"),
            ("2006-01-02", "2023-13-01"),
            ("2006-01-02", "2023-1-02"),
            ("2006-01-02", "2023-01-02x"),
            ("15:04", "24:00"),
            ("PM", "pm"),
            ("2006-002", "2023-366"),
            ("MST", "Mst"),
            ("Z07:00", "+25:00"),
        ] {
            assert!(GoTime::parse(layout, text).is_err(), "{layout} {text}");
        }
    }

    #[test]
    fn arithmetic_keeps_the_clock() {
        let time = GoTime::parse_rfc3339("2021-01-02T15:04:05-07:00").unwrap();
        let hour = GoDuration::parse("1h").unwrap();
        assert_eq!(time.plus(hour).to_rfc3339().unwrap(), "2021-01-02T16:04:05-07:00");
        assert_eq!(time.truncate(hour).to_rfc3339().unwrap(), "2021-01-02T15:00:00-07:00");
        assert_eq!(time.to_utc().to_rfc3339().unwrap(), "2021-01-02T22:04:05Z");
        assert_eq!(time.plus(hour).since(time), hour);
        assert!(time < time.plus(hour));
    }
}
