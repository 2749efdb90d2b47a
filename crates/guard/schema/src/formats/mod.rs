//! The named formats of texts, in the two dialects that schemas are written in.
//!
//! [`json_schema`] is what OPA takes, [`kubernetes`] what an API server takes of custom resources and what CEL's
//! `format` library names. Of what both know, they agree on days of the calendar only.

pub mod json_schema;
pub mod kubernetes;

use jiff::civil::Date;

/// A day of the calendar: `2006-01-02`.
fn is_date(text: &str) -> bool {
    let number = |range| text.get(range).filter(|part: &&str| part.bytes().all(|byte| byte.is_ascii_digit()));
    let dashes = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let parts = (number(0..4), number(5..7), number(8..10));
    let (Some(year), Some(month), Some(day)) = parts else { return false };
    let (Ok(year), Ok(month), Ok(day)) = (year.parse(), month.parse(), day.parse()) else { return false };
    dashes && Date::new(year, month, day).is_ok()
}
