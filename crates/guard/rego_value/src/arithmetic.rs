//! Arithmetic as OPA does it: whole numbers exactly, others in binary floats of 64 bits of mantissa.

use num_bigint::BigInt;

use super::Number;
use super::extended::Extended;

/// Why a calculation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArithmeticError {
    /// The divisor is zero.
    #[error("divide by zero")]
    DivideByZero,
    /// The divisor of a remainder is zero.
    #[error("modulo by zero")]
    ModuloByZero,
    /// A remainder of numbers that are not whole.
    #[error("modulo on floating-point number")]
    ModuloOnFloat,
    /// The result is beyond what numbers may be.
    #[error("number too large")]
    TooLarge,
}

type Outcome = Result<Number, ArithmeticError>;

impl Number {
    /// The sum.
    pub fn plus(&self, other: &Self) -> Outcome {
        self.combine(other, i64::checked_add, |a, b| a + b, Extended::plus)
    }

    /// The difference.
    pub fn minus(&self, other: &Self) -> Outcome {
        self.combine(other, i64::checked_sub, |a, b| a - b, |a, b| a.plus(b.negated()))
    }

    /// The product.
    pub fn times(&self, other: &Self) -> Outcome {
        self.combine(other, i64::checked_mul, |a, b| a * b, Extended::times)
    }

    /// The quotient; whole where the division comes out even.
    pub fn divided_by(&self, other: &Self) -> Outcome {
        if other.is_zero() {
            return Err(ArithmeticError::DivideByZero);
        }
        if let (Self::Int(a), Self::Int(b)) = (self, other)
            && *a != 0
            && a.checked_rem(*b) == Some(0)
            && let Some(quotient) = a.checked_div(*b)
        {
            return Ok(Self::Int(quotient));
        }
        let (a, b) = (self.extended()?, other.extended()?);
        Self::of(a.divided_by(b))
    }

    /// The remainder of whole numbers, with the sign of the dividend.
    pub fn remainder(&self, other: &Self) -> Outcome {
        if let (Self::Int(a), Self::Int(b)) = (self, other)
            && let Some(rest) = a.checked_rem(*b)
        {
            return Ok(Self::Int(rest));
        }
        let (Some(a), Some(b)) = (self.to_bigint(), other.to_bigint()) else {
            return Err(ArithmeticError::ModuloOnFloat);
        };
        if b == BigInt::ZERO { Err(ArithmeticError::ModuloByZero) } else { Ok(Self::from(a % b)) }
    }

    /// The magnitude.
    pub fn abs(&self) -> Outcome {
        match self {
            Self::Int(value) => Ok(value.checked_abs().map_or_else(|| Self::from(value.unsigned_abs()), Self::Int)),
            Self::Text(_) => Self::of(Some(self.extended()?.abs())),
        }
    }

    /// The nearest whole number, halves away from zero.
    pub fn round(&self) -> Outcome {
        let Self::Text(text) = self else { return Ok(self.clone()) };
        let half = Extended::read(if text.starts_with('-') { "-0.5" } else { "0.5" });
        let sum = self.extended()?.plus(half.ok_or(ArithmeticError::TooLarge)?);
        Ok(Self::from(sum.ok_or(ArithmeticError::TooLarge)?.truncated()))
    }

    /// The nearest whole number that is not less.
    pub fn ceil(&self) -> Outcome {
        self.to_whole(1)
    }

    /// The nearest whole number that is not greater.
    pub fn floor(&self) -> Outcome {
        self.to_whole(-1)
    }

    fn to_whole(&self, direction: i64) -> Outcome {
        let Self::Text(_) = self else { return Ok(self.clone()) };
        let value = self.extended()?;
        let whole = value.truncated();
        let away = !value.is_integer() && self.is_negative() == (direction < 0);
        Ok(Self::from(if away { whole + direction } else { whole }))
    }

    fn combine(
        &self,
        other: &Self,
        small: fn(i64, i64) -> Option<i64>,
        exact: fn(BigInt, BigInt) -> BigInt,
        float: fn(Extended, Extended) -> Option<Extended>,
    ) -> Outcome {
        if let (Self::Int(a), Self::Int(b)) = (self, other)
            && let Some(result) = small(*a, *b)
        {
            return Ok(Self::Int(result));
        }
        if let (Some(a), Some(b)) = (self.to_bigint(), other.to_bigint()) {
            return Ok(Self::from(exact(a, b)));
        }
        Self::of(float(self.extended()?, other.extended()?))
    }

    fn extended(&self) -> Result<Extended, ArithmeticError> {
        Extended::read(&self.to_string()).ok_or(ArithmeticError::TooLarge)
    }

    fn of(result: Option<Extended>) -> Outcome {
        result.and_then(|result| Self::parse(&result.text())).ok_or(ArithmeticError::TooLarge)
    }
}
