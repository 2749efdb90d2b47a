//! Binary floats of 64 bits of mantissa, which OPA computes with where numbers are not whole.
//!
//! Operations round to nearest, ties to even. The text of a result is the shortest that reads back as the same float.

use num_bigint::{BigInt, BigUint};

use super::decimal::Decimal;

/// Binary exponents of larger magnitude are refused; it is about what a decimal text may name.
const MAX_EXPONENT: i64 = 340_000;

/// `±mantissa × 2^exponent`; the mantissa's highest bit is set unless it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extended {
    negative: bool,
    mantissa: u64,
    exponent: i64,
}

impl Extended {
    /// The float nearest to a decimal.
    pub(super) fn read(text: &str) -> Option<Self> {
        let decimal = Decimal::parse(text)?;
        let negative = text.starts_with('-');
        if decimal.is_zero() {
            return Some(Self { negative, mantissa: 0, exponent: 0 });
        }
        let digits: BigUint = decimal.digits().parse().ok()?;
        let power = BigUint::from(10_u8).pow(u32::try_from(decimal.exponent().unsigned_abs()).ok()?);
        if decimal.exponent() >= 0 {
            return Self::of_integer(negative, &(digits * power));
        }
        let shift = (power.bits() + 66).saturating_sub(digits.bits());
        let shifted = digits << shift;
        let (quotient, rest) = (&shifted / &power, &shifted % &power);
        let exponent = -i64::try_from(shift).ok()?;
        Self::of_bits(negative, &quotient, exponent, rest != BigUint::ZERO)
    }

    fn of_integer(negative: bool, value: &BigUint) -> Option<Self> {
        Self::of_bits(negative, value, 0, false)
    }

    fn of_bits(negative: bool, value: &BigUint, exponent: i64, sticky: bool) -> Option<Self> {
        let spare = value.bits().saturating_sub(127);
        let top = value >> spare;
        let lost = value.trailing_zeros().is_some_and(|zeros| zeros < spare);
        Self::rounded(negative, u128::try_from(top).ok()?, exponent + i64::try_from(spare).ok()?, sticky || lost)
    }

    /// The nearest float to `bits × 2^exponent`, a little more where `sticky`.
    fn rounded(negative: bool, bits: u128, exponent: i64, sticky: bool) -> Option<Self> {
        if bits == 0 {
            return Some(Self { negative, mantissa: 0, exponent: 0 });
        }
        let length = 128 - bits.leading_zeros();
        if length <= 64 {
            let shift = 64 - length;
            return Self::bounded(negative, (bits as u64) << shift, exponent - i64::from(shift));
        }
        let shift = length - 64;
        let half = 1_u128 << (shift - 1);
        let low = bits & ((half << 1) - 1);
        let mantissa = (bits >> shift) as u64;
        let exponent = exponent + i64::from(shift);
        let up = low > half || (low == half && (sticky || mantissa & 1 == 1));
        match mantissa.checked_add(u64::from(up)) {
            Some(mantissa) => Self::bounded(negative, mantissa, exponent),
            None => Self::bounded(negative, 1 << 63, exponent + 1),
        }
    }

