//! Kubernetes quantities: `500m`, `1.5Gi`, `2e3`.
//!
//! Resource requests, limits and sizes are written so, and both generations of Kyverno compare and compute with them.
//! The behaviour is that of Kubernetes' `resource.Quantity`, peculiarities included, because verdicts must agree: what
//! parses (`.`, `k` and `-` are zero), when a text is kept as written instead of made canonical, when a whole number
//! does not count as an integer. The one departure is that amounts with more than 38 significant digits are refused.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

mod arithmetic;
mod parse;
#[cfg(test)]
mod tests;

pub use arithmetic::go_float;

/// An exact decimal amount that remembers how it was written.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// The amount is `mantissa * 10^scale`.
    mantissa: i128,
    scale: i32,
    /// Whether Kubernetes would hold the amount in its arbitrary-precision form, which it never reads as an integer.
    big: bool,
    format: Format,
    /// The text as written, where Kubernetes takes it for canonical.
    text: Option<Box<str>>,
}

/// The family of suffixes that an amount was written with and is printed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// `12M`: powers of a thousand.
    #[default]
    DecimalSi,
    /// `12Mi`: powers of 1024.
    BinarySi,
    /// `12e6`.
    DecimalExponent,
}

/// Why a quantity cannot be read or computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// The text is not of the form.
    Format,
    /// The number in front of the suffix is malformed or has too many digits.
    Numeric,
    /// There is no such suffix.
    Suffix,
    /// The result has too many digits.
    Range,
    /// Division by zero.
    ZeroDivision,
    /// A remainder was asked of something that is not a whole number.
    NotInteger,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            Self::Numeric => "unable to parse numeric part of quantity",
            Self::Suffix => "unable to parse quantity's suffix",
            Self::Range => "the quantity has too many digits",
            Self::ZeroDivision => "zero divisor passed",
            Self::NotInteger => "non-integer quantity passed where a whole number is needed",
        })
    }
}

impl std::error::Error for QuantityError {}

impl Quantity {
    /// Reads a quantity.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse::quantity(text)
    }

    /// A whole amount that prints in `format`.
    pub const fn from_integer(value: i64, format: Format) -> Self {
        Self { mantissa: value as i128, scale: 0, big: false, format, text: None }
    }

    /// The suffixes it prints with.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// -1, 0 or 1.
    pub const fn sign(&self) -> i64 {
        self.mantissa.signum() as i64
    }

    /// Whether the amount is zero.
    pub const fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// The amount as an integer. `None` for fractions and out-of-range amounts, and, as in Kubernetes, for whole numbers
    /// that were written with a fraction (`1.5Gi`) or with `Pi` and `Ei`.
    pub fn as_integer(&self) -> Option<i64> {
        if self.big || self.scale < 0 {
            return None;
        }
        self.to_scale(0).and_then(|value| i64::try_from(value).ok())
    }

    /// Whether [`Self::as_integer`] has an answer.
    pub fn is_integer(&self) -> bool {
        self.as_integer().is_some()
    }

    /// A double near the amount, rounded as Kubernetes rounds it.
    pub fn as_f64(&self) -> f64 {
        let base = self.mantissa as f64;
        if self.scale == 0 { base } else { base * pow10(self.scale) }
    }

    /// The mantissa at a scale that is not above this one's; `None` where it does not fit.
    fn to_scale(&self, scale: i32) -> Option<i128> {
        if self.mantissa == 0 {
            return Some(0);
        }
        let difference = u32::try_from(self.scale.checked_sub(scale)?).ok()?;
        self.mantissa.checked_mul(10_i128.checked_pow(difference)?)
    }
}

/// `10^n` as Go's `math.Pow10` computes it: from two table entries, so not always the nearest double.
fn pow10(n: i32) -> f64 {
    let entry = |n: i32| format!("1e{n}").parse().unwrap_or(f64::NAN);
    match n {
        0..=308 => entry(n / 32 * 32) * entry(n % 32),
        -323..0 => entry(n / 32 * 32) / entry(-(n % 32)),
        i32::MIN..-323 => 0.0,
        309.. => f64::INFINITY,
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let common = self.scale.min(other.scale);
        match (self.to_scale(common), other.to_scale(common)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // What does not fit is larger in magnitude than anything that does.
            (None, _) => self.mantissa.cmp(&0),
            (_, None) => 0.cmp(&other.mantissa),
        }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quantity {}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

impl fmt::Display for Quantity {
    /// The canonical text: no fraction, the largest suffix that loses nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        if self.mantissa == 0 {
            return f.write_str("0");
        }
        match self.format {
            Format::BinarySi => match self.whole() {
                Some(whole) if whole.unsigned_abs() >= 1024 => write_binary(f, whole),
                _ => self.write_decimal(f, Format::DecimalSi),
            },
            format => self.write_decimal(f, format),
        }
    }
}

impl Quantity {
    /// The amount, where it is whole and fits.
    fn whole(&self) -> Option<i128> {
        if self.scale >= 0 {
            return self.to_scale(0);
        }
        let unit = 10_i128.checked_pow(self.scale.unsigned_abs())?;
        (self.mantissa % unit == 0).then(|| self.mantissa / unit)
    }

    fn write_decimal(&self, f: &mut fmt::Formatter<'_>, format: Format) -> fmt::Result {
        let (mut mantissa, mut exponent) = (self.mantissa, i64::from(self.scale));
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        let zeroes = exponent.rem_euclid(3);
        exponent -= zeroes;
        write!(f, "{mantissa}{}", "00".get(..zeroes as usize).unwrap_or_default())?;
        if format == Format::DecimalExponent {
            return if exponent == 0 { Ok(()) } else { write!(f, "e{exponent}") };
        }
        // Kubernetes, too, prints no suffix where it knows none.
        let suffix = parse::DECIMAL_SUFFIXES.iter().find(|(_, power)| i64::from(*power) == exponent);
        f.write_str(suffix.map_or("", |(suffix, _)| suffix))
    }
}

fn write_binary(f: &mut fmt::Formatter<'_>, mut value: i128) -> fmt::Result {
    let mut power = 0;
    while value % 1024 == 0 {
        value /= 1024;
        power += 10;
    }
    let suffix = parse::BINARY_SUFFIXES.iter().find(|(_, exponent)| *exponent == power);
    write!(f, "{value}{}", suffix.map_or("", |(suffix, _)| suffix))
}
