//! Arithmetic and order. Integers never wrap, numbers of different types compare but do not add.

use std::cmp::Ordering;

use super::node::BinaryOperator;
use super::term::{Term, View};
use crate::value::{checked_duration, compare_numbers};
use crate::{Budget, EvalError, Moment, Val};

type Outcome = Result<Val, EvalError>;

pub(super) fn negate(operand: &Term<'_>) -> Outcome {
    match operand.view() {
        View::Int(value) => value.checked_neg().map(Val::Int).ok_or(EvalError::Overflow("integer")),
        View::Double(value) => Ok(Val::Double(-value)),
        _ => Err(EvalError::NoOverload(format!("-{}", operand.type_name()).into())),
    }
}

pub(super) fn binary(operator: BinaryOperator, left: &Term<'_>, right: &Term<'_>, budget: &mut Budget) -> Outcome {
    let decided = match operator {
        BinaryOperator::Less => order(left, right, |o| o == Ordering::Less),
        BinaryOperator::LessOrEqual => order(left, right, |o| o != Ordering::Greater),
        BinaryOperator::Greater => order(left, right, |o| o == Ordering::Greater),
        BinaryOperator::GreaterOrEqual => order(left, right, |o| o != Ordering::Less),
        BinaryOperator::Add => add(left, right, budget)?,
        BinaryOperator::Subtract => subtract(left, right)?,
        BinaryOperator::Multiply => multiply(left, right)?,
        BinaryOperator::Divide => divide(left, right)?,
        BinaryOperator::Remainder => remainder(left, right)?,
        BinaryOperator::Equal | BinaryOperator::NotEqual => None,
    };
    decided.ok_or_else(|| {
        let types = format!("{} {} {}", left.type_name(), operator.symbol(), right.type_name());
        EvalError::NoOverload(types.into())
    })
}

fn order(left: &Term<'_>, right: &Term<'_>, decide: impl Fn(Ordering) -> bool) -> Option<Val> {
    let ordering = match (left.view(), right.view()) {
        (View::Bool(a), View::Bool(b)) => Some(a.cmp(&b)),
        (View::String(a), View::String(b)) => Some(a.cmp(b)),
        (View::Bytes(a), View::Bytes(b)) => Some(a.cmp(b)),
        (View::Timestamp(a), View::Timestamp(b)) => Some(a.cmp(&b)),
        (View::Duration(a), View::Duration(b)) => Some(a.cmp(&b)),
        (View::Opaque(a), View::Opaque(b)) => a.compare(b),
        (a, b) => {
            let (a, b) = (a.number(), b.number());
            if !a.is_number() || !b.is_number() {
                return None;
            }
            // NaN is neither less, equal nor greater.
            return Some(Val::Bool(compare_numbers(&a, &b).is_some_and(decide)));
        }
    };
    ordering.map(|ordering| Val::Bool(decide(ordering)))
}

fn add(left: &Term<'_>, right: &Term<'_>, budget: &mut Budget) -> Result<Option<Val>, EvalError> {
    let value = match (left.view(), right.view()) {
        (View::Int(a), View::Int(b)) => Val::Int(a.checked_add(b).ok_or(EvalError::Overflow("integer"))?),
        (View::UInt(a), View::UInt(b)) => Val::UInt(a.checked_add(b).ok_or(EvalError::Overflow("unsigned integer"))?),
        (View::Double(a), View::Double(b)) => Val::Double(a + b),
        (View::String(a), View::String(b)) => {
            budget.spend_size(a.len() + b.len())?;
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(a);
            text.push_str(b);
            Val::from(text)
        }
        (View::Bytes(a), View::Bytes(b)) => {
            budget.spend_size(a.len() + b.len())?;
            Val::bytes([a, b].concat())
        }
        (View::Array(_) | View::Items(_), View::Array(_) | View::Items(_)) => concatenate(left, right, budget)?,
        (View::Duration(a), View::Duration(b)) => Val::Duration(checked_duration(a.checked_add(b))?),
        (View::Timestamp(moment), View::Duration(span)) | (View::Duration(span), View::Timestamp(moment)) => {
            let sum = moment.since_epoch().checked_add(span).ok_or(EvalError::Overflow("timestamp"))?;
            Val::Timestamp(Moment::new(sum)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// Lists are copied, so they are paid for by the element: memory stays in proportion to the budget.
fn concatenate(left: &Term<'_>, right: &Term<'_>, budget: &mut Budget) -> Outcome {
    let (a, b) = (left.clone().into_val(), right.clone().into_val());
    let (Val::List(a), Val::List(b)) = (a, b) else { return Ok(Val::Null) };
    if b.is_empty() {
        return Ok(Val::List(a));
    }
    if a.is_empty() {
        return Ok(Val::List(b));
    }
    budget.spend((a.len() + b.len()) as u64)?;
    Ok(Val::list(a.iter().chain(b.iter()).collect::<Vec<_>>()))
}

fn subtract(left: &Term<'_>, right: &Term<'_>) -> Result<Option<Val>, EvalError> {
    let value = match (left.view(), right.view()) {
        (View::Int(a), View::Int(b)) => Val::Int(a.checked_sub(b).ok_or(EvalError::Overflow("integer"))?),
        (View::UInt(a), View::UInt(b)) => Val::UInt(a.checked_sub(b).ok_or(EvalError::Overflow("unsigned integer"))?),
        (View::Double(a), View::Double(b)) => Val::Double(a - b),
        (View::Duration(a), View::Duration(b)) => Val::Duration(checked_duration(a.checked_sub(b))?),
        (View::Timestamp(moment), View::Duration(span)) => {
            let difference = moment.since_epoch().checked_sub(span).ok_or(EvalError::Overflow("timestamp"))?;
            Val::Timestamp(Moment::new(difference)?)
        }
        (View::Timestamp(a), View::Timestamp(b)) => {
            Val::Duration(checked_duration(a.since_epoch().checked_sub(b.since_epoch()))?)
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn multiply(left: &Term<'_>, right: &Term<'_>) -> Result<Option<Val>, EvalError> {
    let value = match (left.view(), right.view()) {
        (View::Int(a), View::Int(b)) => Val::Int(a.checked_mul(b).ok_or(EvalError::Overflow("integer"))?),
        (View::UInt(a), View::UInt(b)) => Val::UInt(a.checked_mul(b).ok_or(EvalError::Overflow("unsigned integer"))?),
        (View::Double(a), View::Double(b)) => Val::Double(a * b),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn divide(left: &Term<'_>, right: &Term<'_>) -> Result<Option<Val>, EvalError> {
    let value = match (left.view(), right.view()) {
        (View::Int(_), View::Int(0)) | (View::UInt(_), View::UInt(0)) => return Err(EvalError::DivisionByZero),
        (View::Int(a), View::Int(b)) => Val::Int(a.checked_div(b).ok_or(EvalError::Overflow("integer"))?),
        (View::UInt(a), View::UInt(b)) => Val::UInt(a / b),
        (View::Double(a), View::Double(b)) => Val::Double(a / b),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn remainder(left: &Term<'_>, right: &Term<'_>) -> Result<Option<Val>, EvalError> {
    let value = match (left.view(), right.view()) {
        (View::Int(_), View::Int(0)) | (View::UInt(_), View::UInt(0)) => return Err(EvalError::ModulusByZero),
        (View::Int(a), View::Int(b)) => Val::Int(a.checked_rem(b).ok_or(EvalError::Overflow("integer"))?),
        (View::UInt(a), View::UInt(b)) => Val::UInt(a % b),
        _ => return Ok(None),
    };
    Ok(Some(value))
}