    fn bounded(negative: bool, mantissa: u64, exponent: i64) -> Option<Self> {
        (exponent.abs() <= MAX_EXPONENT).then_some(Self { negative, mantissa, exponent })
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    pub(super) fn negated(self) -> Self {
        Self { negative: !self.negative, ..self }
    }

    pub(super) fn abs(self) -> Self {
        Self { negative: false, ..self }
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        if other.is_zero() {
            let negative = self.negative && (!self.is_zero() || other.negative);
            return Some(Self { negative, ..self });
        }
        if self.is_zero() || self.exponent < other.exponent {
            return other.plus(self);
        }
        let distance = self.exponent - other.exponent;
        let shift = u32::try_from(distance.min(62)).unwrap_or(62);
        let large = u128::from(self.mantissa) << shift;
        let dropped = u32::try_from(distance - i64::from(shift)).unwrap_or(u32::MAX);
        let small = u128::from(other.mantissa).checked_shr(dropped).unwrap_or(0);
        let lost = dropped > other.mantissa.trailing_zeros();
        let exponent = self.exponent - i64::from(shift);
        if self.negative == other.negative {
            return Self::rounded(self.negative, large + small, exponent, lost);
        }
        match large.checked_sub(small + u128::from(lost)) {
            Some(0) if !lost => Some(Self { negative: false, mantissa: 0, exponent: 0 }),
            Some(difference) => Self::rounded(self.negative, difference, exponent, lost),
            None => Self::rounded(other.negative, small - large, exponent, false),
        }
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let product = u128::from(self.mantissa) * u128::from(other.mantissa);
        Self::rounded(self.negative != other.negative, product, self.exponent + other.exponent, false)
    }

    /// The divisor is not zero.
    pub(super) fn divided_by(self, other: Self) -> Option<Self> {
        let divisor = u128::from(other.mantissa);
        let dividend = u128::from(self.mantissa) << 64;
        let (quotient, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
        let (more, rest) = ((rest << 2) / divisor, (rest << 2) % divisor);
        let exponent = self.exponent - other.exponent - 66;
        Self::rounded(self.negative != other.negative, (quotient << 2) | more, exponent, rest != 0)
    }

    pub(super) fn is_integer(self) -> bool {
        self.is_zero() || self.exponent + i64::from(self.mantissa.trailing_zeros()) >= 0
    }

    /// The whole part, rounded towards zero.
    pub(super) fn truncated(self) -> BigInt {
        let whole = if self.exponent >= 0 {
            BigUint::from(self.mantissa) << self.exponent.unsigned_abs()
        } else {
            BigUint::from(self.mantissa) >> self.exponent.unsigned_abs()
        };
        BigInt::from_biguint(if self.negative { num_bigint::Sign::Minus } else { num_bigint::Sign::Plus }, whole)
    }

    /// As Go's `big.Float` prints it in its shortest form: whole numbers in digits, others as `%g`.
    pub(super) fn text(self) -> String {
        let sign = if self.negative { "-" } else { "" };
        if self.is_zero() {
            return format!("{sign}0");
        }
        let (digits, point) = self.shortest();
        let first = point - 1;
        if self.is_integer() {
            let zeros = usize::try_from(point).unwrap_or(0).saturating_sub(digits.len());
            return format!("{sign}{digits}{}", "0".repeat(zeros));
        }
        let (head, tail) = digits.split_at_checked(1).unwrap_or_default();
        if !(-4..6).contains(&first) {
            let dot = if tail.is_empty() { "" } else { "." };
            let direction = if first < 0 { '-' } else { '+' };
            return format!("{sign}{head}{dot}{tail}e{direction}{:02}", first.unsigned_abs());
        }
        match usize::try_from(point).ok().filter(|point| *point > 0) {
            None => format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or(0))),
            Some(point) => match digits.split_at_checked(point) {
                Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
                None => format!("{sign}{digits}{}", "0".repeat(point - digits.len())),
            },
        }
    }

    /// The shortest digits between the middles to both neighbours, and the position of the point in them.
    fn shortest(self) -> (String, i64) {
        let twice = u128::from(self.mantissa) << 1;
        let exponent = self.exponent - 1;
        let (exact, point) = expand(twice, exponent);
        let (lower, _) = expand(twice - 1, exponent);
        let (upper, _) = expand(twice + 1, exponent);
        let inclusive = self.mantissa & 1 == 0;
        let digit = |digits: &[u8], at: usize| digits.get(at).copied().unwrap_or(b'0');
        for (at, m) in exact.iter().copied().enumerate() {
            let (l, u) = (digit(&lower, at), digit(&upper, at));
            let down = l != m || (inclusive && at + 1 == lower.len());
            let up = m != u && (inclusive || m + 1 < u || at + 1 < upper.len());
            let kept = exact.get(..=at).unwrap_or_default();
            let next = digit(&exact, at + 1);
            let rest = exact.get(at + 2..).unwrap_or_default();
            let nearest_up = next > b'5' || (next == b'5' && (!rest.is_empty() || m % 2 == 1));
            match (down, up) {
                (true, true) => return if nearest_up { incremented(kept, point) } else { trimmed(kept, point) },
                (true, false) => return trimmed(kept, point),
                (false, true) => return incremented(kept, point),
                (false, false) => {}
            }
        }
        trimmed(&exact, point)
    }
}

/// All digits of `bits × 2^exponent` without trailing zeros, and the position of the point in them.
fn expand(bits: u128, exponent: i64) -> (Vec<u8>, i64) {
    let power = u32::try_from(exponent.unsigned_abs()).unwrap_or(0);
    let scaled =
        if exponent >= 0 { BigUint::from(bits) << power } else { BigUint::from(bits) * BigUint::from(5_u8).pow(power) };
    let mut digits = scaled.to_string().into_bytes();
    let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) + exponent.min(0);
    digits.truncate(digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1));
    (digits, point)
}

fn trimmed(digits: &[u8], point: i64) -> (String, i64) {
    let text: String = digits.iter().copied().map(char::from).collect();
    (text.trim_end_matches('0').to_owned(), point)
}

fn incremented(digits: &[u8], point: i64) -> (String, i64) {
    match digits.split_last() {
        None => ("1".to_owned(), point + 1),
        Some((b'9', rest)) => incremented(rest, point),
        Some((last, rest)) => {
            let mut digits = rest.to_vec();
            digits.push(last + 1);
            trimmed(&digits, point)
        }
    }
}
