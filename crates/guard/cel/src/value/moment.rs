//! Timestamps. jiff's own end a day before CEL's do, so a moment is kept as the time since the epoch.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::EvalError;

/// A moment between the years 1 and 9999, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(SignedDuration);

/// 0001-01-01T00:00:00Z.
const FIRST_SECOND: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl Moment {
    /// The beginning of the year 1.
    pub const MIN: Self = Self(SignedDuration::from_secs(FIRST_SECOND));

    /// The moment that lies `since_epoch` after 1970-01-01T00:00:00Z.
    pub fn new(since_epoch: SignedDuration) -> Result<Self, EvalError> {
        let before = since_epoch < SignedDuration::from_secs(FIRST_SECOND);
        let after = since_epoch >= SignedDuration::from_secs(LAST_SECOND + 1);
        if before || after { Err(EvalError::Overflow("timestamp")) } else { Ok(Self(since_epoch)) }
    }

    /// The moment of a date and time in UTC.
    pub fn from_civil(utc: DateTime) -> Result<Self, EvalError> {
        Self::new(utc.duration_since(EPOCH))
    }

    /// The time since 1970-01-01T00:00:00Z.
    pub const fn since_epoch(self) -> SignedDuration {
        self.0
    }

    /// Date and time in UTC.
    pub fn civil(self) -> DateTime {
        EPOCH.saturating_add(self.0)
    }

    /// Date and time in a time zone.
    pub fn civil_in(self, zone: &TimeZone) -> DateTime {
        let offset = zone.to_offset(self.to_timestamp());
        self.civil_at(offset)
    }

    /// Date and time at a fixed distance from UTC.
    pub fn civil_at(self, offset: Offset) -> DateTime {
        self.civil().saturating_add(SignedDuration::from_secs(i64::from(offset.seconds())))
    }

    /// As jiff's timestamp; the last day of the year 9999 becomes the last moment that jiff knows.
    pub fn to_timestamp(self) -> Timestamp {
        Timestamp::from_duration(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl From<Timestamp> for Moment {
    /// Moments before the year 1 become its beginning.
    fn from(timestamp: Timestamp) -> Self {
        let first = SignedDuration::from_secs(FIRST_SECOND);
        Self(timestamp.as_duration().max(first))
    }
}

/// A span of time within CEL's range, which is that of 64-bit nanoseconds.
pub(crate) fn checked_duration(span: Option<SignedDuration>) -> Result<SignedDuration, EvalError> {
    span.filter(|span| i64::try_from(span.as_nanos()).is_ok()).ok_or(EvalError::Overflow("duration"))
}
