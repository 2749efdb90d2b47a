//! Floating point numbers as Go's `strconv.FormatFloat(value, 'g', -1, ..)` prints them.
//!
//! CEL's `string()` and the keys of YAML mappings show this form; JSON has one of its own (`go_json::number`).

use std::fmt::{Display, LowerExp};

/// The shortest text that reads back as the same finite `f32` or `f64`, with an exponent below 1e-4 and from 1e6.
pub fn shortest(value: impl Display + LowerExp) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_in_go() {
        for (value, text) in [
            (0.0, "0"),
            (-1.5, "-1.5"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (123_456.0, "123456"),
            (1e6, "1e+06"),
            (1.25e100, "1.25e+100"),
        ] {
            assert_eq!(shortest(value), text);
        }
        assert_eq!(shortest(0.1_f32), "0.1");
    }
}
