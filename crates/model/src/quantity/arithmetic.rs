//! Computing with quantities: sums and differences as Kubernetes has them, and the products, quotients and remainders
//! that Kyverno's JMESPath functions define on top.

use super::{Format, Quantity, QuantityError};

impl Quantity {
    /// The sum. It prints in this quantity's format, or the other's where this is zero.
    pub fn add(&self, other: &Self) -> Result<Self, QuantityError> {
        let format = if self.is_zero() { other.format } else { self.format };
        let quick = !self.big && !other.big;
        // The quick form takes a zero's scale for nothing; the exact form aligns to the finer of both.
        let scale = match (quick, self.is_zero(), other.is_zero()) {
            (true, _, true) => self.scale,
            (true, true, _) => other.scale,
            _ => self.scale.min(other.scale),
        };
        let at = |quantity: &Self| if quantity.is_zero() { Some(0) } else { quantity.to_scale(scale) };
        let (a, b) = (at(self).ok_or(QuantityError::Range)?, at(other).ok_or(QuantityError::Range)?);
        let mantissa = a.checked_add(b).ok_or(QuantityError::Range)?;
        let fits = |value: i128| i64::try_from(value).is_ok();
        let big = !(quick && fits(a) && fits(b) && fits(mantissa));
        Ok(Self { mantissa, scale, big, format, text: None })
    }

    /// The difference. It prints in this quantity's format, or the other's where this is zero.
    pub fn subtract(&self, other: &Self) -> Result<Self, QuantityError> {
        self.add(&Self { mantissa: -other.mantissa, text: None, ..other.clone() })
    }

    /// The product with a number.
    pub fn multiply(&self, factor: f64) -> Result<Self, QuantityError> {
        let factor = Self::parse(&go_float(factor))?;
        let mantissa = self.mantissa.checked_mul(factor.mantissa).ok_or(QuantityError::Range)?;
        let scale = self.scale.checked_add(factor.scale).ok_or(QuantityError::Range)?;
        Ok(Self { mantissa, scale, big: true, format: self.format, text: None })
    }

    /// The quotient by a number, cut to the digits that the finer of both has.
    pub fn divide(&self, divisor: f64) -> Result<Self, QuantityError> {
        if divisor == 0.0 {
            return Err(QuantityError::ZeroDivision);
        }
        let divisor = Self::parse(&go_float(divisor))?;
        let scale = self.scale.min(divisor.scale);
        // dividend * 10^shift / divisor, with the power on whichever side keeps it whole.
        let shift = i64::from(self.scale) - i64::from(divisor.scale) - i64::from(scale);
        let power = |shift: i64| u32::try_from(shift).ok().and_then(|shift| 10_i128.checked_pow(shift));
        let side = |value: i128, shift: i64| power(shift.max(0)).and_then(|power| value.checked_mul(power));
        let quotient = side(self.mantissa, shift).zip(side(divisor.mantissa, -shift));
        let mantissa = quotient.and_then(|(a, b)| a.checked_div(b)).ok_or(QuantityError::Range)?;
        Ok(Self { mantissa, scale, big: true, format: self.format, text: None })
    }

    /// How many times `divisor` goes into this quantity.
    pub fn ratio(&self, divisor: &Self) -> Result<f64, QuantityError> {
        let divisor = divisor.as_f64();
        if divisor == 0.0 {
            return Err(QuantityError::ZeroDivision);
        }
        Ok(self.as_f64() / divisor)
    }

    /// The remainder of whole amounts.
    pub fn modulo(&self, divisor: &Self) -> Result<Self, QuantityError> {
        let whole = |value: f64| {
            let integer = value as i64;
            (integer as f64 == value).then_some(integer).ok_or(QuantityError::NotInteger)
        };
        let (a, b) = (whole(self.as_f64())?, whole(divisor.as_f64())?);
        if b == 0 {
            return Err(QuantityError::ZeroDivision);
        }
        Ok(Self::from_integer(a.wrapping_rem(b), self.format))
    }
}

impl From<i64> for Quantity {
    fn from(value: i64) -> Self {
        Self::from_integer(value, Format::DecimalSi)
    }
}

/// A double as Go's `%v` prints it: `0.5`, `1e+21`, `1e-07`.
pub fn go_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..21 => value.to_string(),
        exponent => format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs()),
    }
}
