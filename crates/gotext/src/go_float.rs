//! Floating point numbers as Go's `strconv` prints and reads them.
//!
//! CEL's `string()` and the keys of YAML mappings show the form of [`shortest`]; JSON has one of its own (`go_json::number`).

use std::fmt::{Display, LowerExp};

/// The shortest text that reads back as the same finite `f32` or `f64`, with an exponent below 1e-4 and from 1e6.
pub fn shortest(value: impl Display + LowerExp) -> String {
    let scientific = format!("{value:e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    with_exponent(&scientific)
}

/// Rust's `1.5e-7` as Go writes it: `1.5e-07`.
pub(crate) fn with_exponent(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`: as [`shortest`], infinities and what is no number included.
pub fn general(value: f64) -> String {
    if value.is_finite() { shortest(value) } else { not_finite(value).to_owned() }
}

/// `strconv.FormatFloat(value, 'E', -1, 64)`: the shortest digits, always with an exponent.
pub fn scientific(value: f64) -> String {
    if !value.is_finite() {
        return not_finite(value).to_owned();
    }
    with_exponent(&format!("{value:e}")).to_uppercase()
}

fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// `strconv.ParseFloat(text, 64)` for decimal numbers; hexadecimal ones are not read.
pub fn parse_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    // Go refuses what is too large for a double and reads only spelled-out infinities.
    let spelled = text.bytes().any(|byte| matches!(byte, b'i' | b'I'));
    (!value.is_infinite() || spelled).then_some(value)
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

    #[test]
    fn general_and_scientific_forms_differ() {
        for (value, general_form, scientific_form) in [
            (80.0, "80", "8E+01"),
            (0.0, "0", "0E+00"),
            (100_000.0, "100000", "1E+05"),
            (1_000_000.0, "1e+06", "1E+06"),
            (-1_234_567.5, "-1.2345675e+06", "-1.2345675E+06"),
            (0.0001, "0.0001", "1E-04"),
            (0.000_01, "1e-05", "1E-05"),
            (1e21, "1e+21", "1E+21"),
            (1e-120, "1e-120", "1E-120"),
        ] {
            assert_eq!(general(value), general_form);
            assert_eq!(scientific(value), scientific_form);
        }
        assert_eq!(general(f64::NEG_INFINITY), "-Inf");
        assert_eq!(scientific(f64::NAN), "NaN");
    }

    #[test]
    fn floats_are_read_as_in_go() {
        assert_eq!(parse_float("+1e3"), Some(1000.0));
        assert_eq!(parse_float(".5"), Some(0.5));
        assert_eq!(parse_float("1e400"), None);
        assert_eq!(parse_float("-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_float("1_000"), None);
        assert_eq!(parse_float(""), None);
    }
}
