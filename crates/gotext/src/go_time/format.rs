//! Printing a moment by a Go layout.

use std::fmt::Write;

use jiff::civil::DateTime;

use super::layout::{Field, next_field};

/// The text of a clock's reading; `offset` is in seconds east of UTC.
pub(super) fn format(civil: DateTime, offset: i32, layout: &str, zone: &str) -> String {
    let mut text = String::new();
    let mut rest = layout;
    loop {
        let (literal, field, after) = next_field(rest);
        text.push_str(literal);
        let Some(field) = field else { return text };
        // A separator in front of a fraction is part of it.
        let separator = rest.as_bytes().get(literal.len()).copied().map_or('.', char::from);
        rest = after;
        write_field(&mut text, field, civil, offset, zone, separator).unwrap_or_default();
    }
}

fn write_field(
    text: &mut String,
    field: Field,
    civil: DateTime,
    offset: i32,
    zone: &str,
    separator: char,
) -> std::fmt::Result {
    let (date, time) = (civil.date(), civil.time());
    let hour_of_12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    match field {
        Field::ShortYear => write!(text, "{:02}", date.year().rem_euclid(100)),
        Field::LongYear => write!(text, "{:04}", date.year()),
        Field::MonthName(names) => text.write_str(name(names, date.month() - 1)),
        Field::WeekDay(names) => text.write_str(name(names, date.weekday().to_sunday_zero_offset())),
        Field::Month { fixed } => number(text, date.month(), fixed),
        Field::Day { padded: true, .. } => write!(text, "{:2}", date.day()),
        Field::Day { fixed, .. } => number(text, date.day(), fixed),
        Field::YearDay { padded: true } => write!(text, "{:3}", date.day_of_year()),
        Field::YearDay { .. } => write!(text, "{:03}", date.day_of_year()),
        Field::Hour => number(text, time.hour(), true),
        Field::Hour12 { fixed } => number(text, hour_of_12, fixed),
        Field::Minute { fixed } => number(text, time.minute(), fixed),
        Field::Second { fixed } => number(text, time.second(), fixed),
        Field::HalfDay([morning, afternoon]) => text.write_str(if time.hour() < 12 { morning } else { afternoon }),
        Field::Offset { zulu: true, .. } if offset == 0 => text.write_char('Z'),
        Field::Offset { form, .. } => write_offset(text, form, offset),
        Field::ZoneName if zone.is_empty() => write_offset(text, "+hh", offset),
        Field::ZoneName => text.write_str(zone),
        Field::Fraction(count) => {
            let digits = format!("{:09}", time.subsec_nanosecond());
            write!(text, "{separator}{}", digits.get(..count.min(9)).unwrap_or(&digits))?;
            text.write_str(&"0".repeat(count.saturating_sub(9)))
        }
        Field::OptionalFraction(count) => {
            let digits = format!("{:09}", time.subsec_nanosecond());
            let digits = digits.get(..count.min(9)).unwrap_or(&digits).trim_end_matches('0');
            if digits.is_empty() { Ok(()) } else { write!(text, "{separator}{digits}") }
        }
    }
}

fn name(names: &[&'static str], at: i8) -> &'static str {
    usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}

fn number(text: &mut String, value: i8, fixed: bool) -> std::fmt::Result {
    if fixed { write!(text, "{value:02}") } else { write!(text, "{value}") }
}

/// The sign, hours, minutes and seconds that the form has.
fn write_offset(text: &mut String, form: &str, offset: i32) -> std::fmt::Result {
    let seconds = offset.unsigned_abs();
    text.write_char(if offset < 0 { '-' } else { '+' })?;
    for (part, value) in [("hh", seconds / 3600), ("mm", seconds / 60 % 60), ("ss", seconds % 60)] {
        if let Some((before, _)) = form.split_once(part) {
            let colon = if before.ends_with(':') { ":" } else { "" };
            write!(text, "{colon}{value:02}")?;
        }
    }
    Ok(())
}
