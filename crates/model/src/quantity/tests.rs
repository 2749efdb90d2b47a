//! Quantities: what parses, how it prints, how it compares and computes. The expectations were checked against
//! Kubernetes' own implementation.

use super::*;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn quantities_print_canonically() {
    for (text, printed) in [
        ("0", "0"),
        ("00", "0"),
        ("-", "0"),
        (".", "0"),
        ("k", "0"),
        ("1", "1"),
        ("+5", "+5"),
        ("-5", "-5"),
        ("1.5", "1500m"),
        ("1.500", "1.500"),
        ("0.5", "500m"),
        ("1000", "1k"),
        ("1500", "1500"),
        ("0.1m", "100u"),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("12e4", "120e3"),
        ("1.5e3", "1500"),
        ("1024Ki", "1Mi"),
        ("1000Ki", "1000Ki"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1.1Ki", "1126400m"),
        ("0.5n", "1n"),
        ("-0.5n", "-1n"),
        ("1000E", "1"),
        ("100Ei", "9223372036854775807"),
        ("1Pi", "1Pi"),
        ("1e-30", "1e-9"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ] {
        assert_eq!(quantity(text).to_string(), printed, "{text}");
    }
}

#[test]
fn malformed_quantities_are_refused() {
    for (text, error) in [
        ("", QuantityError::Format),
        ("abc", QuantityError::Format),
        ("1 Gi", QuantityError::Format),
        ("1.2.3", QuantityError::Format),
        ("--1", QuantityError::Suffix),
        ("1ki", QuantityError::Suffix),
        ("1K", QuantityError::Suffix),
        ("1e", QuantityError::Suffix),
        ("1mm", QuantityError::Suffix),
        ("Ei", QuantityError::Numeric),
        (&"9".repeat(60), QuantityError::Numeric),
    ] {
        assert_eq!(Quantity::parse(text).map(|quantity| quantity.to_string()), Err(error), "{text}");
    }
}

#[test]
fn order_is_that_of_the_amounts() {
    for (smaller, larger) in [
        ("-1", "0"),
        ("999m", "1"),
        ("1G", "1Gi"),
        ("1e-9", "1e100"),
        ("1e100", "1e101"),
        ("-1e100", "-1"),
        ("0", "1n"),
    ] {
        assert!(quantity(smaller) < quantity(larger), "{smaller} < {larger}");
        assert!(quantity(larger) > quantity(smaller), "{larger} > {smaller}");
    }
    for (a, b) in [("1", "1000m"), ("1Ki", "1024"), ("0", "0Ei"), ("1e3", "1k"), ("1.50", "1.5")] {
        assert_eq!(quantity(a), quantity(b));
    }
}

#[test]
fn integers_are_those_kubernetes_sees() {
    for (text, integer) in [("50k", Some(50_000)), ("2Gi", Some(2 << 30)), ("-3", Some(-3)), ("1.5", None)] {
        assert_eq!(quantity(text).as_integer(), integer, "{text}");
    }
    for text in ["1.5Gi", "1Pi", "1e30", "1000m"] {
        assert!(!quantity(text).is_integer(), "{text}");
    }
    assert_eq!(quantity("50.703k").as_f64(), 50703.0);
    assert_eq!(quantity("-5").sign(), -1);
}

#[test]
fn sums_keep_the_left_format() {
    for (a, b, sum, difference) in [
        ("1Gi", "512Mi", "1536Mi", "512Mi"),
        ("1", "1Ki", "1025", "-1023"),
        ("0", "1Ki", "1Ki", "-1Ki"),
        ("100m", "0.9", "1", "-800m"),
        ("1e3", "5", "1005", "995"),
        ("9223372036854775807", "1", "9223372036854775808", "9223372036854775806"),
    ] {
        assert_eq!(quantity(a).add(&quantity(b)).unwrap().to_string(), sum, "{a} + {b}");
        assert_eq!(quantity(a).subtract(&quantity(b)).unwrap().to_string(), difference, "{a} - {b}");
    }
    assert_eq!(quantity("1e100").add(&quantity("1n")), Err(QuantityError::Range));
}

#[test]
fn products_quotients_and_remainders_are_kyvernos() {
    assert_eq!(quantity("1Gi").multiply(1.5).unwrap().to_string(), "1536Mi");
    assert_eq!(quantity("100m").multiply(3.0).unwrap().to_string(), "300m");
    assert_eq!(quantity("1Gi").divide(3.0).unwrap().to_string(), "357913941");
    assert_eq!(quantity("1").divide(0.5).unwrap().to_string(), "2");
    assert_eq!(quantity("10").divide(3.0).unwrap().to_string(), "3");
    assert_eq!(quantity("10").divide(0.0), Err(QuantityError::ZeroDivision));
    assert_eq!(quantity("1Gi").ratio(&quantity("512Mi")), Ok(2.0));
    assert_eq!(quantity("1Gi").ratio(&quantity("0")), Err(QuantityError::ZeroDivision));
    assert_eq!(quantity("10Ki").modulo(&quantity("3")).unwrap().to_string(), "1");
    assert_eq!(quantity("1.5").modulo(&quantity("1")), Err(QuantityError::NotInteger));
    assert_eq!(quantity("5").modulo(&quantity("0")), Err(QuantityError::ZeroDivision));
}

#[test]
fn doubles_print_as_go_prints_them() {
    for (value, text) in
        [(0.5, "0.5"), (100.0, "100"), (1e21, "1e+21"), (1.5e-7, "1.5e-07"), (1e-4, "0.0001"), (-2.0, "-2")]
    {
        assert_eq!(go_float(value), text);
    }
}
