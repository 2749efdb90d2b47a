//! Amounts with units: Kubernetes' quantities in a looser form, and sizes in bytes.
//!
//! Beside the model's `quantity`, because letters of any case, exponents before units and quotes are read here.

use num_bigint::BigInt;
use palisade_model::Str;
use palisade_rego_value::{ArithmeticError, Number, Value};

use super::declare::builtin;
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

/// The largest exponent of ten that an amount may be written with.
const MAX_EXPONENT: i64 = 5_000;

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("units.parse", &[Type::String], Type::Number, parse),
    builtin("units.parse_bytes", &[Type::String], Type::Number, parse_bytes),
];

/// What stands in front of a unit, and the unit; `None` where the exponent has too many digits.
fn split(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' | b'.' | b'+' | b'-' => at += 1,
            b'e' | b'E' => {
                let sign = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
                if !sign && !digit(at + 1) {
                    break;
                }
                at += 1 + usize::from(sign);
                if (at..bytes.len()).take_while(|at| digit(*at)).count() > 6 {
                    return None;
                }
            }
            _ => break,
        }
    }
    text.split_at_checked(at)
}

/// An amount as whole digits and a power of ten.
fn decimal(text: &str) -> Option<(BigInt, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = BigInt::parse_bytes(digits.as_bytes(), 10)?;
    let exponent = exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()?;
    Some((if negative { -value } else { value }, exponent))
}

fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}

/// The words of one of the two builtins.
struct Words {
    name: &'static str,
    amount: &'static str,
    unit: &'static str,
}

impl Words {
    fn failed(&self, what: &str) -> BuiltinError {
        BuiltinError::Failed(format!("{}: {what}", self.name))
    }

    /// The amount and the unit of a text.
    fn read<'a>(&self, context: &mut Context<'_>, text: &'a str) -> Result<((BigInt, i64), &'a str), BuiltinError> {
        context.step(text.len().saturating_mul(text.len()) / 4096)?;
        if text.contains(' ') {
            return Err(self.failed("spaces not allowed in resource strings"));
        }
        let too_large = || self.failed("exponent too large");
        let (number, unit) = split(text).ok_or_else(too_large)?;
        if number.is_empty() {
            return Err(self.failed(&format!("no {} provided", self.amount)));
        }
        let amount =
            decimal(number).ok_or_else(|| self.failed(&format!("could not parse {} to a number", self.amount)))?;
        if amount.1.abs() > MAX_EXPONENT {
            return Err(too_large());
        }
        Ok((amount, unit))
    }

    fn unknown(&self, unit: &str) -> BuiltinError {
        self.failed(&format!("{} {unit} not recognized", self.unit))
    }
}

/// The power of a thousand or of 1024 that a unit's first letter, in lower case, stands for.
fn power(letter: &str) -> Option<u32> {
    ["", "k", "m", "g", "t", "p", "e"].iter().position(|known| *known == letter).map(|power| power as u32)
}

fn parse(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    const WORDS: Words = Words { name: "units.parse", amount: "amount", unit: "unit" };
    let text: Str = operands::string(operands, 1)?.replace('"', "").into();
    let ((mut digits, mut exponent), unit) = WORDS.read(context, &text)?;
    // The first letter tells milli from mega; all others may be of any case.
    let (first, rest) = unit.char_indices().nth(1).and_then(|(at, _)| unit.split_at_checked(at)).unwrap_or((unit, ""));
    let rest = rest.to_lowercase();
    match (first, power(&first.to_lowercase()), &*rest) {
        ("m", _, "") => {
            // The double nearest to a thousandth, to the last bit: 1152921504606847 / 2^60.
            digits = digits * 1_152_921_504_606_847_i64 * BigInt::from(5).pow(60);
            exponent -= 60;
        }
        (_, Some(power), "") => digits *= BigInt::from(1000).pow(power),
        (_, Some(power @ 1..), "i") => digits *= BigInt::from(1024).pow(power),
        _ => return Err(WORDS.unknown(&format!("{first}{rest}"))),
    }
    let text = decimal_text(&digits, exponent);
    context.grow(text.len())?;
    answer(Number::parse(&text).ok_or(ArithmeticError::TooLarge)?)
}

/// Plain digits where the amount is whole, else ten behind the point, halves away from zero.
fn decimal_text(digits: &BigInt, exponent: i64) -> String {
    if exponent >= 0 {
        return (digits * power_of_ten(exponent)).to_string();
    }
    let unit = power_of_ten(-exponent);
    if digits % &unit == BigInt::ZERO {
        return (digits / unit).to_string();
    }
    let negative = *digits < BigInt::ZERO;
    let magnitude = if negative { -digits } else { digits.clone() };
    let rounded: BigInt = (magnitude * power_of_ten(10) * 2 + &unit) / (unit * 2);
    let text = format!("{:0>11}", rounded.to_string());
    let (whole, fraction) = text.split_at_checked(text.len() - 10).unwrap_or_default();
    format!("{}{whole}.{fraction}", if negative { "-" } else { "" })
}

fn parse_bytes(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    const WORDS: Words = Words { name: "units.parse_bytes", amount: "byte amount", unit: "byte unit" };
    let text = operands::string(operands, 1)?.to_lowercase().replace('"', "");
    let ((digits, exponent), unit) = WORDS.read(context, &text)?;
    let letters = unit.strip_suffix('b').filter(|letters| !letters.is_empty()).unwrap_or(unit);
    let (letter, base) = letters.strip_suffix('i').map_or((letters, 1000), |letter| (letter, 1024));
    let power = power(letter).filter(|power| *power > 0 || unit.is_empty()).ok_or_else(|| WORDS.unknown(unit))?;
    let bytes = digits * BigInt::from(base).pow(power);
    let whole = if exponent < 0 { bytes / power_of_ten(-exponent) } else { bytes * power_of_ten(exponent) };
    context.grow(whole.bits() as usize / 3)?;
    answer(Number::from(whole))
}
