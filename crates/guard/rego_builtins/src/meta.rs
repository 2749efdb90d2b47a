//! Builtins about the evaluation itself: the runtime, messages, and what the compiler takes out of modules.

use palisade_rego_value::Value;

use super::declare::{ARRAY, SET, builtin, nondeterministic};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const RECORD: Type = Type::Object(&Type::String, &Type::Any);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    nondeterministic("opa.runtime", &[], RECORD, |context, _| answer(context.host.runtime())),
    builtin("trace", &[Type::String], Type::Boolean, |_, operands| operands::string(operands, 1).and(answer(true))),
    // A step of plans, so that undefined arguments print.
    builtin("print", &[], Type::Boolean, |_, _| answer(true)),
    builtin("internal.print", &[Type::Array(&SET)], Type::Boolean, |_, _| answer(true)),
    builtin("internal.test_case", &[ARRAY], Type::Boolean, |_, _| answer(true)),
    builtin("internal.template_string", &[ARRAY], Type::String, template_string),
    builtin("rego.metadata.chain", &[], ARRAY, |_, _| compiled("rego.metadata.chain")),
    builtin("rego.metadata.rule", &[], Type::Any, |_, _| compiled("rego.metadata.rule")),
];

fn compiled(name: &str) -> Answer {
    Err(BuiltinError::Halt(format!("`{name}` is known only within the rule that calls it")))
}

/// The parts of an interpolated string, joined: texts and scalars as they are, and sets of the one value of an
/// expression, empty where it is undefined.
fn template_string(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let mut text = String::new();
    for part in operands::array(operands, 1)? {
        let value = match part {
            Value::Set(values) => match values.as_slice() {
                [] => {
                    text.push_str("<undefined>");
                    continue;
                }
                [value] => value,
                _ => return Err(BuiltinError::Halt("template-strings must not produce multiple outputs".to_owned())),
            },
            other => other,
        };
        if let Value::String(part) = value {
            context.grow(part.len())?;
            text.push_str(part);
        } else {
            context.weigh(value)?;
            text.push_str(&value.to_string());
        }
    }
    answer(text)
}
