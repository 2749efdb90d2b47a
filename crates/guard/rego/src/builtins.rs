//! The builtins that modules may call: those of `palisade-rego-builtins`, and `rego.parse_module`, which needs the parser.

use palisade_rego_builtins::types::Type;
use palisade_rego_builtins::{Answer, Builtin, BuiltinError, Context, operands};
use palisade_rego_value::Value;

use crate::syntax::parse_module;

static PARSE_MODULE: Builtin = Builtin {
    name: "rego.parse_module",
    arguments: &[Type::String, Type::String],
    result: Type::Object(&Type::String, &Type::Any),
    nondeterministic: false,
    run: parse,
};

/// Every builtin.
pub fn all() -> impl Iterator<Item = &'static Builtin> {
    palisade_rego_builtins::all().chain([&PARSE_MODULE])
}

/// The builtin of a name such as `json.patch`; operators go by the name of their function (`plus`).
pub fn find(name: &str) -> Option<&'static Builtin> {
    all().find(|builtin| builtin.name == name)
}

fn parse(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (name, text) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    context.step(1 + text.len())?;
    parse_module::parse_module(name, text).map(Some).map_err(BuiltinError::Failed)
}
