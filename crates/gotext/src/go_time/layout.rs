//! Reading a text by a Go layout.

use jiff::civil::{Date, DateTime, Time};

use super::{GoTime, date_of_year_day};

/// What a piece of a layout stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    ShortYear,
    LongYear,
    MonthName(&'static [&'static str]),
    Month {
        fixed: bool,
    },
    WeekDay(&'static [&'static str]),
    Day {
        fixed: bool,
        padded: bool,
    },
    YearDay {
        padded: bool,
    },
    Hour,
    Hour12 {
        fixed: bool,
    },
    Minute {
        fixed: bool,
    },
    Second {
        fixed: bool,
    },
    HalfDay([&'static str; 2]),
    /// A numeric offset of this form, or also `Z`.
    Offset {
        form: &'static str,
        zulu: bool,
    },
    ZoneName,
    /// Exactly so many digits behind the point.
    Fraction(usize),
    /// Any number of digits behind the point, or none and no point; so many at most are printed.
    OptionalFraction(usize),
}

const SHORT_MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const SHORT_DAYS: &[&str] = &["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const DAYS: &[&str] = &["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The pieces that layouts are made of. Of those that begin alike, the longer stands first.
const FIELDS: &[(&str, Field)] = &[
    ("January", Field::MonthName(MONTHS)),
    ("Jan", Field::MonthName(SHORT_MONTHS)),
    ("Monday", Field::WeekDay(DAYS)),
    ("Mon", Field::WeekDay(SHORT_DAYS)),
    ("MST", Field::ZoneName),
    ("01", Field::Month { fixed: true }),
    ("02", Field::Day { fixed: true, padded: false }),
    ("03", Field::Hour12 { fixed: true }),
    ("04", Field::Minute { fixed: true }),
    ("05", Field::Second { fixed: true }),
    ("06", Field::ShortYear),
    ("002", Field::YearDay { padded: false }),
    ("15", Field::Hour),
    ("1", Field::Month { fixed: false }),
    ("2006", Field::LongYear),
    ("2", Field::Day { fixed: false, padded: false }),
    ("_2", Field::Day { fixed: false, padded: true }),
    ("__2", Field::YearDay { padded: true }),
    ("3", Field::Hour12 { fixed: false }),
    ("4", Field::Minute { fixed: false }),
    ("5", Field::Second { fixed: false }),
    ("PM", Field::HalfDay(["AM", "PM"])),
    ("pm", Field::HalfDay(["am", "pm"])),
    ("-070000", Field::Offset { form: "+hhmmss", zulu: false }),
    ("-07:00:00", Field::Offset { form: "+hh:mm:ss", zulu: false }),
    ("-0700", Field::Offset { form: "+hhmm", zulu: false }),
    ("-07:00", Field::Offset { form: "+hh:mm", zulu: false }),
    ("-07", Field::Offset { form: "+hh", zulu: false }),
    ("Z070000", Field::Offset { form: "+hhmmss", zulu: true }),
    ("Z07:00:00", Field::Offset { form: "+hh:mm:ss", zulu: true }),
    ("Z0700", Field::Offset { form: "+hhmm", zulu: true }),
    ("Z07:00", Field::Offset { form: "+hh:mm", zulu: true }),
    ("Z07", Field::Offset { form: "+hh", zulu: true }),
];

/// The first field of a layout: the literal text before it, the field, and what follows.
pub(super) fn next_field(layout: &str) -> (&str, Option<Field>, &str) {
    for (at, _) in layout.char_indices() {
        let rest = layout.get(at..).unwrap_or_default();
        if let Some((field, length)) = field_at(rest) {
            return (layout.get(..at).unwrap_or_default(), Some(field), rest.get(length..).unwrap_or_default());
        }
    }
    (layout, None, "")
}

fn field_at(layout: &str) -> Option<(Field, usize)> {
    if layout.starts_with(['.', ',']) {
        return fraction_at(layout);
    }
    // `_2006` is an underscore before a year, not a padded day.
    if layout.starts_with("_2006") {
        return None;
    }
    FIELDS.iter().find_map(|(text, field)| {
        let rest = layout.strip_prefix(text)?;
        let short_name = matches!(*text, "Jan" | "Mon");
        let part_of_a_word = short_name && rest.starts_with(|c: char| c.is_ascii_lowercase());
        (!part_of_a_word).then_some((*field, text.len()))
    })
}

fn fraction_at(layout: &str) -> Option<(Field, usize)> {
    let bytes = layout.as_bytes();
    let digit = *bytes.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
    let count = bytes.iter().skip(1).take_while(|byte| **byte == digit).count();
    if bytes.get(1 + count).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((if digit == b'0' { Field::Fraction(count) } else { Field::OptionalFraction(count) }, 1 + count))
}

/// What has been read so far.
#[derive(Default)]
struct Parts {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
    year_day: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    zone_offset: i32,
}

/// Reads `text` by `layout`.
pub(super) fn parse(layout: &str, text: &str) -> Result<GoTime, String> {
    let wrong = |what: &str| format!("cannot read `{text}` as a time of the form `{layout}`: {what}");
    let mut parts = Parts::default();
    let mut cursor = Cursor(text.as_bytes());
    let mut rest = layout;
    loop {
        let (literal, field, after) = next_field(rest);
        cursor.skip(literal.as_bytes()).ok_or_else(|| wrong(&format!("`{literal}` is missing")))?;
        let Some(field) = field else { break };
        rest = after;
        let fraction_follows = matches!(next_field(rest).1, Some(Field::Fraction(_) | Field::OptionalFraction(_)));
        parts
            .read(field, &mut cursor, fraction_follows)
            .ok_or_else(|| wrong(&format!("stuck at `{}`", String::from_utf8_lossy(cursor.0))))?;
    }
    if !cursor.0.is_empty() {
        return Err(wrong(&format!("`{}` is left over", String::from_utf8_lossy(cursor.0))));
    }
    parts.finish().ok_or_else(|| wrong("there is no such day or hour"))
}

impl Parts {
    /// Reads one field; `None` where the text does not have it or its value is out of range.
    fn read(&mut self, field: Field, cursor: &mut Cursor<'_>, fraction_follows: bool) -> Option<()> {
        match field {
            Field::ShortYear => {
                let year = cursor.digits(2)? as i16;
                self.year = if year >= 69 { 1900 + year } else { 2000 + year };
            }
            Field::LongYear => self.year = cursor.digits(4)? as i16,
            Field::MonthName(names) => self.month = Some(cursor.name(names)? + 1),
            Field::Month { fixed } => self.month = Some(cursor.number(fixed)?).filter(|month| (1..=12).contains(month)),
            Field::WeekDay(names) => {
                cursor.name(names)?;
            }
            Field::Day { fixed, padded } => {
                cursor.skip_spaces(usize::from(padded));
                self.day = Some(cursor.number(fixed)?);
            }
            Field::YearDay { padded } => {
                cursor.skip_spaces(if padded { 2 } else { 0 });
                self.year_day = Some(cursor.year_day(!padded)?);
            }
            Field::Hour => self.hour = cursor.number(false).filter(|hour| *hour < 24)?,
            Field::Hour12 { fixed } => self.hour = cursor.number(fixed).filter(|hour| *hour <= 12)?,
            Field::Minute { fixed } => self.minute = cursor.number(fixed).filter(|minute| *minute < 60)?,
            Field::Second { fixed } => {
                self.second = cursor.number(fixed).filter(|second| *second < 60)?;
                if !fraction_follows && cursor.has_fraction() {
                    self.nanosecond = cursor.fraction(cursor.fraction_length())?;
                }
            }
            Field::HalfDay([morning, afternoon]) => {
                let half = cursor.take(2)?;
                self.afternoon = Some(half == afternoon.as_bytes());
                return (half == afternoon.as_bytes() || half == morning.as_bytes()).then_some(());
            }
            Field::Offset { form, zulu } => {
                if zulu && cursor.0.first() == Some(&b'Z') {
                    cursor.take(1)?;
                    self.utc = true;
                } else {
                    self.offset = Some(cursor.offset(form)?);
                }
            }
            Field::ZoneName if cursor.0.starts_with(b"UTC") => {
                cursor.take(3)?;
                self.utc = true;
            }
            Field::ZoneName => self.zone_offset = cursor.zone_name()?,
            Field::Fraction(digits) => self.nanosecond = cursor.fraction(digits)?,
            Field::OptionalFraction(_) if cursor.has_fraction() => {
                self.nanosecond = cursor.fraction(cursor.fraction_length())?;
            }
            Field::OptionalFraction(_) => {}
        }
        (!matches!(field, Field::Month { .. }) || self.month.is_some()).then_some(())
    }

    fn finish(self) -> Option<GoTime> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date = match self.year_day {
            Some(year_day) => date_of_year_day(self.year, year_day).filter(|date| {
                self.month.is_none_or(|month| month == date.month()) && self.day.is_none_or(|day| day == date.day())
            })?,
            None => Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?,
        };
        let time = Time::new(hour, self.minute, self.second, self.nanosecond).ok()?;
        let civil = DateTime::from_parts(date, time);
        match self.offset {
            Some(offset) if !self.utc => GoTime::from_civil(civil, offset),
            _ if self.utc => GoTime::from_civil(civil, 0),
            // The hours of `GMT+3` change the clock that the moment is shown on, not the moment.
            _ => GoTime::from_civil(civil, 0).map(|time| GoTime { offset: self.zone_offset, ..time }),
        }
    }
}

/// The text that is left.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn digit(&self, at: usize) -> Option<u8> {
        self.0.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0')
    }

    fn digits(&mut self, count: usize) -> Option<i32> {
        number(self.take(count)?)
    }

    /// One or two digits; two where `fixed`.
    fn number(&mut self, fixed: bool) -> Option<i8> {
        let first = self.digit(0)?;
        let value = match self.digit(1) {
            Some(second) => first * 10 + second,
            None if fixed => return None,
            None => first,
        };
        self.take(1 + usize::from(self.digit(1).is_some()))?;
        i8::try_from(value).ok()
    }

    /// One to three digits; three where `fixed`.
    fn year_day(&mut self, fixed: bool) -> Option<i16> {
        let count = (0..3).take_while(|at| self.digit(*at).is_some()).count();
        if count == 0 || (fixed && count != 3) {
            return None;
        }
        self.digits(count).map(|value| value as i16)
    }

    fn skip_spaces(&mut self, most: usize) {
        for _ in 0..most {
            self.0 = self.0.strip_prefix(b" ").unwrap_or(self.0);
        }
    }

    /// Passes literal text; a run of spaces stands for any run of spaces, and for none at the end.
    fn skip(&mut self, mut literal: &[u8]) -> Option<()> {
        while let Some((first, rest)) = literal.split_first() {
            if *first == b' ' {
                if self.0.first().is_some_and(|byte| *byte != b' ') {
                    return None;
                }
                literal = trim_spaces(literal);
                self.0 = trim_spaces(self.0);
            } else {
                self.0 = self.0.strip_prefix(std::slice::from_ref(first))?;
                literal = rest;
            }
        }
        Some(())
    }

    /// One of `names`, in any case; its position.
    fn name(&mut self, names: &[&str]) -> Option<i8> {
        let at = names.iter().position(|name| {
            self.0.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        })?;
        self.take(names.get(at)?.len())?;
        i8::try_from(at).ok()
    }

    fn has_fraction(&self) -> bool {
        matches!(self.0.first(), Some(b'.' | b',')) && self.digit(1).is_some()
    }

    fn fraction_length(&self) -> usize {
        self.0.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// A point and `count` digits, in nanoseconds; digits past the ninth are dropped.
    fn fraction(&mut self, count: usize) -> Option<i32> {
        let taken = self.take(1 + count)?;
        let (b'.' | b',', digits) = taken.split_first()? else { return None };
        let digits = digits.get(..9).unwrap_or(digits);
        Some(number(digits)? * 10_i32.pow(9 - digits.len() as u32))
    }

    /// A signed offset of this form, in seconds.
    fn offset(&mut self, form: &str) -> Option<i32> {
        let taken = self.take(form.len())?;
        let part = |letter: u8| -> Option<i32> {
            let digits: Vec<u8> =
                form.bytes().zip(taken).filter(|(expected, _)| *expected == letter).map(|(_, byte)| *byte).collect();
            if digits.is_empty() { Some(0) } else { number(&digits) }
        };
        let colons = form.bytes().zip(taken).all(|(expected, byte)| expected != b':' || *byte == b':');
        let (hours, minutes, seconds) = (part(b'h')?, part(b'm')?, part(b's')?);
        if !colons || hours > 24 || minutes > 60 || seconds > 60 {
            return None;
        }
        let offset = (hours * 60 + minutes) * 60 + seconds;
        match taken.first()? {
            b'+' => Some(offset),
            b'-' => Some(-offset),
            _ => None,
        }
    }

    /// An abbreviated zone; its offset, which only `GMT+3` and its like carry.
    fn zone_name(&mut self) -> Option<i32> {
        if self.0.starts_with(b"ChST") || self.0.starts_with(b"MeST") {
            self.take(4)?;
            return Some(0);
        }
        if let Some(rest) = self.0.strip_prefix(b"GMT") {
            self.0 = rest;
            return Some(self.signed_hours().map_or(0, |hours| hours * 3600));
        }
        if matches!(self.0.first(), Some(b'+' | b'-')) {
            return self.signed_hours().map(|_| 0);
        }
        let letters = self.0.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
        let name = self.0.get(..letters)?;
        let known = letters == 3 || (matches!(letters, 4 | 5) && name.ends_with(b"T")) || name == b"WITA";
        known.then_some(())?;
        self.take(letters)?;
        Some(0)
    }

    /// `+3`, `-11`: a sign and up to 23.
    fn signed_hours(&mut self) -> Option<i32> {
        let negative = match self.0.first()? {
            b'-' => true,
            b'+' => false,
            _ => return None,
        };
        let count = self.0.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
        let hours = number(self.0.get(1..=count)?).filter(|hours| *hours <= 23)?;
        self.take(1 + count)?;
        Some(if negative { -hours } else { hours })
    }
}

/// All of `digits` as a number; `None` for anything but one to nine digits.
fn number(digits: &[u8]) -> Option<i32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0_i32, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i32::from(digit - b'0')))
}

/// Bytes without the spaces in front.
fn trim_spaces(bytes: &[u8]) -> &[u8] {
    let spaces = bytes.iter().take_while(|byte| **byte == b' ').count();
    bytes.get(spaces..).unwrap_or_default()
}
