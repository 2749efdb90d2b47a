//! A number's text taken apart: sign, digits and exponent, for exact comparison and conversion.

use std::borrow::Cow;
use std::cmp::Ordering;

use num_bigint::BigInt;

/// Exponents of larger magnitude are refused, so that no number is large beyond its text.
const MAX_EXPONENT: i64 = 100_000;
/// Integers of more digits are not built.
const MAX_DIGITS: i64 = 10_000;

/// `digits × 10^exponent`, digits without leading and trailing zeros; zero has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decimal<'a> {
    negative: bool,
    digits: Cow<'a, str>,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Reads JSON's grammar of numbers.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let digits = if fraction.bytes().all(|byte| byte == b'0') {
            Cow::Borrowed(whole)
        } else {
            Cow::Owned([whole, fraction].concat())
        };
        let exponent = exponent - length(digits.len() - whole.len());
        let trimmed = digits.trim_end_matches('0').len();
        let exponent = exponent + length(digits.len() - trimmed);
        let zeros = digits.len() - digits.trim_start_matches('0').len();
        let digits = match digits {
            Cow::Borrowed(digits) => Cow::Borrowed(digits.get(zeros..trimmed).unwrap_or_default()),
            Cow::Owned(digits) => Cow::Owned(digits.get(zeros..trimmed).unwrap_or_default().to_owned()),
        };
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0 });
        }
        Some(Self { negative, digits, exponent })
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(super) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    pub(super) fn digits(&self) -> &str {
        &self.digits
    }

    pub(super) fn exponent(&self) -> i64 {
        self.exponent
    }

    pub(super) fn as_i64(&self) -> Option<i64> {
        if self.is_zero() {
            return Some(0);
        }
        let power = u32::try_from(self.exponent).ok().filter(|power| *power < 20)?;
        let magnitude = self.digits.parse::<i128>().ok().filter(|_| self.digits.len() < 20)?;
        let magnitude = magnitude.checked_mul(10_i128.checked_pow(power)?)?;
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    pub(super) fn to_bigint(&self) -> Option<BigInt> {
        if self.is_zero() {
            return Some(BigInt::ZERO);
        }
        if self.exponent < 0 || self.exponent + length(self.digits.len()) > MAX_DIGITS {
            return None;
        }
        let magnitude: BigInt = self.digits.parse().ok()?;
        let magnitude = magnitude * BigInt::from(10).pow(u32::try_from(self.exponent).ok()?);
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The power of ten of the first digit.
    fn order(&self) -> i64 {
        self.exponent + length(self.digits.len())
    }

    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.order().cmp(&other.order()).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
        }
    }
}

/// Texts are never so long that this clamps.
fn length(digits: usize) -> i64 {
    i64::try_from(digits).unwrap_or(i64::MAX)
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude = match digits.trim_start_matches('0') {
        "" => 0,
        digits => digits.parse::<i64>().ok().filter(|exponent| *exponent <= MAX_EXPONENT)?,
    };
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}
