//! Reading quantities, in the two ways that Kubernetes has: quickly where 18 digits hold the amount, else exactly with
//! rounding up to a billionth and a cap for binary suffixes.

use super::{Format, Quantity, QuantityError};

/// Powers of ten by suffix.
pub(super) const DECIMAL_SUFFIXES: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// Powers of two by suffix.
pub(super) const BINARY_SUFFIXES: [(&str, u32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// The finest step: a billionth.
const NANO: i64 = -9;

/// A text taken apart.
struct Parts<'a> {
    negative: bool,
    /// Digits before the point, without leading zeroes; `0` where there are none.
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
    /// Whether there is any digit in front of the suffix.
    digits: bool,
}

enum Suffix {
    Decimal(i32, Format),
    Binary(u32),
}

pub(super) fn quantity(text: &str) -> Result<Quantity, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Format);
    }
    let parts = split(text)?;
    let suffix = suffix(parts.suffix)?;
    match quick(&parts, &suffix, text) {
        Some(quantity) => Ok(quantity),
        // Here, unlike above, a suffix alone is no zero.
        None if !parts.digits => Err(QuantityError::Numeric),
        None => exact(&parts, &suffix),
    }
}

fn split(text: &str) -> Result<Parts<'_>, QuantityError> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let unpadded = rest.trim_start_matches('0');
    let padded = unpadded.len() < rest.len();
    let (whole, rest) = split_run(unpadded, |c| c.is_ascii_digit());
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => split_run(rest, |c| c.is_ascii_digit()),
        None => ("", rest),
    };
    let (_, exponent) = split_run(suffix, |c| "eEinumkKMGTP".contains(c));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(QuantityError::Format);
    }
    let digits = padded || !whole.is_empty() || !fraction.is_empty();
    Ok(Parts { negative, whole: if whole.is_empty() { "0" } else { whole }, fraction, suffix, digits })
}

fn split_run(text: &str, member: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !member(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn suffix(text: &str) -> Result<Suffix, QuantityError> {
    if let Some((_, power)) = DECIMAL_SUFFIXES.iter().find(|(suffix, _)| *suffix == text) {
        return Ok(Suffix::Decimal(*power, Format::DecimalSi));
    }
    if let Some((_, power)) = BINARY_SUFFIXES.iter().find(|(suffix, _)| *suffix == text) {
        return Ok(Suffix::Binary(*power));
    }
    let exponent = text.strip_prefix(['e', 'E']).and_then(|exponent| exponent.parse::<i64>().ok());
    // Kubernetes cuts the exponent to 32 bits without looking.
    exponent.map(|exponent| Suffix::Decimal(exponent as i32, Format::DecimalExponent)).ok_or(QuantityError::Suffix)
}

/// Amounts that Kubernetes holds in 64 bits; `None` where it does not.
fn quick(parts: &Parts<'_>, suffix: &Suffix, text: &str) -> Option<Quantity> {
    let digits = parts.whole.len() + parts.fraction.len();
    let (factor, exponent, format) = match *suffix {
        Suffix::Decimal(exponent, format) if digits <= 18 => (1, exponent, format),
        Suffix::Binary(power) if parts.fraction.is_empty() && digits + power as usize * 3 / 10 <= 14 => {
            (1_i64 << power, 0, Format::BinarySi)
        }
        _ => return None,
    };
    let scale = exponent.checked_sub(i32::try_from(parts.fraction.len()).ok()?)?;
    if i64::from(scale) < NANO {
        return None;
    }
    let number = format!("{}{}", parts.whole, parts.fraction);
    let value = number.parse::<i64>().ok()?;
    let amount = value.checked_mul(factor)?;
    let canonical = match format {
        Format::BinarySi => value & 7 != 0,
        _ => scale % 3 == 0 && !number.ends_with("000") && !number.starts_with('0'),
    };
    Some(Quantity {
        mantissa: i128::from(if parts.negative { -amount } else { amount }),
        scale,
        big: false,
        format,
        // A plain zero is kept as `0`, which prints the same.
        text: canonical.then(|| text.into()),
    })
}

/// Everything else: exact, then rounded away from zero to a billionth, and capped where the suffix is binary.
fn exact(parts: &Parts<'_>, suffix: &Suffix) -> Result<Quantity, QuantityError> {
    let (power, exponent, format) = match *suffix {
        Suffix::Decimal(exponent, format) => (0, exponent, format),
        Suffix::Binary(power) => (power, 0, Format::BinarySi),
    };
    let (mantissa, scale) = amount(parts, power, i64::from(exponent))?;
    let mut quantity = Quantity { mantissa, scale, big: true, format, text: None };
    if format == Format::BinarySi {
        let cap = Quantity { mantissa: i128::from(i64::MAX), scale: 0, ..quantity.clone() };
        if quantity > cap {
            quantity = cap;
        }
        if !quantity.is_zero() && quantity < Quantity::from_integer(1, Format::BinarySi) {
            quantity.format = Format::DecimalSi;
        }
    }
    if parts.negative {
        quantity.mantissa = -quantity.mantissa;
    }
    Ok(quantity)
}

fn exceeds_cap(whole: &str, power: u32) -> bool {
    let value = whole.parse::<i128>().ok().and_then(|value| value.checked_mul(1 << power));
    value.is_none_or(|value| value > i128::from(i64::MAX))
}

/// The unsigned amount `digits * 2^power * 10^exponent` as mantissa and scale.
fn amount(parts: &Parts<'_>, power: u32, exponent: i64) -> Result<(i128, i32), QuantityError> {
    let digits = format!("{}{}", parts.whole, parts.fraction);
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Ok((0, 0));
    }
    let zeroes = digits.len() - significant.len();
    let places = |count: usize| i64::try_from(count).map_err(|_| QuantityError::Numeric);
    let mut scale = exponent - places(parts.fraction.len())? + places(zeroes)?;
    // Decimal digits below the finest step only say whether to round up; the rest must fit 38 digits.
    let (kept, mut inexact) = if power == 0 && scale < NANO {
        let kept = significant.len().saturating_sub((NANO - scale) as usize);
        scale = NANO;
        (significant.get(..kept).unwrap_or_default(), true)
    } else {
        (significant, false)
    };
    let kept = if kept.is_empty() { "0" } else { kept };
    let mut mantissa = match kept.parse::<i128>().ok().and_then(|value| value.checked_mul(1 << power)) {
        Some(mantissa) => mantissa,
        // Far above the cap that the caller puts on binary amounts.
        None if power > 0 && exceeds_cap(parts.whole, power) => return Ok((i128::MAX, 0)),
        None => return Err(QuantityError::Numeric),
    };
    if scale < NANO {
        let unit = u32::try_from(NANO - scale).ok().and_then(|step| 10_i128.checked_pow(step));
        inexact = unit.is_none_or(|unit| mantissa % unit != 0);
        mantissa = unit.map_or(0, |unit| mantissa / unit);
        scale = NANO;
    }
    mantissa += i128::from(inexact);
    // Kubernetes writes the amount out to the finest step; only rounding of doubles can tell.
    let step = u32::try_from(scale - NANO).ok().and_then(|step| 10_i128.checked_pow(step));
    match step.and_then(|step| mantissa.checked_mul(step)) {
        Some(mantissa) => Ok((mantissa, NANO as i32)),
        None => i32::try_from(scale).map(|scale| (mantissa, scale)).map_err(|_| QuantityError::Numeric),
    }
}
