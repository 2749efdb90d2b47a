//! cel-go's math extension.

use std::cmp::Ordering;

use crate::library::mismatch;
use crate::{Call, EvalError, Function, Library, Type, Val};

type Outcome = Result<Val, EvalError>;

/// `math.greatest`, `math.least`, rounding, signs, bits and tests of doubles.
pub fn library() -> Library {
    use Type::{Bool, Double, Int, UInt};
    let mut functions = extremes();
    for (name, call) in [
        ("math.ceil", (|_, args| rounded(args, f64::ceil)) as crate::library::Implementation),
        ("math.floor", |_, args| rounded(args, f64::floor)),
        ("math.round", |_, args| rounded(args, f64::round)),
        ("math.trunc", |_, args| rounded(args, f64::trunc)),
    ] {
        functions.push(Function::global(name, [Double], Double, call));
    }
    for (name, call) in [
        ("math.isNaN", (|_, args| tested(args, f64::is_nan)) as crate::library::Implementation),
        ("math.isInf", |_, args| tested(args, f64::is_infinite)),
        ("math.isFinite", |_, args| tested(args, f64::is_finite)),
    ] {
        functions.push(Function::global(name, [Double], Bool, call));
    }
    for of in [Int, UInt, Double] {
        functions.push(Function::global("math.abs", [of.clone()], of.clone(), abs));
        functions.push(Function::global("math.sign", [of.clone()], of.clone(), sign));
        functions.push(Function::global("math.sqrt", [of], Double, sqrt));
    }
    for of in [Int, UInt] {
        for (name, call) in [
            ("math.bitAnd", (|_, args| bits(args, |a, b| a & b)) as crate::library::Implementation),
            ("math.bitOr", |_, args| bits(args, |a, b| a | b)),
            ("math.bitXor", |_, args| bits(args, |a, b| a ^ b)),
        ] {
            functions.push(Function::global(name, [of.clone(), of.clone()], of.clone(), call));
        }
        functions.push(Function::global("math.bitNot", [of.clone()], of.clone(), bit_not));
        functions.push(Function::global("math.bitShiftLeft", [of.clone(), Int], of.clone(), shift_left));
        functions.push(Function::global("math.bitShiftRight", [of.clone(), Int], of, shift_right));
    }
    Library::of("math", functions)
}

/// One list of numbers, or any number of numbers; the result has a known type where all have the same.
fn extremes() -> Vec<Function> {
    let mut functions = Vec::new();
    let greatest: crate::library::Implementation = |_, args| extreme(args, Ordering::Greater);
    let least: crate::library::Implementation = |_, args| extreme(args, Ordering::Less);
    for (name, call) in [("math.greatest", greatest), ("math.least", least)] {
        let numbers = [Type::Int, Type::UInt, Type::Double];
        for of in &numbers {
            functions.push(Function::global(name, [of.clone()], of.clone(), call));
            functions.push(Function::global(name, [Type::list(of.clone())], of.clone(), call));
        }
        for a in &numbers {
            for b in &numbers {
                let result = if a == b { a.clone() } else { Type::Dyn };
                functions.push(Function::global(name, [a.clone(), b.clone()], result, call));
            }
        }
        functions.push(Function::global(name, [Type::list(Type::Dyn)], Type::Dyn, call));
        let many = vec![Type::Dyn; 4];
        functions.push(Function::global(name, many, Type::Dyn, call).variadic());
    }
    functions
}

fn extreme(args: &[Val], wanted: Ordering) -> Outcome {
    let listed = match args {
        [Val::List(list)] => Some(list.to_vec()),
        _ => None,
    };
    let numbers = listed.as_deref().unwrap_or(args);
    let mut best: Option<&Val> = None;
    for number in numbers {
        if !number.is_number() {
            return Err(EvalError::NoOverload(format!("numbers are wanted, not `{}`", number.type_name()).into()));
        }
        if best.is_none_or(|best| number.compare(best) == Some(wanted)) {
            best = Some(number);
        }
    }
    best.cloned().ok_or_else(|| EvalError::invalid("an empty list has no greatest and no least element"))
}

fn rounded(args: &[Val], round: impl Fn(f64) -> f64) -> Outcome {
    match args {
        [Val::Double(value)] => Ok(Val::Double(round(*value))),
        _ => Err(mismatch("math", args)),
    }
}

fn tested(args: &[Val], test: impl Fn(f64) -> bool) -> Outcome {
    match args {
        [Val::Double(value)] => Ok(Val::Bool(test(*value))),
        _ => Err(mismatch("math", args)),
    }
}

fn abs(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    match args {
        [Val::Int(value)] => value.checked_abs().map(Val::Int).ok_or(EvalError::Overflow("integer")),
        [Val::UInt(value)] => Ok(Val::UInt(*value)),
        [Val::Double(value)] => Ok(Val::Double(value.abs())),
        _ => Err(mismatch("math.abs", args)),
    }
}

fn sign(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    match args {
        [Val::Int(value)] => Ok(Val::Int(value.signum())),
        [Val::UInt(value)] => Ok(Val::UInt(u64::from(*value > 0))),
        [Val::Double(value)] if *value == 0.0 || value.is_nan() => Ok(Val::Double(*value)),
        [Val::Double(value)] => Ok(Val::Double(value.signum())),
        _ => Err(mismatch("math.sign", args)),
    }
}

fn sqrt(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    let value = match args {
        [Val::Int(value)] => *value as f64,
        [Val::UInt(value)] => *value as f64,
        [Val::Double(value)] => *value,
        _ => return Err(mismatch("math.sqrt", args)),
    };
    Ok(Val::Double(value.sqrt()))
}

/// Two's complement bits of either integer type.
fn bits(args: &[Val], combine: impl Fn(u64, u64) -> u64) -> Outcome {
    match args {
        [Val::Int(a), Val::Int(b)] => Ok(Val::Int(combine(*a as u64, *b as u64).cast_signed())),
        [Val::UInt(a), Val::UInt(b)] => Ok(Val::UInt(combine(*a, *b))),
        _ => Err(mismatch("math", args)),
    }
}

fn bit_not(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    match args {
        [Val::Int(value)] => Ok(Val::Int(!value)),
        [Val::UInt(value)] => Ok(Val::UInt(!value)),
        _ => Err(mismatch("math.bitNot", args)),
    }
}

/// The distance of a shift; `None` where every bit falls out.
fn distance(by: i64) -> Result<Option<u32>, EvalError> {
    if by < 0 {
        return Err(EvalError::invalid(format_args!("a shift by {by} is negative")));
    }
    Ok(u32::try_from(by).ok().filter(|by| *by < 64))
}

fn shift_left(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    match args {
        [Val::Int(value), Val::Int(by)] => Ok(Val::Int(distance(*by)?.map_or(0, |by| value << by))),
        [Val::UInt(value), Val::Int(by)] => Ok(Val::UInt(distance(*by)?.map_or(0, |by| value << by))),
        _ => Err(mismatch("math.bitShiftLeft", args)),
    }
}

/// Zeros move in from the left, whatever the sign.
fn shift_right(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    match args {
        [Val::Int(value), Val::Int(by)] => {
            Ok(Val::Int(distance(*by)?.map_or(0, |by| ((*value as u64) >> by).cast_signed())))
        }
        [Val::UInt(value), Val::Int(by)] => Ok(Val::UInt(distance(*by)?.map_or(0, |by| value >> by))),
        _ => Err(mismatch("math.bitShiftRight", args)),
    }
}
