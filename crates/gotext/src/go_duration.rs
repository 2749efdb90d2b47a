//! Durations as Go writes them: `1h30m`, `-1.5s`, `300ms`.
//!
//! Kyverno compares and prints durations with Go's `time` package, so both directions follow it to the letter:
//! what parses, what overflows, how fractions are cut, and that days and weeks do not exist.

use std::fmt;

/// A duration in nanoseconds, with the range of Go's `time.Duration` (about 292 years either way).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GoDuration(pub i64);

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// It is not of the form, or out of range.
    Invalid(String),
    /// A number has no unit.
    MissingUnit(String),
    /// A unit is none of `ns us ms s m h`.
    UnknownUnit {
        /// The unit as written.
        unit: String,
        /// The whole text.
        text: String,
    },
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(text) => write!(f, "time: invalid duration {text:?}"),
            Self::MissingUnit(text) => write!(f, "time: missing unit in duration {text:?}"),
            Self::UnknownUnit { unit, text } => write!(f, "time: unknown unit {unit:?} in duration {text:?}"),
        }
    }
}

impl std::error::Error for DurationError {}

/// The magnitude of Go's smallest duration; every sum stays at or below it.
const LIMIT: u64 = 1 << 63;

impl GoDuration {
    /// Reads what Go's `time.ParseDuration` reads.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid(text.to_owned());
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total = 0_u64;
        while !rest.is_empty() {
            let (part, tail) = parse_part(rest, text)?;
            total = total.checked_add(part).filter(|total| *total <= LIMIT).ok_or_else(invalid)?;
            rest = tail;
        }
        if negative {
            return Ok(Self(total.wrapping_neg().cast_signed()));
        }
        i64::try_from(total).map(Self).map_err(|_| invalid())
    }

    /// The duration in seconds, as Go's `Seconds()` rounds it.
    pub fn as_seconds(self) -> f64 {
        const SECOND: i64 = 1_000_000_000;
        (self.0 / SECOND) as f64 + (self.0 % SECOND) as f64 / 1e9
    }

    /// The duration of `seconds`, as Go converts `time.Duration(seconds * float64(time.Second))`; out of range is `None`.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let nanoseconds = seconds * 1e9;
        (nanoseconds.abs() < 9.223_372_036_854_775e18).then_some(Self(nanoseconds as i64))
    }
}

/// One number with its unit, in nanoseconds, and what follows it.
fn parse_part<'a>(rest: &'a str, text: &str) -> Result<(u64, &'a str), DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let (digits, rest) = split_digits(rest);
    let whole = leading_integer(digits).ok_or_else(invalid)?;
    let (fraction_digits, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    if digits.is_empty() && fraction_digits.is_empty() {
        return Err(invalid());
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let scale = match unit {
        "" => return Err(DurationError::MissingUnit(text.to_owned())),
        "ns" => 1_u64,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return Err(DurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() }),
    };
    let (fraction, places) = leading_fraction(fraction_digits);
    let fraction = (fraction as f64 * (scale as f64 / places)) as u64;
    let part = whole.checked_mul(scale).filter(|part| *part <= LIMIT).ok_or_else(invalid)?;
    let part = part.checked_add(fraction).filter(|part| *part <= LIMIT).ok_or_else(invalid)?;
    Ok((part, rest))
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn leading_integer(digits: &str) -> Option<u64> {
    digits.bytes().try_fold(0_u64, |value, digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit - b'0')).filter(|value| *value <= LIMIT)
    })
}

/// The digits behind the point as an integer and the power of ten to divide by; digits past 64 bits are dropped.
fn leading_fraction(digits: &str) -> (u64, f64) {
    let mut value = 0_u64;
    let mut places = 1.0;
    for digit in digits.bytes() {
        let next = value.checked_mul(10).and_then(|next| next.checked_add(u64::from(digit - b'0')));
        let Some(next) = next.filter(|next| *next <= LIMIT && value <= (LIMIT - 1) / 10) else { break };
        value = next;
        places *= 10.0;
    }
    (value, places)
}

impl fmt::Display for GoDuration {
    /// As Go's `Duration.String()`: `72h3m0.5s`, `1.5ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match magnitude {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{magnitude}ns"),
            1_000..1_000_000 => write!(f, "{}\u{b5}s", decimal(magnitude, 3)),
            1_000_000..1_000_000_000 => write!(f, "{}ms", decimal(magnitude, 6)),
            _ => {
                let minutes = magnitude / 60_000_000_000;
                let seconds = decimal(magnitude % 60_000_000_000, 9);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => write!(f, "{seconds}s"),
                    (0, minutes) => write!(f, "{minutes}m{seconds}s"),
                    (hours, minutes) => write!(f, "{hours}h{minutes}m{seconds}s"),
                }
            }
        }
    }
}

/// `value / 10^places` in full, without trailing zeros.
fn decimal(value: u64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let fraction = format!("{:0width$}", value % unit, width = places as usize);
    let fraction = fraction.trim_end_matches('0');
    let whole = value / unit;
    if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        GoDuration::parse(text).map_or_else(|error| error.to_string(), |duration| duration.to_string())
    }

    #[test]
    fn durations_parse_and_print_as_in_go() {
        for (text, printed) in [
            ("0", "0s"),
            ("-0", "0s"),
            ("1h30m", "1h30m0s"),
            ("90m", "1h30m0s"),
            ("1.5s", "1.5s"),
            (".5s", "500ms"),
            ("1.s", "1s"),
            ("-1h", "-1h0m0s"),
            ("+5m", "5m0s"),
            ("1500us", "1.5ms"),
            ("3\u{b5}s", "3\u{b5}s"),
            ("1ns", "1ns"),
            ("0.3333333333333333333h", "20m0s"),
            ("-9223372036854775808ns", "-2562047h47m16.854775808s"),
            ("9223372036854775807ns", "2562047h47m16.854775807s"),
        ] {
            assert_eq!(round_trip(text), printed, "{text}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for text in ["", "-", "3", "s", ".s", "1d", "1h 2m", "9223372036854775808ns", "3000000h", "1e3s", " 1s"] {
            assert!(GoDuration::parse(text).is_err(), "{text}");
        }
        assert_eq!(round_trip("1d"), "time: unknown unit \"d\" in duration \"1d\"");
        assert_eq!(round_trip("10"), "time: missing unit in duration \"10\"");
    }

    #[test]
    fn seconds_convert_both_ways() {
        assert_eq!(GoDuration::parse("1m0.25s").unwrap().as_seconds(), 60.25);
        assert_eq!(GoDuration::from_seconds(1.5), Some(GoDuration(1_500_000_000)));
        assert_eq!(GoDuration::from_seconds(1e12), None);
    }
}
