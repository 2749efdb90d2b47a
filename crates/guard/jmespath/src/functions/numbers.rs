//! Functions over plain numbers.

use palisade_model::Value;

use super::{Answer, Arguments};

pub(super) fn abs(arguments: &Arguments<'_>) -> Answer {
    Ok(arguments.number(0)?.abs().into())
}

pub(super) fn ceil(arguments: &Arguments<'_>) -> Answer {
    Ok(arguments.number(0)?.ceil().into())
}

pub(super) fn floor(arguments: &Arguments<'_>) -> Answer {
    Ok(arguments.number(0)?.floor().into())
}

/// The mean; of nothing it is not a number, as in Go.
pub(super) fn avg(arguments: &Arguments<'_>) -> Answer {
    let items = arguments.array(0)?;
    arguments.charge(items.len())?;
    let sum: f64 = items.iter().filter_map(Value::as_f64).sum();
    Ok((sum / items.len() as f64).into())
}

/// Rounds half away from zero to so many decimal places.
pub(super) fn round(arguments: &Arguments<'_>) -> Answer {
    let places = arguments.number(1)?;
    if places.fract() != 0.0 || !(0.0..1e18).contains(&places) {
        return Err(arguments.error("rounds to a whole number of places, 0 or more"));
    }
    let shift = 10f64.powf(places);
    Ok(((arguments.number(0)? * shift).round() / shift).into())
}

/// A number as it is, text that is a number; everything else is null.
pub(super) fn to_number(arguments: &Arguments<'_>) -> Answer {
    Ok(match arguments.value(0)? {
        number @ (Value::Int(_) | Value::Float(_)) => number.clone(),
        Value::String(text) => parse(text).map_or(Value::Null, Value::from),
        _ => Value::Null,
    })
}

/// Text as a number; underscores may stand between digits.
fn parse(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| at.checked_sub(1).is_some_and(digit) && digit(at + 1);
    if !text.match_indices('_').all(|(at, _)| separates(at)) {
        return None;
    }
    text.replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite())
}
